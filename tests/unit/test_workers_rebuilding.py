"""What a rebuild puts back, from ledgers and annotations; judged before anything is touched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from releases import chain
from releases import events as e
from releases.chain import Line
from releases.ledger import Ledger, head_of, packed
from releases.plan import digest_of
from tests.unit.workers_things import ALICE, T0, history, plan, requested, rollout, scene
from workers.marks import RELEASE, TEMPLATE
from workers.rebuilding import Memory, NotRebuiltError, recover, story

START = plan(rollout("main", "3.2.0", "3.2.1"))


def lines(release: str, *, ended: bool = True, environment: str = "staging") -> tuple[Line, ...]:
    """A release's events, with their hashes."""
    asked = requested().model_copy(update={"environment": environment})
    happened: list[e.Event] = [
        e.PlanProposed(at=T0, plan=START),
        e.ApprovalGiven(at=T0, by=ALICE, digest=START.digest, via="button"),
        e.Approved(at=T0, digest=START.digest),
        e.ReleaseStarted(at=T0),
        *([e.ReleaseFinished(at=T0)] if ended else []),
    ]
    first = chain.opening("us", release, chain.NOTHING, chain.text_of(asked))
    return (first, *chain.chained(first.hash, [chain.text_of(event) for event in happened]))


def memory(
    *kept: tuple[str, tuple[Line, ...]],
    environment: str = "staging",
    installation: str = "us",
    counter: int = 0,
    marked: str = "",
) -> Memory:
    """What an environment's namespace remembers, its services marked as put there by a release."""
    tags = {service: history(service, "3.1.4", "3.2.1") for service in ("main", "api", "worker")}
    if marked:
        serving = tags["main"].deployment
        assert serving is not None
        annotations = {RELEASE: marked, TEMPLATE: digest_of(serving.template)[:16]}
        tags["main"] = history("main", "3.1.4", "3.2.1", annotations=annotations)
    releases = dict(kept)
    ledger = Ledger(
        installation,
        environment,
        counter,
        {release: head_of(release, its_own) for release, its_own in releases.items()},
        {release: packed(its_own) for release, its_own in releases.items()},
    )
    return Memory(environment, ledger if kept or counter else None, scene(*tags.values()).observed)


@pytest.mark.requirement("Q5")
def test_releases_are_put_back_by_environment_and_the_newest_goes_on() -> None:
    """In their order; what had not ended holds its environment; news of it is looked up in Slack."""
    here = memory(("R10", lines("R10", ended=False)), ("R9", lines("R9")), counter=10)
    there = memory(("R4", lines("R4", environment="production")), environment="production", counter=8)
    recovery = recover([here, there], T0 + timedelta(days=1))
    assert [(each.environment, list(each.releases), each.under_way) for each in recovery.environments] == [
        ("production", ["R4"], None),
        ("staging", ["R9", "R10"], "R10"),
    ]
    assert [each.tell for each in recovery.environments] == [(), ("R10",)]
    assert recovery.opened == lines("R10")[0].hash
    assert recovery.installation == "us"
    just_now = recover([here, there], T0 + timedelta(minutes=5))
    assert [each.tell for each in just_now.environments] == [("R4",), ("R10",)]


@pytest.mark.requirement("Q5")
@pytest.mark.parametrize(
    ("memories", "known", "counter"),
    [
        ([memory(("R3", lines("R3")), counter=7), memory(environment="production")], 7, 9),
        ([memory(("R3", lines("R3")), counter=2)], 3, 4),
        ([memory(marked="R41")], 41, 42),
        ([memory(marked="not ours")], 0, 0),
        ([memory()], 0, 0),
    ],
    ids=["the counter", "a release", "an annotation", "somebody else's annotation", "nothing"],
)
def test_no_number_is_given_twice(memories: list[Memory], known: int, counter: int) -> None:
    """Behind whatever names the highest, with room for one release an environment that nobody remembers."""
    recovery = recover(memories, T0)
    assert (recovery.known, recovery.counter) == (known, counter)


@pytest.mark.requirement("Q5")
def test_what_no_ledger_has_is_shown_as_it_runs_and_not_made_up() -> None:
    """The release is named as the annotation names it; there is no history."""
    memories = [memory(marked="R41")]
    recovery = recover(memories, T0)
    assert recovery.environments == ()
    told = story(recovery, memories)
    assert told[0].startswith("staging: its ledger has no releases; runs main 3.2.1 (by R41), api 3.2.1,")
    assert told[-1].startswith("The next release is R43: R42 to R42 may have been given")


@pytest.mark.requirement("Q4", "Q5")
def test_a_ledger_that_was_tampered_with_is_put_back_as_it_is_and_told() -> None:
    """Its chain stays broken, so that it goes on to show; what cannot be true at all is left out."""
    edited = list(lines("R1"))
    edited[2] = Line(edited[2].text.replace("alice", "mallory"), edited[2].hash)
    recovery = recover([memory(("R1", tuple(edited)), ("R2", lines("R2")[1:]), counter=2)], T0)
    assert [list(each.releases) for each in recovery.environments] == [["R1"]]
    assert recovery.environments[0].releases["R1"] == tuple(edited)
    assert [doubt.split(":")[0] for doubt in recovery.doubts] == ["R1, event 3", "R2 is left out"]


@pytest.mark.requirement("Q5")
def test_ledgers_of_two_records_are_not_mixed() -> None:
    """Each is named with its environment, and nothing is done."""
    memories = [
        memory(("R1", lines("R1")), counter=1),
        memory(("R1", lines("R1")), environment="production", installation="them", counter=1),
    ]
    with pytest.raises(NotRebuiltError, match="2 different records \\(staging: us; production: them\\)"):
        recover(memories, T0)
