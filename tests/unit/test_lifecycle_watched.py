"""A release that is watched: what was measured, who decided, and what follows from a failure."""

from __future__ import annotations

from datetime import timedelta

import pytest

from releases import events as e
from releases.blue_green import Keep
from releases.database import Migrate, Migration, Task
from releases.lifecycle import IllegalEventError, Release, State, StepStatus, apply
from releases.monitoring import Monitor, Reading, Trigger, Verdict
from releases.plan import Step
from releases.validation import HttpCheck, Validate
from tests.unit.bot_tales import BOB, MONDAY, Teller, plan
from workers.failing import after_failure
from workers.resting import rest_of
from workers.steps import Failed

HEALTH = Trigger(kind="health", name="health")
STAYS = Migration(id="0042-orders", reversible=False)
TASK = Task(image="buzzybuzz/migrations:3.2.1", deadline_seconds=60)
ERRORS = Trigger(kind="query", name="error rate", above=0.02, query="q")


def watched(*, every: int = 30, on_failure: bool = True) -> Release:
    """A release at the step that watches."""
    made = plan()
    step = Monitor(
        window_seconds=900, every_seconds=every, triggers=(HEALTH, ERRORS), deployments={}, names={}
    )
    made = made.model_copy(
        update={"steps": (*made.steps, step), "on_failure": "rollback" if on_failure else None}
    )
    last = len(made.steps) - 1
    return Teller(made).asked().planned().approved().started(steps=last).begins(last).release()


def reading(verdict: Verdict) -> Reading:
    """How the error rate stands."""
    return Reading(trigger="error rate", verdict=verdict)


@pytest.mark.requirement("M1")
def test_what_was_measured_once_is_remembered() -> None:
    """The newest readings, when they were told, and of which triggers anything could be said."""
    release = watched()
    assert release.watching is not None
    index, _, began = release.watching
    assert release.steps[index].status is StepStatus.RUNNING
    assert (release.readings, release.measured) == ((), frozenset())
    at = began + timedelta(minutes=1)
    release = apply(release, e.Monitored(at=at, index=index, readings=(reading(Verdict.PASSED),)))
    release = apply(release, e.Monitored(at=at, index=index, readings=(reading(Verdict.ERROR),)))
    assert (release.measured, release.monitored_at) == (frozenset({"error rate"}), at)
    assert release.readings[0].verdict is Verdict.ERROR
    again = apply(release, e.StepStarted(at=at, index=index))
    assert again.watching == (index, release.steps[index].step, began)
    assert again.measured == release.measured


@pytest.mark.requirement("B2", "Q1")
def test_a_person_decides() -> None:
    """It waits, holds its environment, and ends well or takes its way back; nothing else can happen."""
    release = watched()
    index = release.next_index
    assert index is not None
    asking = apply(release, e.DecisionAsked(at=MONDAY, index=index, because="?"))
    assert (asking.state, asking.ended) == (State.UNDECIDED, False)
    assert apply(apply(asking, e.DecisionReminded(at=MONDAY)), e.DecisionReminded(at=MONDAY)).reminders == 2
    good = apply(asking, e.MonitorSettled(at=MONDAY, by=BOB, via="button"))
    assert (good.state, good.next_index, good.undecided) == (State.RUNNING, None, None)
    stopped = apply(asking, e.AbortRequested(at=MONDAY, by=BOB))
    assert stopped.state is State.ABORTING
    assert stopped.way_back()
    for event in (e.ReleaseFinished(at=MONDAY), e.StepStarted(at=MONDAY, index=0)):
        with pytest.raises(IllegalEventError):
            apply(asking, event)
    with pytest.raises(IllegalEventError):
        apply(release, e.MonitorSettled(at=MONDAY, by=BOB, via="button"))


