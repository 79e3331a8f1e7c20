"""What people see of a blue-green release: no traffic yet, the switch, what stands by, and the way back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.messages.alert import alert_message, resolved_message
from bot.messages.plan import plan_message
from bot.messages.release import release_message
from bot.messages.status import EnvironmentNow, status_message
from bot.messages.thread import thread_message
from bot.relay.story import tale_of
from releases import events as e
from releases.blue_green import Follow, Keep, Look, Prepare, Preview, Slot, Switch, VerifyGreen, Watch
from releases.lifecycle import Release, State
from releases.plan import Plan
from releases.snapshot import KeptSeen, Snapshot
from tests.unit.bot_reading import button_labels, read
from tests.unit.bot_tales import MONDAY, Teller, plan, seen, template

NAMES = ("buzzy-main", "buzzy-api")


def blue_green(stable: str = "3.2.0", new: str = "3.2.1") -> Plan:
    """The plan of two services."""
    prepares = [
        Prepare(
            service=name,
            deployment=f"{name}-green",
            container=name,
            like=name,
            labels={"app": f"{name}-green"},
            stable=None,
            new=template(name, new),
            deadline_seconds=300,
        )
        for name in NAMES
    ]
    switches = [
        Switch(
            service=name,
            name=name,
            container=name,
            leaves=Slot(deployment=name, selector={"app": name}),
            to=Slot(deployment=f"{name}-green", selector={"app": f"{name}-green"}),
            stable=template(name, stable),
            new=template(name, new),
            deadline_seconds=300,
        )
        for name in NAMES
    ]
    digests = {step.service: step.new.digest for step in switches}
    names = {step.service: step.deployment for step in switches}
    looks = tuple(Look(name=f"{name}-preview", like=name, selector={}) for name in NAMES)
    steps = (
        *prepares,
        Preview(looks=looks),
        VerifyGreen(deployments=digests, names=names),
        *switches,
        Follow(service=NAMES[0], name="scaler", leaves=NAMES[0], to=f"{NAMES[0]}-green"),
        Watch(seconds=300, deployments=digests, names=names),
        *(Keep(service=name, deployment=name, seconds=600) for name in NAMES),
    )
    return plan(stable=stable, new=new).model_copy(update={"strategy": "blue-green", "steps": steps})


def begun(steps: int) -> Teller:
    """A release that has done so many steps."""
    teller = Teller(blue_green()).asked().planned().approved().happens(e.ReleaseStarted(at=MONDAY))
    for index in range(steps):
        teller.happens(
            e.StepStarted(at=teller.now, index=index),
            e.StepFinished(at=teller.now, index=index, changed=True),
        )
    return teller


def lines(release: Release) -> list[str]:
    """The lines of a release's message."""
    return read(release_message(release, "buzzy")).split("\n")


@pytest.mark.requirement("C2", "D2")
@pytest.mark.parametrize(
    ("done", "says"),
    [
        (0, "preparing 1 of 2, without traffic"),
        (1, "preparing 2 of 2, without traffic"),
        (2, "validating what is prepared, without traffic"),
        (3, "validating what is prepared, without traffic"),
        (4, "switching traffic, 1 of 2"),
        (5, "switching traffic, 2 of 2"),
        (6, "autoscalers follow the traffic"),
        (7, "all traffic is switched, watching for 5 min"),
        (8, "keeping what was before"),
    ],
)
def test_the_first_line_says_whether_anybody_is_served_by_it(done: int, says: str) -> None:
    """In the words of the person who waits."""
    assert says in lines(begun(done).release())[0]


@pytest.mark.requirement("C2", "D2")
def test_bars_show_what_is_prepared_before_it_has_traffic() -> None:
    """A service's bar is that of its new pods from the moment on in which they are made."""
    teller = begun(1)
    teller.begins(1, seen("buzzy-api", 1, version="3.2.1", state="2 starting"))
    shown = lines(teller.release())
    assert any("buzzy-main" in line and "prepared, no traffic yet" in line for line in shown)
    assert "buzzy-api   ███░░░░░░░ 1/3  3.2.1  2 starting" in shown


