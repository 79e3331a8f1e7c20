"""The program `buzzy`: one command for each process and each thing a person runs.

What a command needs is imported when it is run, so that `buzzy worker` knows nothing of Slack and
`buzzy bot` nothing of Kubernetes.
"""

from __future__ import annotations

import json
from datetime import datetime
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
