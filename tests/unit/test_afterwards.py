"""What was released is looked at for a while: for how long, and what is told of what trips then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.messages.notices import notice_message
from bot.messages.release import release_message
from releases import events as e
from releases.config import ConfigError, parse_config
from releases.lifecycle import Release, fold
from releases.monitoring import Monitor, Trigger
from releases.notices import Tripped, load_notice
from tests.unit.bot_reading import read
from tests.unit.workers_things import T0, history, plan, requested, rollout, scene
from workers.afterwards import watched_on
from workers.planning.monitoring import monitor

HOUR = 3600
EARLIER = "b7f0fdf2cfffcc41995c076d2b7b823034f166a6ca29fe44766caf9aafc75b8d"
"""The digest of a plan that watches, as versions made it that knew of no time after that."""

STEP = Monitor(
    window_seconds=60,
    every_seconds=10,
    after_seconds=HOUR,
    triggers=(Trigger(kind="health", name="health"),),
    deployments={},
    names={},
)


def ended(step: Monitor = STEP, *, kind: str = "release", good: bool = True) -> Release:
    """A release with a monitor, that has ended just now."""
    made = plan(rollout("api", "3.2.0", "3.2.1"), kind=kind)
    made = made.model_copy(update={"steps": (*made.steps, step)})
    end: e.Event = e.ReleaseFinished(at=T0) if good else e.ReleaseFailed(at=T0, reason="?")
    return fold(
        "R7",
        [
            requested(kind),
            e.PlanProposed(at=T0, plan=made),
            e.Approved(at=T0, digest=made.digest),
            e.ReleaseStarted(at=T0),
            end,
        ],
    )


@pytest.mark.requirement("M1")
@pytest.mark.parametrize(
    ("release", "seconds", "expected"),
    [
        pytest.param(ended(), 0, True, id="just now"),
        pytest.param(ended(), HOUR - 1, True, id="within the time"),
        pytest.param(ended(), HOUR, False, id="over"),
        pytest.param(ended(STEP.model_copy(update={"after_seconds": 0})), 0, False, id="not asked for"),
        pytest.param(ended(kind="rollback"), 0, False, id="a rollback"),
        pytest.param(ended(good=False), 0, False, id="one that failed"),
    ],
)
def test_for_how_long_a_release_is_looked_at(release: Release, seconds: int, *, expected: bool) -> None:
    """As its plan says, from its end on."""
    assert (watched_on(release, T0 + timedelta(seconds=seconds)) is not None) is expected


@pytest.mark.requirement("M1", "Q1")
def test_the_file_says_it_and_plans_of_earlier_versions_keep_their_digest() -> None:
    """Without it, nothing of the plan is another."""
    text = """
services: [{name: main, image: buzzybuzz/main}]
environments:
  staging: {namespace: a, channel: C0A, monitor: {window: 1m%s}}
"""
    steps = [rollout("main", "3.2.0", "3.2.1")]
    given = monitor(scene(history("main", "3.2.0"), config=text % ", after: 1h"), steps)
    left_out = monitor(scene(history("main", "3.2.0"), config=text % ""), steps)
    assert given is not None
    assert left_out is not None
    assert (given.after_seconds, left_out.after_seconds) == (HOUR, 0)
    with pytest.raises(ConfigError, match="after"):
        parse_config(text % ", after: soon")
    silent = STEP.model_copy(update={"after_seconds": 0})
    known = plan(rollout("api", "3.2.0", "3.2.1")).model_copy(update={"steps": (silent,)})
    assert known.digest == EARLIER
    assert known.model_copy(update={"steps": (STEP,)}).digest != EARLIER
    assert STEP.title == "watched for 1 min, and 60 min once it is released: health"


TRIPPED = Tripped(
    at=T0 + timedelta(minutes=30),
    channel="C0ONCALL",
    environment="staging",
    release="R7",
    version="3.2.1",
    stable="3.2.0",
    released_at=T0,
    trigger="error rate",
    reason="error rate 4.8 % (limit 2 %) for 1 min",
    on_call="S0ONCALL",
    evidence=(e.Evidence(service="api", pod="api-1", reason="Error", log=("it broke",)),),
)


@pytest.mark.requirement("M1", "M3")
def test_an_alert_says_that_nothing_happens_by_itself_and_how_to_go_back() -> None:
    """With the pods' words, a button and a line; it is read back as it was written."""
    shown = read(notice_message(TRIPPED))
    assert "🚨 staging · error rate 4.8 % (limit 2 %) for 1 min · R7 (3.2.1)" in shown
    assert "It does not go back by itself any more." in shown
    assert "/buzzy rollback staging" in shown
    assert "it broke" in shown
    assert "Roll back" in shown
    assert load_notice(TRIPPED.model_dump_json()) == TRIPPED


@pytest.mark.requirement("M1")
def test_the_message_of_a_release_says_until_when_it_is_watched() -> None:
    """Only where it is."""
    assert "watched until" in read(release_message(ended(), "buzzy"))
    silent = ended(STEP.model_copy(update={"after_seconds": 0}))
    assert "watched until" not in read(release_message(silent, "buzzy"))
