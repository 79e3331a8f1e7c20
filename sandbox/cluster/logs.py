"""What containers write: lines as a Node.js service writes them, by when it started and how it behaves."""

from datetime import datetime, timedelta

from sandbox.cluster.behaviour import Behaviour, tag_of
from sandbox.cluster.controllers.kubelet.containers import Run
from sandbox.cluster.objects import now

NODE = "v14.21.3"
MOST_REQUESTS = 200
REQUEST_SECONDS = 5

NOTHING_LEFT = "[info] {service} task finished, nothing left to do"

_CRASH = """
/app/lib/configuration.js:41
    throw new ConfigurationError(`${key} must be a number, got ${JSON.stringify(value)}`);
    ^

ConfigurationError: exports.timeoutMs must be a number, got "30s"
    at readNumber (/app/lib/configuration.js:41:11)
    at Object.readConfiguration (/app/lib/configuration.js:87:18)
    at Object.<anonymous> (/app/server.js:12:38)
    at Module._compile (internal/modules/cjs/loader.js:1114:14)
    at Object.Module._extensions..js (internal/modules/cjs/loader.js:1143:10)
    at Module.load (internal/modules/cjs/loader.js:979:32)
    at Function.executeUserEntryPoint [as runMain] (internal/modules/run_main.js:75:12)
    at internal/main/run_main_module.js:17:47
npm ERR! code ELIFECYCLE
npm ERR! errno 1
Error: cannot start: exports.timeoutMs must be a number, got "30s"
""".strip().splitlines()

_OUT_OF_MEMORY = """
[warn] event loop delay 1480 ms
<--- Last few GCs --->
[1:0x5591a40] 61208 ms: Mark-sweep 252.1 (258.4) -> 251.9 (258.7) MB, 411.2 / 0.0 ms  allocation failure
[error] export 8f2c: 41822 rows held in memory
""".strip().splitlines()


def run_lines(image: str, run: Run, *, runs_once: bool) -> list[tuple[datetime, str]]:
    """Return the lines of one run of a container, each with its time."""
    until = run.ended or now()
    service, version = _service(image), tag_of(image)
    lines = [
        (run.started, f"> {service}@{version} start /app"),
        (run.started, "> node server.js" if not runs_once else "> node task.js"),
        (run.started, f"[info] {service} {version} on Node.js {NODE}"),
    ]
    return lines + _rest(service, run, until, runs_once=runs_once)


def _rest(service: str, run: Run, until: datetime, *, runs_once: bool) -> list[tuple[datetime, str]]:
    behaviour = run.behaviour
    if behaviour.name in {"crash", "fail"}:
        return _at(until, _CRASH) if run.ended else []
    if runs_once:
        last = f"{service}-{run.started:%Y%m%dT%H%M%SZ}" if service.endswith("backup") else NOTHING_LEFT
        ended = [(until, last.format(service=service))] if run.ended else []
        return [(run.started, f"[info] {service} task started"), *ended]
    lines = [(run.started, "[info] connected to mongodb, replica set rs0, primary ok")]
    lines.append((run.started, f"[info] {service} listening on :8080"))
    lines += _requests(behaviour, run.started, until)
    if behaviour.out_of_memory and run.ended:
        lines += _at(until, _OUT_OF_MEMORY)
    elif run.ended:
        lines.append((until, f"[info] {service} got SIGTERM, finished what was under way, bye"))
    return lines


def _requests(behaviour: Behaviour, start: datetime, until: datetime) -> list[tuple[datetime, str]]:
    healthy = behaviour.ready_after is not None and behaviour.unready_after is None
    line = (
        "[info] GET /health 200 2 ms"
        if healthy
        else "[warn] GET /health 503 2 ms: exports worker is not connected"
    )
    last = int((until - start).total_seconds() / REQUEST_SECONDS)
    shown = range(max(0, last - MOST_REQUESTS), last + 1)
    return [(start + timedelta(seconds=REQUEST_SECONDS * index), line) for index in shown]


def _at(moment: datetime, lines: list[str]) -> list[tuple[datetime, str]]:
    return [(moment, line) for line in lines]


def _service(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