@pytest.mark.requirement("D2", "X1")
def test_a_plan_shows_what_each_write_changes() -> None:
    """Both Deployments, the one label of each Service, the autoscaler; and the way back."""
    text = read(plan_message(blue_green(), copy="/buzzy release 3.2.1 staging"))
    assert "Deployment buzzy-api-green: made like buzzy-api, but for" in text
    assert "spec.containers[buzzy-api].image: buzzybuzz/buzzy-api:3.2.0 → buzzybuzz/buzzy-api:3.2.1" in text
    assert "spec.selector.app: buzzy-api → buzzy-api-green" in text
    assert "spec.scaleTargetRef.name: buzzy-main → buzzy-main-green" in text
    assert "autoscaler scaler follows to buzzy-main" in text.split("Way back")[1]
    assert "buzzy-main: traffic to 3.2.0, in buzzy-main" in text.split("Way back")[1]


def gone_back() -> Release:
    """A release that failed while it was watched, and is back by itself."""
    teller = begun(7)
    teller.happens(
        e.StepStarted(at=teller.now, index=7),
        e.StepFailed(at=teller.now, index=7, reason="buzzy-api crashes at start (exit code 1)."),
    )
    back = teller.release().way_back()
    teller.happens(
        e.TurnedBack(at=teller.now, steps=back, because="buzzy-api crashes at start.", by_itself=True)
    )
    teller.happens(e.RolledBack(at=teller.now))
    return teller.release()


@pytest.mark.requirement("D2")
def test_what_went_back_by_itself_says_so_and_wakes_on_call() -> None:
    """Nothing is left to roll back, and the alert says what runs."""
    release = gone_back()
    assert release.by_itself
    assert "rolled back to 3.2.0 by itself in" in lines(release)[0]
    alert = alert_message(release, "buzzy", "S0ONCALL", None)
    text = read(alert)
    assert "@S0ONCALL" in text
    assert "buzzy-api crashes at start" in text
    assert "It went back by itself: 3.2.0 runs as before." in text
    assert button_labels(alert) == []
    assert "crashes at start" in read(resolved_message(release, "buzzy", release, None))


@pytest.mark.requirement("D2")
def test_what_somebody_stopped_did_not_go_back_by_itself() -> None:
    """Nobody is woken for it."""
    teller = begun(5)
    teller.happens(e.AbortRequested(at=teller.now, by=e.BUZZY))
    teller.happens(e.TurnedBack(at=teller.now, steps=teller.release().way_back(), because="stopped"))
    release = teller.happens(e.RolledBack(at=teller.now)).release()
    assert release.state is State.ROLLED_BACK
    assert not release.by_itself
    assert "stopped, and back at 3.2.0" in lines(release)[0]


@pytest.mark.requirement("C2", "D2")
def test_steps_that_only_look_are_not_told_as_done_already() -> None:
    """Validating and watching change nothing in any case."""
    teller = begun(3)
    teller.happens(
        e.StepStarted(at=teller.now, index=3),
        e.StepFinished(at=teller.now + timedelta(seconds=1), index=3, changed=False),
    )
    tale = tale_of("R42", teller.events)
    last = thread_message(tale.states[-1], tale.events[-1], "buzzy")
    assert last is not None
    assert "all of it validated" in read(last)
    assert "already" not in read(last)


@pytest.mark.requirement("C5", "X9")
def test_status_says_until_when_going_back_is_one_switch() -> None:
    """The earliest of all services counts; without anything that stands by it says nothing of it."""
    until = MONDAY + timedelta(minutes=10)
    kept = [
        KeptSeen(service=name, version="3.2.0", until=until + timedelta(seconds=number))
        for number, name in enumerate(NAMES)
    ]
    snapshot = Snapshot(environment="staging", at=MONDAY, services=(seen("buzzy-main", 3),), kept=tuple(kept))
    now = EnvironmentNow("staging", snapshot, None, ())
    text = read(status_message((now,), MONDAY, ending="As seen just now."))
    assert "3.2.0 stands by until <2026-11-23 14:10 UTC>: going back is one switch" in text
    none = EnvironmentNow("staging", snapshot.model_copy(update={"kept": ()}), None, ())
    assert "stands by" not in read(status_message((none,), MONDAY, ending=""))
