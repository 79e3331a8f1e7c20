"""Whether a record is as it was written: what cannot be true of it, and what cannot be proven. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from releases import chain
from releases.chain import Problem
from releases.events import load_event
from releases.keeping import KeptRecord, KeptRelease
from releases.ledger import Head, Ledger, UnreadableLedgerError, number
from releases.lifecycle import IllegalEventError, Release, apply, begin


@dataclass(frozen=True)
class Verdict:
    """What was found. `notes` are no problems: what could not be proven, and why."""

    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: Verdict) -> Verdict:
        """Both."""
        return Verdict(self.problems + other.problems, self.notes + other.notes)


def of_record(record: KeptRecord) -> Verdict:
    """Every release's chain and life, their numbers and order, and the environments' histories."""
    problems = [problem for each in record.releases.values() for problem in _of_release(each, record)]
    problems += _numbers(record)
    problems += _openings(record)
    problems += _histories(record)
    return Verdict(tuple(problems), tuple(_notes(record)))


def of_ledger(ledger: Ledger, record: KeptRecord, namespace: str) -> Verdict:
    """What a namespace remembers against what the record has."""
    if ledger.installation != record.installation:
        what = f"the ledger in {namespace} is of another record: was this one lost? `buzzy record rebuild`"
        return Verdict((Problem("", 0, what),))
    problems, unknown = [], []
    if ledger.counter > record.counter:
        what = f"the ledger in {namespace} knows of {ledger.counter} releases, the record of {record.counter}"
        problems.append(Problem("", 0, what))
    for release, head in ledger.heads.items():
        kept = record.releases.get(release)
        if kept is not None:
            problems += _against(kept, head, namespace)
        elif record.was_lost(release):
            unknown.append(release)
        else:
            problems.append(Problem(release, 0, f"it is in the ledger in {namespace}, not in the record"))
    problems += _of_its_own(ledger, namespace)
    note = f"Of {len(unknown)} older releases the ledger in {namespace} has but the last hash."
    return Verdict(tuple(problems), (note,) if unknown else ())


def life(release: str, texts: Iterator[str] | list[str]) -> tuple[Release | None, Problem | None]:
    """The release that these events tell of, as far as they can be true, and where they cannot."""
    state: Release | None = None
    for position, text in enumerate(texts, 1):
        try:
            event = load_event(text)
            state = begin(release, event) if state is None else apply(state, event)
        except ValidationError:
            return state, Problem(release, position, "it cannot be read as an event")
        except IllegalEventError as error:
            return state, Problem(release, position, str(error))
    return state, None if state else Problem(release, 0, "it has no events")


def _of_release(kept: KeptRelease, record: KeptRecord) -> Iterator[Problem]:
    yield from chain.broken(kept.id, kept.lines, record.installation)
    state, problem = life(kept.id, [line.text for line in kept.lines])
    if problem is not None:
        yield problem
    if state is None:
        return
    if state.environment != kept.environment:
        yield Problem(kept.id, 1, f"it went to {state.environment}, and is kept under {kept.environment}")
    if problem is None and not state.ended and not kept.holds:
        what = f"it ends with a release that is {state.state}, and does not hold {kept.environment} any more"
        yield Problem(kept.id, state.position, f"{what}: something is cut off behind it")
    if state.ended and kept.holds:
        yield Problem(kept.id, state.position, f"it is {state.state}, and still holds {kept.environment}")


def _numbers(record: KeptRecord) -> Iterator[Problem]:
    for count in range(1, record.counter + 1):
        release = f"R{count}"
        if release not in record.releases and not record.was_lost(release):
            yield Problem(release, 0, "it was opened, and is not in the record any more")


def _openings(record: KeptRecord) -> Iterator[Problem]:
    """Each release's first event names that of the release before it."""
    was_proven = False
    for release in sorted(record.releases, key=number):
        lines = record.releases[release].lines
        if not lines:
            continue
        first = lines[0]
        expected = _before(record, release)
        if was_proven and not first.hash:
            yield Problem(release, 1, "it carries no hash, and earlier releases do")
        elif first.hash and expected and first.before not in expected:
            yield Problem(release, 1, "it was opened behind another release than the one before it here")
        was_proven = was_proven or bool(first.hash)


def _before(record: KeptRecord, release: str) -> tuple[str, ...]:
    """The hashes that a release may have been opened behind; none when that is not known any more."""
    count = number(release)
    before, rebuilt = f"R{count - 1}", record.rebuilt
    if rebuilt is not None and count == rebuilt.counter + 1:
        before = max(rebuilt.releases, key=number, default="R0")
    if before == "R0":
        return (chain.NOTHING,)
    kept = record.releases.get(before)
    if kept is None or not kept.lines:
        return ()
    first = next(chain.proven(before, kept.lines)).hash
    return (first,) if kept.lines[0].hash else (first, chain.NOTHING)


def _histories(record: KeptRecord) -> Iterator[Problem]:
    for environment, listed in record.listed.items():
        its_own = [each.id for each in record.releases.values() if each.environment == environment]
        if list(listed) != sorted(its_own, key=number):
            yield Problem("", 0, f"the history of {environment} does not list its releases in their order")


def _notes(record: KeptRecord) -> Iterator[str]:
    old = [each.id for each in record.releases.values() if each.lines and chain.unproven(each.lines)]
    if old:
        whole = [each for each in old if chain.unproven(record.releases[each].lines) == _length(record, each)]
        yield (
            f"{len(old)} releases begin with events that an earlier version wrote without a hash: an edit of "
            f"them from before does not show; {len(whole)} of them have no event with a hash at all."
        )
    if record.rebuilt is not None:
        lost = sum(record.was_lost(f"R{count}") for count in range(1, record.counter + 1))
        yield (
            f"The record was rebuilt from the cluster on {record.rebuilt.at:%d %b %Y}, with "
            f"{len(record.rebuilt.releases)} releases; of {lost} earlier numbers it has none."
        )


def _length(record: KeptRecord, release: str) -> int:
    return len(record.releases[release].lines)


def _against(kept: KeptRelease, head: Head, namespace: str) -> Iterator[Problem]:
    if len(kept.lines) < head.position:
        what = f"the record ends here, and the ledger in {namespace} remembers {head.position} events"
        yield Problem(kept.id, len(kept.lines), what)
    elif chain.head(kept.id, kept.lines[: head.position]) != head.hash:
        yield Problem(kept.id, head.position, f"the ledger in {namespace} remembers another event")


def _of_its_own(ledger: Ledger, namespace: str) -> Iterator[Problem]:
    """Whether the ledger itself holds."""
    for release in ledger.releases:
        head = ledger.heads.get(release)
        try:
            lines = ledger.lines(release)
        except UnreadableLedgerError as error:
            yield Problem(release, 0, f"{error} (in {namespace})")
            continue
        for problem in chain.broken(release, lines, ledger.installation):
            yield Problem(release, problem.position, f"in the ledger in {namespace}, {problem.what}")
        if head is None or head.position != len(lines) or chain.head(release, lines) != head.hash:
            yield Problem(release, len(lines), f"the ledger in {namespace} contradicts itself")
