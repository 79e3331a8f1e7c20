"""`buzzy demo`: the whole house on this machine, to work in or to watch."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType

from rich.console import Console

from sandbox.children import ChildFailedError
from sandbox.redis_server import RedisNotFoundError
from sandbox.stage import Stage
from sandbox.tour import BEHAVIOUR, Tour

LOOK_SECONDS = 1.0
SPEED = 0.4
"""Pods that take their time: a person wants to see the bars move."""


def run() -> int:
    """Start it all, say where it is, and stay until Ctrl-C; then end everything that was started."""
    console = Console(highlight=False)
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    for how in (signal.SIGINT, signal.SIGTERM):
        signal.signal(how, end)
    try:
        with Stage(
            behaviour=BEHAVIOUR, tell=lambda what: console.print(f"[dim]starting {what} …[/]")
        ) as stage:
            console.print(
                f"""
[bold]Buzzy is ready:[/] {stage.workspace.url}

  1. Open that page. You are Alice; type in #buzzy-staging:
         [bold]/buzzy release 3.2.1 staging[/]
  2. Switch to Bob, an approver, and react with ✅ on the release's message.
  3. Watch it roll out, and promote it: [bold]/buzzy promote staging production[/] (Bob and Carol approve). A
     minute later the standby in #buzzy-dr follows by itself.
  4. Try [bold]/buzzy release 3.3.0 staging[/], which crashes at start, and roll back.
  5. In #buzzy-development try [bold]/buzzy release 3.2.3-errors development[/], which is watched for
     20 s and goes back by itself.
  6. Try [bold]/buzzy release 4.1.0 staging[/], which needs a newer MongoDB than the one that runs: it is
     refused before anything is touched. So is 4.0.0, which is built on the wrong Node.js.

The cluster:  [bold]KUBECONFIG={stage.kubeconfig} kubectl -n buzzy-staging get pods[/]
Versions that misbehave: 3.3.0 and, in development, 3.2.3-crash, -never-ready, -slow, -oom, -flaky, -errors,
-slow-answers, -hungry.
Logs: {stage.folder}
Ctrl-C ends everything.
""",
                soft_wrap=True,
            )
            while not ended.wait(LOOK_SECONDS):
                if dead := [child.name for child in stage.children if not child.running]:
                    console.print(f"[red]{', '.join(dead)} ended by itself.[/]\n{stage.logs()}")
                    return 1
            console.print("[dim]ending …[/]")
    except (ChildFailedError, RedisNotFoundError) as error:
        console.print(f"[red]{error}[/]")
        return 1
    return 0


def tour() -> int:
    """Play the scripted tour; 0 only when every expectation held."""
    console = Console(highlight=False, soft_wrap=True)
    begun = time.monotonic()
    try:
        with Stage(behaviour=BEHAVIOUR) as stage:
            try:
                Tour(stage, console).play()
            except AssertionError as error:
                console.print(f"[red]The tour failed:[/] {error}\n{stage.logs()}", markup=False)
                return 1
    except (ChildFailedError, RedisNotFoundError) as error:
        console.print(str(error), markup=False)
        return 1
    console.print(f"Everything happened as it should, in {time.monotonic() - begun:.0f} s.")
    return 0
