"""How soon the end of a rollout is noticed, beside `kubectl rollout status` on the same rollouts."""

from __future__ import annotations

import json
import math
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from releases.events import ServiceSeen
from releases.migrations import BackupKnown
from releases.plan import RollOut
from sandbox.cluster import SERVICES_OF_BUZZY
from tests.e2e.arenas import RealArena
from tests.e2e.controlplane.plane import ControlPlane
from workers.cluster import Cluster, TemplateWrite, TransientError
from workers.cluster.connections import Connections
from workers.files import Contents
from workers.observe import Observed
from workers.steps.waiting import wait
from workers.steps.work import Answer
from workers.templates import read_template, with_image

pytestmark = [pytest.mark.e2e, pytest.mark.kubectl]

ROLLOUTS = 20
MARGIN_MS = 150.0
"""What our median may be behind kubectl's, on a machine that has other things to do."""

NAMESPACE, SERVICE = "detection-lag", "buzzy-main"
LOOKERS = {"buzzy": "buzzy", "kubectl": "kubectl rollout status", "api": "(a watch from before)"}
REPORT = Path(__file__).parents[2] / "build" / "detection-lag.json"


@dataclass
class Waiting:
    """A step's place to work that has nothing to do but to wait."""

    cluster: Cluster
    namespace: str = NAMESPACE
    release: str = "R1"
    cause: str = ""
    again: bool = False
    key: str = ""
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    deadline: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(seconds=60))

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    def before_write(self) -> None:
        """Nobody else writes."""

    def go_on(self) -> bool:
        """For as long as it takes."""
        return True

    def show(self, seen: ServiceSeen) -> None:
        """Nobody looks."""

    def has_shown(self, service: str, image: str) -> bool:  # noqa: ARG002 - as `Work` has it
        """Nothing was shown."""
        return False

    @property
    def job(self) -> str | None:
        """None."""
        return None

    @property
    def answer(self) -> Answer | None:
        """None."""
        return None

    def note_job(self, name: str) -> None:
        """Never called: it starts none."""
        raise AssertionError(name)

    def usable_backup(self) -> BackupKnown | None:
        """None was made."""
        return None

    newest_backup = usable_backup

    def observe(self) -> Observed:
        """No drill is run here."""
        raise NotImplementedError

    def files(self, folder: str) -> Contents:
        """No files are written here."""
        raise NotImplementedError

    def database(self) -> str:
        """No drill is run here."""
        raise NotImplementedError

    def silence(self, trouble: TransientError | None) -> None:
        """The cluster is well."""
        assert trouble is None, trouble


class Stopwatch:
    """When each of those who look noticed the end, in seconds of one clock."""

    def __init__(self) -> None:
        """Nobody has noticed yet."""
        self.at: dict[str, float] = {}
        self._errors: list[BaseException] = []

    @contextmanager
    def beside(self, look: Callable[[], None]) -> Iterator[None]:
        """Let somebody look on a thread; the block's end waits until the end is noticed."""

        def run() -> None:
            try:
                look()
                self.at[look.__name__] = time.monotonic()
            except BaseException as error:  # noqa: BLE001 - raised again below, in the test's thread
                self._errors.append(error)

        thread = threading.Thread(target=run, name=look.__name__)
        thread.start()
        yield
        thread.join()
        if self._errors:
            raise self._errors[0]


@pytest.mark.requirement("D3")
def test_the_end_of_a_rollout_is_noticed_as_soon_as_by_kubectl(
    plane: ControlPlane, tell: Callable[[str], None]
) -> None:
    """Both wait for the same rollouts, beside a watch that is open from before and knows when they ended."""
    arena = RealArena(plane)
    arena.seed([NAMESPACE], SERVICES_OF_BUZZY[:1])
    cluster = Connections(str(plane.kubeconfig))(None)
    rounds = [_lags(plane, cluster, f"3.2.{number}") for number in range(1, ROLLOUTS + 1)]
    plane.kubectl("delete", "namespace", "--wait=false", NAMESPACE)

    report = {name: _summary([each[name] for each in rounds]) for name in LOOKERS}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps({"rollouts": ROLLOUTS, "unit": "ms", **report}, indent=2) + "\n")
    tell(_table(report))
    assert report["buzzy"]["median"] <= report["kubectl"]["median"] + MARGIN_MS


def _lags(plane: ControlPlane, cluster: Cluster, version: str) -> dict[str, float]:
    """How many milliseconds after it could be seen each of them noticed the end of one rollout."""
    stopwatch = Stopwatch()
    before = cluster.deployment(NAMESPACE, SERVICE)
    new = with_image(before.template, SERVICE, f"buzzybuzz/{SERVICE}:{version}")
    with ExitStack() as looking:
        changes = looking.enter_context(_changes(plane, before.resource_version))
        written = cluster.write_template(NAMESPACE, TemplateWrite(before, new))
        step = RollOut(
            service=SERVICE,
            deployment=SERVICE,
            container=SERVICE,
            stable=read_template(before.template, SERVICE, None),
            new=read_template(written.template, SERVICE, None),
            deadline_seconds=60,
        )

        def buzzy() -> None:
            assert wait(step, written, Waiting(cluster)) is None

        def kubectl() -> None:
            plane.kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{SERVICE}", "--timeout=60s")

        def api() -> None:
            assert any(_has_ended(each, written.generation) for each in changes)

        for look in (api, kubectl, buzzy):
            looking.enter_context(stopwatch.beside(look))
    # Whoever is first shows that it was there to see: no lag is less than nothing.
    first = min(stopwatch.at.values())
    return {name: (at - first) * 1000 for name, at in stopwatch.at.items()}


@contextmanager
def _changes(plane: ControlPlane, version: str) -> Iterator[Iterator[Any]]:
    """The Deployment after each change, read as plainly as can be."""
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    asked = {"watch": "1", "resourceVersion": version, "fieldSelector": f"metadata.name={SERVICE}"}
    with plane._admin.stream("GET", path, params=asked, timeout=60) as answer:
        yield (json.loads(line)["object"] for line in answer.iter_lines())


def _has_ended(deployment: dict[str, Any], generation: int) -> bool:
    """Kubernetes' rule for the end of a rollout, with all three replicas."""
    status = deployment["status"]
    counts = [status.get(name) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return status["observedGeneration"] >= generation and counts == [deployment["spec"]["replicas"]] * 3


def _summary(lags: Sequence[float]) -> dict[str, float]:
    ordered = sorted(lags)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    found = {"min": ordered[0], "median": statistics.median(ordered), "p95": p95, "max": ordered[-1]}
    return {name: round(value, 1) for name, value in found.items()}


def _table(report: dict[str, dict[str, float]]) -> str:
    heads = list(next(iter(report.values())))
    lines = [f"\nms after the end, {ROLLOUTS} rollouts" + "".join(f"{head:>9}" for head in heads)]
    for name, values in report.items():
        lines.append(f"{LOOKERS[name]:<30}" + "".join(f"{values[head]:>9.1f}" for head in heads))
    return "\n".join(lines)
