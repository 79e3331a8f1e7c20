"""The program `buzzy`: one command for each process and each thing a person runs.

What a command needs is imported when it is run, so that `buzzy worker` knows nothing of Slack and
`buzzy bot` nothing of Kubernetes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="buzzy",
    help="Releases Buzzy from Slack to Kubernetes, and back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def bot(
    http: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Take Slack's requests over HTTP here, not over Socket Mode."),
    ] = None,
) -> None:
    """Speak with Slack: take commands and approvals, post progress and alerts."""
    import bot.main  # noqa: PLC0415 - see the module's docstring
    from bot.settings import load_settings  # noqa: PLC0415

    address = None if http is None else _address(http)
    raise typer.Exit(bot.main.run(load_settings(http=address is not None), http=address))


@app.command()
def worker() -> None:
    """Run deployment, validation and rollback jobs against Kubernetes."""
    import workers.main  # noqa: PLC0415 - see the module's docstring
    from workers.settings import load_settings  # noqa: PLC0415

    raise typer.Exit(workers.main.run(load_settings()))


@app.command(
    epilog=(
        "Exit codes: 0 done as asked (released, rolled back, stopped, answered); "
        "1 it cannot start (settings, configuration); 2 a mistake in the command; "
        "3 refused by a rule, or the environment is busy; 4 it ended before anything was changed (refused by "
        "an approver, expired, cancelled, not possible); 5 it failed, and what it changed is still changed; "
        "6 it was stopped and what it did is undone; 7 Redis does not answer, or no worker does: look before "
        "you ask again; 130 Ctrl-C, and a release goes on."
    )
)
def do(
    command: Annotated[str, typer.Argument(help="What you would type behind /buzzy, in quotation marks.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end, or only ask.")] = True,  # noqa: FBT002 - Typer
) -> None:
    """Do what a line asks for, without Slack: `buzzy do "release 3.2.1 staging"`, "approve R42", "status".

    The same rules and the same record as in Slack, signed by the user of this machine, whom buzzy.yaml names
    under `operators`. Slack is told when it is back.
    """
    import bot.terminal.main  # noqa: PLC0415 - see the module's docstring
    from bot.settings import load_terminal_settings  # noqa: PLC0415

    bot.terminal.main.quieten()
    raise typer.Exit(bot.terminal.main.run(command, load_terminal_settings(), wait=wait))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the scripted tour and exit.")] = False,  # noqa: FBT002 - Typer
) -> None:
    """A Slack workspace, a cluster, Redis and the bot, all on this machine."""
    from sandbox import demo as sandbox_demo  # noqa: PLC0415 - see the module's docstring

    raise typer.Exit(sandbox_demo.tour() if once else sandbox_demo.run())


@app.command()
def schema() -> None:
    """Print the JSON Schema of buzzy.yaml, for editors."""
    from releases.config import json_schema  # noqa: PLC0415 - see the module's docstring

    typer.echo(json.dumps(json_schema(), indent=2))


@app.command()
def check(
    config: Annotated[Path, typer.Argument(help="The configuration to check.")] = Path("buzzy.yaml"),
) -> None:
    """Check a buzzy.yaml: every problem with its path in the file and what to write."""
    from releases.config import ConfigError, parse_config  # noqa: PLC0415 - see the module's docstring

    try:
        parsed = parse_config(config.read_text(encoding="utf-8"))
    except OSError as error:
        typer.echo(f"{config}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    except ConfigError as error:
        typer.echo(f"{config}:\n{error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{config}: good. Environments: {', '.join(parsed.environments)}.")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter(f"{text!r} is no HOST:PORT, such as 0.0.0.0:3000")
    return host, int(port)


def main() -> None:
    """The entry point of `buzzy`."""
    app()


if __name__ == "__main__":
    main()
