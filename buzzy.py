"""The program `buzzy`: one command for each process and each thing a person runs.

What a command needs is imported when it is run, so that `buzzy worker` knows nothing of Slack and
`buzzy bot` nothing of Kubernetes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from releases.config import Config
    from releases.findings import Finding

app = typer.Typer(
    name="buzzy",
    help="Releases Buzzy from Slack to Kubernetes, and back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
record = typer.Typer(
    help="The record of all releases: prove it, export it, bring it back.", no_args_is_help=True
)
app.add_typer(record, name="record")


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
        "an approver, expired, cancelled, not possible, in line until it opens); 5 it failed, and what it "
        "changed is still changed; "
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
    config: Annotated[
        Path | None, typer.Argument(help="A configuration to check, and nothing else.", show_default=False)
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Check the configuration alone.")] = False,  # noqa: FBT002 - Typer
) -> None:
    """Check settings, configuration, Redis, Slack and clusters: what is wrong, and what to do about it."""
    from releases.findings import any_problem  # noqa: PLC0415 - see the module's docstring
    from workers.settings import load_settings  # noqa: PLC0415

    file = config or load_settings().buzzy_config
    parsed = _parsed(file)
    if config is None and not offline:
        found = []
        for finding in _everything(parsed):
            typer.echo(finding)
            found.append(finding)
        raise typer.Exit(1 if any_problem(found) else 0)


def _parsed(file: Path) -> Config:
    from releases.config import ConfigError, parse_config  # noqa: PLC0415 - see the module's docstring

    try:
        parsed = parse_config(file.read_text(encoding="utf-8"))
    except OSError as error:
        typer.echo(f"{file}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    except UnicodeDecodeError:
        typer.echo(f"{file}: it is no UTF-8 text", err=True)
        raise typer.Exit(1) from None
    except ConfigError as error:
        typer.echo(f"{file}:\n{error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{file}: good. Environments: {', '.join(parsed.environments)}.")
    return parsed


def _everything(config: Config) -> Iterator[Finding]:
    """What is found of all that the bot and the workers rely on; of Slack where its tokens are set."""
    import workers.checking  # noqa: PLC0415 - see the module's docstring
    from workers.settings import load_settings  # noqa: PLC0415

    yield from workers.checking.check(load_settings(), config)
    import bot.checking  # noqa: PLC0415 - see the module's docstring

    yield from bot.checking.check_settings()


@record.command("verify")
def record_verify(
    file: Annotated[
        Path | None, typer.Option("--file", help="Check a file that `export` wrote, and nothing else.")
    ] = None,
) -> None:
    """Prove that the record is as it was written; each problem with its release and event."""
    from workers import record_commands  # noqa: PLC0415 - see the module's docstring
    from workers.settings import load_settings  # noqa: PLC0415

    if file is not None:
        raise typer.Exit(record_commands.run(lambda say: record_commands.verify_file(file, say)))
    settings = load_settings()
    raise typer.Exit(record_commands.run(lambda say: record_commands.verify(settings, say)))


@record.command("export")
def record_export(
    environment: Annotated[str | None, typer.Option(help="Only releases to this environment.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Only releases that something happened to since.")
    ] = None,
) -> None:
    """Print the record as lines of JSON: who, what, when, why, plan digest, outcome, each with its hash."""
    from workers import record_commands  # noqa: PLC0415 - see the module's docstring
    from workers.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    raise typer.Exit(
        record_commands.run(lambda say: record_commands.export(settings, environment, since, say))
    )


@record.command("rebuild")
def record_rebuild() -> None:
    """Bring a lost record back from what the clusters remember; refused unless the record is empty."""
    from workers import record_commands  # noqa: PLC0415 - see the module's docstring
    from workers.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    raise typer.Exit(record_commands.run(lambda say: record_commands.rebuild(settings, say)))


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
