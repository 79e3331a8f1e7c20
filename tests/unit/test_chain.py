"""The chain of hashes: what it covers, how it is kept, and what of it holds without any."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releases import chain, ledger
from releases import events as e
from releases.chain import Line
from releases.ledger import Head, Ledger, UnreadableLedgerError, packed, read_ledger, texts, unpacked
from tests.unit.workers_things import T0, past, requested

RELEASE = past(1, {"main": ("3.2.0", "3.2.1")})
EVENTS: list[e.Event] = [
    requested(),
    e.ReplanRequested(at=T0, because='a line break\nand "quotes" and {braces} and ü'),
    e.PlanRefused(at=T0, reason="no"),
]
TEXTS = [chain.text_of(event) for event in EVENTS]
FIRST = chain.opening("us", "R1", chain.NOTHING, TEXTS[0])
LINES = (FIRST, *chain.chained(FIRST.hash, TEXTS[1:]))


@pytest.mark.requirement("Q4")
def test_a_line_is_read_as_it_was_kept() -> None:
    """With and without hashes, whatever the event says."""
    for line in (*LINES, *(Line(text) for text in TEXTS)):
        assert chain.read_line(line.stored()) == line
        assert "\n" not in line.stored()
    assert [e.load_event(line.text) for line in LINES] == EVENTS


@pytest.mark.requirement("Q4")
@settings(deadline=None)  # a busy machine is no failure
@given(st.text(), st.integers(min_value=0, max_value=2), st.integers(min_value=0))
def test_any_change_of_any_event_breaks_the_chain_there(text: str, index: int, at: int) -> None:
    """Whatever is put at whatever place of an event's text."""
    line = LINES[index]
    place = at % (len(line.text) + 1)
    changed = line.text[:place] + text + line.text[place + len(text) :]
    spoiled = [*LINES[:index], Line(changed, line.hash, line.before), *LINES[index + 1 :]]
    found = chain.broken("R1", spoiled, "us")
    assert bool(found) is (changed != line.text)
    assert {problem.position for problem in found} <= {index + 1}


@pytest.mark.requirement("Q4")
def test_the_first_event_is_bound_to_its_release_its_installation_and_the_one_before() -> None:
    """The same events under another number, in another record, or behind another release do not hold."""
    assert chain.broken("R1", LINES, "us") == ()
    assert chain.broken("R2", LINES, "us") != ()
    assert chain.broken("R1", LINES, "them") != ()
    assert chain.broken("R1", [Line(FIRST.text, FIRST.hash, "1" * 64), *LINES[1:]], "us") != ()


@pytest.mark.requirement("Q4")
def test_what_was_written_without_hashes_is_covered_by_what_comes_behind_it() -> None:
    """The head of old events is the one that they would have had, so the next is chained to all of them."""
    old = [Line(text) for text in TEXTS[:2]]
    mixed = [*old, *chain.chained(chain.head("R1", old), TEXTS[2:])]
    assert chain.broken("R1", mixed, "us") == ()
    assert chain.unproven(mixed) == 2
    spoiled = [Line(TEXTS[0].replace("alice", "mallory")), *mixed[1:]]
    assert [problem.position for problem in chain.broken("R1", spoiled, "us")] == [3]
    assert [problem.position for problem in chain.broken("R1", [*mixed, old[0]], "us")] == [4]


def book(count: int, size: int = 10) -> Ledger:
    """A ledger of so many releases, each so many bytes."""
    heads = {f"R{number}": Head(number, f"{number:064d}") for number in range(1, count + 1)}
    return Ledger("us", "staging", count, heads, dict.fromkeys(heads, b"x" * size))


@pytest.mark.requirement("Q5")
def test_a_ledger_is_read_as_it_was_written() -> None:
    """Texts, heads in any number, and the events of each release."""
    before = Ledger("us", "staging", 7, {"R1": Head(3, LINES[-1].hash)}, {"R1": packed(LINES)})
    after = read_ledger(texts(before), before.releases)
    assert after == before
    assert after.lines("R1") == LINES
    assert Ledger("us", "staging") == read_ledger(texts(Ledger("us", "staging")), {})


@pytest.mark.requirement("Q5")
def test_a_ledger_keeps_to_its_bounds_and_drops_the_oldest_first() -> None:
    """In bytes and in releases; heads outlast the events, and are bounded as well."""
    by_bytes = book(12, ledger.MOST_BYTES // 10).bounded()
    assert list(by_bytes.releases) == [f"R{number}" for number in range(12, 2, -1)]
    assert len(by_bytes.heads) == 12
    by_number = book(ledger.MOST_HEADS + 5).bounded()
    assert len(by_number.releases) == ledger.MOST_RELEASES
    assert (min(map(ledger.number, by_number.heads)), len(by_number.heads)) == (6, ledger.MOST_HEADS)
    assert book(1, ledger.MOST_BYTES + 1).bounded().releases == {}
    whole = texts(by_number)
    assert sum(map(len, whole.values())) + ledger.MOST_BYTES < 1_000_000


@pytest.mark.requirement("Q5")
@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"format": "2"},
        {"format": "1"},
        {**texts(book(1)), "heads": "R1"},
        {**texts(book(1)), "counter": "x"},
    ],
    ids=["nothing", "a later format", "half", "a torn line", "no number"],
)
def test_what_is_no_ledger_is_told_apart(parts: dict[str, str]) -> None:
    """It is never taken for an empty one, which would be written over."""
    with pytest.raises(UnreadableLedgerError):
        read_ledger(parts, {})


@pytest.mark.requirement("Q5")
@pytest.mark.parametrize(
    "part", [b"", b"no xz", packed(LINES)[:-10], packed(LINES)[:40]], ids=["empty", "no xz", "torn", "short"]
)
def test_events_that_cannot_be_unpacked_are_told(part: bytes) -> None:
    """By the release's name."""
    with pytest.raises(UnreadableLedgerError, match="R1"):
        unpacked("R1", part)


@pytest.mark.requirement("Q5")
def test_what_the_cluster_should_know() -> None:
    """That a release starts, turns back, and how it ended, if it had started; nothing in between."""
    assert ledger.concerns(RELEASE, [e.ReleaseStarted(at=T0)])
    assert ledger.concerns(
        RELEASE, [e.TurnedBack(at=T0, steps=(), because="?"), e.StepStarted(at=T0, index=0)]
    )
    assert ledger.concerns(RELEASE, [e.ReleaseFinished(at=T0)])
    under_way = past(1, {"main": ("3.2.0", "3.2.1")}, end="under way")
    assert not ledger.concerns(under_way, [e.StepStarted(at=T0, index=0)])