@pytest.mark.requirement("B1", "X9")
def test_what_follows_a_failure() -> None:
    """What is ill goes back by itself or asks, what could not be seen stops; a way back is not turned."""
    release = watched()
    index = release.next_index
    assert index is not None
    ill, unseen = Failed("error rate 4.8 %", ill=True), Failed("it could not be seen")
    failed, turned = after_failure(release, index, ill, (), MONDAY)
    assert isinstance(failed, e.StepFailed)
    assert isinstance(turned, e.TurnedBack)
    assert (turned.by_itself, turned.because) == (True, "error rate 4.8 %.")
    assert turned.steps == release.way_back()
    back = apply(apply(release, failed), turned)
    assert back.by_itself
    events = after_failure(back, back.next_index or 0, ill, (), MONDAY)
    assert [event.event for event in events] == ["step_failed", "release_failed"]
    assert [event.event for event in after_failure(release, index, unseen, (), MONDAY)] == [
        "step_failed",
        "release_failed",
    ]
    asks = watched(on_failure=False)
    assert [event.event for event in after_failure(asks, index, ill, (), MONDAY)] == ["decision_asked"]
    stopping = apply(release, e.AbortRequested(at=MONDAY, by=BOB))
    assert [event.event for event in after_failure(stopping, index, ill, (), MONDAY)] == ["step_failed"]


def asked_back(release: Release, index: int, failed: Failed) -> bool:
    """Whether it goes back by itself when that step fails so."""
    return any(isinstance(each, e.TurnedBack) for each in after_failure(release, index, failed, (), MONDAY))


@pytest.mark.requirement("B1", "X1", "T3")
def test_who_goes_back_by_itself() -> None:
    """Rolling: what was seen to be ill, where the plan says so. Blue-green: whatever fails, until the end."""
    ill, unseen = Failed("The suite smoke failed", ill=True), Failed("it could not be seen")
    made = plan()
    suite = Validate(suite="smoke", version="3.2.1", http=HttpCheck(url="http://x/", deadline_seconds=60))
    keep = Keep(service="buzzy-main", deployment="buzzy-main", seconds=600)
    last = len(made.steps)

    def failing(strategy: str, on_failure: str | None, *more: Step, kind: str = "release") -> Release:
        steps = (*made.steps, *more)
        changed = {"steps": steps, "strategy": strategy, "on_failure": on_failure, "kind": kind}
        teller = Teller(made.model_copy(update=changed)).asked().planned().approved()
        return teller.started(steps=len(steps) - 1).begins(len(steps) - 1).release()

    assert asked_back(failing("rolling", "rollback", suite), last, ill)
    assert not asked_back(failing("rolling", "rollback", suite), last, unseen)
    assert not asked_back(failing("rolling", None, suite), last, ill)
    assert asked_back(failing("blue-green", None, suite), last, unseen)
    assert not asked_back(failing("blue-green", None, suite, keep), last + 1, ill)
    assert not asked_back(failing("blue-green", "rollback", suite, kind="rollback"), last, ill)
    down = Migrate(direction="up", version="3.2.1", migrations=(STAYS,), task=TASK)
    assert not asked_back(failing("blue-green", None, down, suite), last + 1, ill)
    assert not asked_back(failing("rolling", "rollback", down, suite), last + 1, ill)
    undone = down.model_copy(update={"migrations": (STAYS.model_copy(update={"reversible": True}),)})
    assert asked_back(failing("rolling", "rollback", undone, suite), last + 1, ill)
    assert not asked_back(failing("rolling", "rollback", undone), last, ill)


@pytest.mark.requirement("Q1")
def test_when_no_worker_is_needed() -> None:
    """Between two looks, and while a person is asked; looks that follow each other closely are one job."""
    assert rest_of(watched(every=30)) == 26
    assert rest_of(watched(every=600)) == 26
    assert rest_of(watched(every=10)) == 6
    assert rest_of(watched(every=2)) is None
    release = watched()
    asked = e.DecisionAsked(at=MONDAY, index=release.next_index or 0, because="?")
    assert rest_of(apply(release, asked)) == 26
    assert rest_of(Teller().asked().planned().approved().started().release()) is None


def test_records_from_before_are_read() -> None:
    """Events that were written without what is new mean what they meant."""
    old = '{"event":"turned_back","at":"2026-11-23T14:00:00Z","steps":[],"because":"bob stopped it."}'
    event = e.load_event(old)
    assert isinstance(event, e.TurnedBack)
    assert not event.by_itself
    assert "on_failure" not in plan().model_dump(exclude_defaults=True)
    made = plan()
    assert made.digest == made.model_copy(update={"on_failure": None}).digest
    assert made.digest != made.model_copy(update={"on_failure": "rollback"}).digest
