"""`buzzy do` as somebody else than the one who runs the tests: only who sits there is made up."""

from __future__ import annotations

import contextlib
import io
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bot.settings import TerminalSettings, load_terminal_settings
from bot.terminal.identity import Account
from bot.terminal.main import quieten, run

UIDS = {"alice": 4001, "bob": 4002, "carol": 4003, "dan": 4004, "gus": 4006, "stranger": 4009}
OPERATORS = """
operators:
  alice: U0ALICE
  bob: U0BOB
  carol: U0CAROL
  dan: U0DAN
  gus: U0GUEST
"""
SECONDS = 60.0


@dataclass
class Said:
    """What an invocation said, and its exit code."""

    code: int
    out: str
    err: str


class Typed:
    """A line that was typed into a terminal, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """It runs."""
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def out(self) -> str:
        """What it printed so far."""
        return "".join(self.lines)

    def end(self) -> Said:
        """Wait for its end."""
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        assert self.process.stderr is not None
        return Said(code, self.out, self.process.stderr.read())

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)


def _at_a_terminal() -> None:
    """Ctrl-C means something, also when the tests run in the background of a shell, which has it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def typing(who: str, line: str, env: Mapping[str, str], *, wait: bool = True) -> Iterator[Typed]:
    """Type a line; whatever happens, the process ends with the block."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "tests.integration.operators", who, line, "wait" if wait else "no-wait"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_at_a_terminal,  # noqa: PLW1509 - one system call, safe in the child
    )
    with process:
        try:
            yield Typed(process)
        finally:
            process.kill()


def do(who: str, line: str, env: Mapping[str, str], *, wait: bool = False) -> Said:
    """Type a line, and what came of it; in this process, which has everything loaded."""
    settings = TerminalSettings(
        _env_file=None,
        slack_bot_token=SecretStr(env["SLACK_BOT_TOKEN"]),
        slack_api_url=env["SLACK_API_URL"],
        redis_url=env["REDIS_URL"],
        buzzy_config=Path(env["BUZZY_CONFIG"]),
    )
    account = Account(UIDS[who], who, UIDS[who], who)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(line, settings, wait=wait, account=lambda: account)
    return Said(code, out.getvalue(), err.getvalue())


def me() -> str:
    """Who runs the tests."""
    return pwd.getpwuid(os.getuid()).pw_name


def main(who: str, line: str, wait: str) -> int:
    """The program, with somebody made up."""
    quieten()
    uid = UIDS[who]
    account = Account(uid, who, uid, who)
    return run(line, load_terminal_settings(), wait=wait == "wait", account=lambda: account)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
