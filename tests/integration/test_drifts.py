"""The memory of drift in a real Redis: each is told once, whoever dies between which lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from releases.latest import Newest
from releases.notices import InStep, Notice
from releases.record import RecordUnavailableError, Store
from releases.record.closures import Closures
from releases.record.drifts import Drifts
from releases.record.rounds import Rounds

MONDAY = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
LACKS = ("api asks for 1 pod, production for 3",)


def note(store: Store, differences: tuple[str, ...], minutes: float = 0) -> None:
    """A look has found this."""
    at = MONDAY + timedelta(minutes=minutes)
    Drifts(store).note("standby", "C0DR", "production", differences, at)


def told(store: Store) -> list[str]:
    """What the channel was told."""
    return [each.notice for each in Closures(store).notices()]


@pytest.mark.requirement("S3", "Q1")
@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_drift_is_told_once_although_the_worker_dies_there(
    store: Store, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    """Right before or right after its channel is told, at the beginning and at the end; others look again."""
    once: Callable[[Closures, str, int, Sequence[Notice]], None] = Closures.once

    def dying(closures: Closures, name: str, seconds: int, notices: Sequence[Notice]) -> None:
        monkeypatch.setattr(Closures, "once", once)
        if dies == "after":
            once(closures, name, seconds, notices)
        raise RecordUnavailableError("the worker died")

    for differences, minutes in ((LACKS, 0), ((), 20)):
        monkeypatch.setattr(Closures, "once", dying)
        with pytest.raises(RecordUnavailableError):
            note(store, differences, minutes)
        note(store, differences, minutes + 5)
        note(store, differences, minutes + 10)
    assert told(store) == ["drifted", "in_step"]
    over = Closures(store).notices()[-1]
    assert isinstance(over, InStep)
    assert over.since == MONDAY


@pytest.mark.requirement("S3")
def test_what_differs_may_change_while_it_lasts(store: Store) -> None:
    """The newest is shown, since when it first was; the channel is told no more of it."""
    note(store, LACKS)
    note(store, ("api is not there",), minutes=5)
    found = Drifts(store).of("standby")
    assert found is not None
    assert (found.differences, found.since) == (("api is not there",), MONDAY)
    assert told(store) == ["drifted"]


def test_what_cannot_be_read_is_as_if_nobody_had_looked(store: Store) -> None:
    """Somebody wrote into Redis; the next look mends it."""
    note(store, LACKS)
    Rounds(store).found("staging", Newest(at=MONDAY, version="3.2.1"))
    for key in (store.key("drift", "standby"), store.key("newest", "staging")):
        store.call("SET", key, "{")
    assert Drifts(store).of("standby") is None
    assert Rounds(store).newest("staging") is None
    note(store, LACKS, minutes=5)
    assert told(store) == ["drifted"]
