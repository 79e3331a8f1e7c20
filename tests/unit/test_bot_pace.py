"""The pace at which Slack is spoken to."""

from __future__ import annotations

import pytest

from bot.relay.pace import BURST, EDIT_SECONDS, POSTS_PER_SECOND, Pace

BETWEEN = 1 / POSTS_PER_SECOND


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """At zero."""
    return Clock()


def test_a_channel_takes_a_burst_and_then_one_a_second(clock: Clock) -> None:
    """And another channel is not concerned."""
    pace = Pace(clock)
    for _ in range(int(BURST)):
        assert pace.before_post("C1") == 0
        pace.posted("C1")
    assert pace.before_post("C1") == pytest.approx(BETWEEN)
    assert pace.before_post("C2") == 0
    clock.now += BETWEEN
    assert pace.before_post("C1") == pytest.approx(0)
    pace.posted("C1")
    assert pace.before_post("C1") == pytest.approx(BETWEEN)
    clock.now += 100
    assert pace.before_post("C1") == 0


def test_a_story_leaves_room_for_a_new_releases_message(clock: Clock) -> None:
    """Lines of threads wait earlier than messages do."""
    pace = Pace(clock)
    while pace.before_post("C1", in_thread=True) == 0:
        pace.posted("C1")
    assert pace.before_post("C1") == 0


def test_a_message_is_edited_no_more_often_than_it_is_read(clock: Clock) -> None:
    """Each message for itself."""
    pace = Pace(clock)
    assert pace.before_edit("C1", "1.0") == 0
    pace.edited("C1", "1.0")
    assert pace.before_edit("C1", "1.0") == pytest.approx(EDIT_SECONDS)
    assert pace.before_edit("C1", "2.0") == 0
    clock.now += EDIT_SECONDS
    assert pace.before_edit("C1", "1.0") == 0


def test_what_slack_asks_for_holds_for_that_method_in_that_channel(clock: Clock) -> None:
    """Posts wait, edits do not, and other channels do not."""
    pace = Pace(clock)
    pace.hold("chat.postMessage", "C1", 30)
    assert pace.before_post("C1") == pytest.approx(30)
    assert pace.before_edit("C1", "1.0") == 0
    assert pace.before_post("C2") == 0
    pace.hold("chat.update", "C1", 3)
    assert pace.before_edit("C1", "1.0") == pytest.approx(3)
    clock.now += 30
    assert pace.before_post("C1") == 0
