"""Releases to make messages of: events as a worker and people would write them, on a clock of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from releases import events as e
from releases.lifecycle import Release, fold
from releases.plan import EnsureConfiguration, Plan, RollOut, Step, Template, verification
from releases.version import ReleaseType

MONDAY = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
ALICE, BOB, CAROL = (e.Actor(id=f"U0{name.upper()}", name=name) for name in ("alice", "bob", "carol"))
SERVICES = ("buzzy-main", "buzzy-api", "buzzy-files", "buzzy-worker")
TWO_APPROVALS = e.ApprovalNeeded(
    quorum=2, approvers=("S0APPROVERS",), own_release=False, expires_seconds=4 * 3600
)


def template(service: str, version: str, revision: int | None = None) -> Template:
    """A pod template that runs a version of a service."""
    image = f"buzzybuzz/{service}:{version}"
    spec = {"spec": {"containers": [{"name": service, "image": image}]}}
    return Template(image=image, version=version, revision=revision, spec=spec)


def roll_out(service: str, stable: str, new: str) -> RollOut:
    """The step of one service."""
    return RollOut(
        service=service,
        deployment=service,
        container=service,
        stable=template(service, stable, 4),
        new=template(service, new),
        deadline_seconds=300,
    )


def plan(
    *,
    services: tuple[str, ...] = SERVICES,
    stable: str = "3.2.0",
    new: str = "3.2.1",
    environment: str = "staging",
    kind: str = "release",
    warnings: tuple[str, ...] = (),
) -> Plan:
    """A rolling plan."""
    steps: list[Step] = [EnsureConfiguration(name=f"buzzy-{new}-1a2b3c", data={"LOG_LEVEL": "info"})]
    rollouts = [roll_out(service, stable, new) for service in services]
    return Plan(
        kind="rollback" if kind == "rollback" else "release",
        application="buzzy",
        environment=environment,
        namespace=f"buzzy-{environment}",
        strategy="rolling",
        stable=stable,
        new=new,
        type=None if kind == "rollback" else ReleaseType.PATCH,
        steps=(*steps, *rollouts, verification(rollouts)),
        warnings=warnings,
    )


def seen(
    service: str, ready: int, total: int = 3, *, version: str = "3.2.1", state: str = ""
) -> e.ServiceSeen:
    """One service as a worker saw it."""
    return e.ServiceSeen(
        service=service,
        image=f"buzzybuzz/{service}:{version}",
        version=version,
        ready=ready,
        total=total,
        state=state,
        healthy=not state,
    )


class Teller:
    """Writes events, ten seconds apart."""

    def __init__(self, planned: Plan | None = None, approval: e.ApprovalNeeded | None = None) -> None:
        """Nothing has happened yet."""
        self.plan = planned or plan()
        self.approval = approval
        self.now = MONDAY
        self.events: list[e.Event] = []

    def release(self, release_id: str = "R42") -> Release:
        """The release that the events tell of."""
        return fold(release_id, self.events)

    def passes(self, **time: float) -> Teller:
        """Let time pass before the next event."""
        self.now += timedelta(**time)
        return self

    def asked(self, *, reason: str | None = None, kind: str = "release") -> Teller:
        """Alice asks."""
        rollback = kind == "rollback"
        return self._add(
            e.ReleaseRequested(
                at=self.now,
                kind="rollback" if rollback else "release",
                environment=self.plan.environment,
                version=None if rollback else self.plan.new,
                strategy="rolling",
                reason=reason,
                by=ALICE,
                channel="C0STAGING",
                approval=self.approval,
            )
        )

    def planned(self, because: str | None = None) -> Teller:
        """A worker plans."""
        services = tuple(seen(step.service, 3, version=self.plan.stable) for step in self.plan.rollouts())
        return self._add(e.PlanProposed(at=self.now, plan=self.plan, seen=services, because=because))

    def approved(self, *people: e.Actor) -> Teller:
        """People approve; the last of a quorum approves the plan."""
        for by in people:
            self._add(e.ApprovalGiven(at=self.now, by=by, digest=self.plan.digest, via="reaction"))
        if self.approval is None or len(people) >= self.approval.quorum:
            self._add(e.Approved(at=self.now, digest=self.plan.digest))
        return self

    def started(self, *, steps: int = 0) -> Teller:
        """A worker starts, and finishes so many steps."""
        self._add(e.ReleaseStarted(at=self.now))
        for index in range(steps):
            self.begins(index).ends(index)
        return self

    def begins(self, index: int, *now: e.ServiceSeen) -> Teller:
        """A step begins, and is seen on its way."""
        self._add(e.StepStarted(at=self.now, index=index))
        return self._add(e.StepProgressed(at=self.now, index=index, seen=now)) if now else self

    def ends(self, index: int) -> Teller:
        """A step is done."""
        step = (*self.plan.steps, *self.release().way_back())[index]
        services = (
            (seen(step.service, 3, version=step.new.version or ""),) if isinstance(step, RollOut) else ()
        )
        return self._add(e.StepFinished(at=self.now, index=index, changed=True, seen=services))

    def happens(self, *events: e.Event) -> Teller:
        """Anything else."""
        for event in events:
            self._add(event)
        return self

    def _add(self, event: e.Event) -> Teller:
        self.events.append(event)
        self.now += timedelta(seconds=10)
        return self


def crash(index: int, service: str = "buzzy-api") -> tuple[e.StepFailed, e.ReleaseFailed]:
    """A step fails because a container crashes, and with it the release."""
    evidence = e.Evidence(
        service=service,
        pod=f"{service}-7c9f-x2x1z",
        reason="CrashLoopBackOff",
        message="back-off 10s restarting failed container",
        log=("starting", "Error: no such table: exports", "exit 1"),
        events=("Back-off restarting failed container",),
    )
    at = MONDAY + timedelta(minutes=5)
    failed = e.StepFailed(
        at=at,
        index=index,
        reason=f"{service} crashes at start (exit code 1)",
        evidence=(evidence,),
        seen=(seen(service, 1, state="1 crashing"),),
    )
    return failed, e.ReleaseFailed(at=at, reason=failed.reason, changed=("buzzy-main", service))
