"""The sentences that workers leave in a release's thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from releases import events as e
from releases.checklist import Item, Outcome
from releases.lifecycle import Release, fold
from tests.unit.workers_things import ALICE, T0, plan, requested, rollout, seconds
from workers import words
from workers.cluster import ClusterUnreachableError
from workers.tenant import Tenant

MAIN, API = rollout("main", "3.2.0", "3.2.1"), rollout("api", "3.2.0", "3.2.1")
PLAN = plan(MAIN, API)
SEEN = (
    e.ServiceSeen(service="main", image="i", version="3.2.1", ready=3, total=3),
    e.ServiceSeen(service="api", image="i", version="3.2.1", ready=1, total=3, state="2 starting"),
)


def release(*happened: e.Event) -> Release:
    """R42 with its plan, approved, and what happened then."""
    begin: Sequence[e.Event] = (
        requested(),
        e.PlanProposed(at=T0, plan=PLAN),
        e.Approved(at=T0, digest=PLAN.digest),
    )
    return fold("R42", [*begin, *happened])


STARTED = e.ReleaseStarted(at=T0)
DONE = [
    event
    for index in range(3)
    for event in (e.StepStarted(at=T0, index=index), e.StepFinished(at=T0, index=index, changed=True))
]
BACK = e.TurnedBack(at=T0, steps=(API.undo() or API, MAIN.undo() or MAIN), because="?")


@pytest.mark.requirement("X7")
@pytest.mark.parametrize(
    ("happened", "seen", "said"),
    [
        ([], SEEN, "The worker stopped; nothing was changed yet. Another goes on."),
        (
            [STARTED, *DONE[:3]],
            SEEN,
            (
                "The worker stopped at step 2 (api to 3.2.1). Found: main runs 3.2.1, 3 of 3 ready; "
                "api runs 3.2.1, 1 of 3 ready (2 starting). Going on with step 2."
            ),
        ),
        (
            [STARTED, *DONE[:3], BACK],
            (),
            (
                "The worker stopped on its way back, at step 1 (api to 3.2.0). "
                "The cluster does not answer just now; going on when it does."
            ),
        ),
        (
            [STARTED, *DONE],
            SEEN[:1],
            (
                "The worker stopped after its last step. Found: main runs 3.2.1, 3 of 3 ready. "
                "Going on to the end."
            ),
        ),
    ],
)
def test_after_a_crash_the_thread_says_what_was_found(
    happened: list[e.Event], seen: tuple[e.ServiceSeen, ...], said: str
) -> None:
    """And what is done about it."""
    assert words.found(release(*happened), seen) == said


def test_the_rollout_history_says_which_release_and_whose() -> None:
    """As `kubectl rollout history` shows it; on the way back it says so."""
    assert words.cause(release(STARTED), API) == "R42: 3.2.0 → 3.2.1 by alice"
    back = API.undo()
    assert back is not None
    assert words.cause(release(STARTED, *DONE[:1], BACK), back) == "R42: back to 3.2.0 from 3.2.1"  # type: ignore[arg-type] # a RollOut


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (
            plan(MAIN, rollout("api", "3.2.0-hot", "3.2.1")),
            (
                "Since the plan was made, api was changed (spec.containers[api].image: "
                "buzzybuzz/api:3.2.0 → buzzybuzz/api:3.2.0-hot)."
            ),
        ),
        (plan(MAIN), "Since the plan was made, api need not be changed any more."),
        (
            plan(MAIN, API, rollout("worker", "1.0.0", "3.2.1")),
            "Since the plan was made, worker has to be changed as well.",
        ),
        (
            plan(MAIN, rollout("api", "3.2.0", "3.2.2")),
            "Since the plan was made, api would become something else (3.2.2).",
        ),
        (
            PLAN.model_copy(update={"strategy": "?"}),
            "Since the plan was made, the configuration was changed.",
        ),
    ],
)
def test_a_plan_that_is_asked_for_again_says_what_moved(now: object, said: str) -> None:
    """Approvers have to know what is different."""
    assert words.moved(PLAN, now) == said  # type: ignore[arg-type] # plans


@pytest.mark.parametrize(
    ("abort", "said"),
    [
        (e.AbortRequested(at=T0, by=ALICE, reason="wrong version"), "alice stopped it: wrong version."),
        (e.AbortRequested(at=T0, by=ALICE), "alice stopped it."),
        (None, "It was stopped."),
    ],
)
def test_a_release_that_turns_back_says_why(abort: e.AbortRequested | None, said: str) -> None:
    """Who, and what for."""
    assert words.stopped(abort) == said


def test_a_silent_cluster_is_told_with_what_is_done_about_it() -> None:
    """Since when, and until when."""
    said = words.silent(ClusterUnreachableError("connection refused"), T0, T0 + seconds(90))
    assert said == (
        "The cluster does not answer (connection refused), since 14:00:00 UTC. Nothing is changed meanwhile; "
        "trying again until 14:01:30."
    )


@pytest.mark.requirement("Q3", "D1")
def test_another_image_and_another_outcome_are_told_apart() -> None:
    """Whoever has to agree again learns which of the two it was."""
    step = rollout("api", "3.2.0", "3.2.1")
    one, other = (
        step.new.model_copy(update={"image": f"buzzybuzz/api:3.2.1@sha256:{n}", "spec": {"image": n}})
        for n in (1, 2)
    )
    items = (Item(name="alerts", outcome=Outcome.GREEN), Item(name="image", outcome=Outcome.GREEN))
    approved = plan(step.model_copy(update={"new": one})).model_copy(update={"checklist": items})
    moved = plan(step.model_copy(update={"new": other})).model_copy(update={"checklist": items})
    assert words.moved(approved, moved) == (
        "Since the plan was made, the image of api under 3.2.1 has become another."
    )
    red = (items[0].model_copy(update={"outcome": Outcome.RED}), items[1])
    assert words.moved(approved, approved.model_copy(update={"checklist": red})) == (
        "Since the plan was made, alerts of the checklist is red."
    )


CAROL = Tenant("5f3a", "staging", "Bright", "R7", "3.2.2", "carol", T0)


@pytest.mark.requirement("Q2")
@pytest.mark.parametrize(
    ("other", "who", "how"),
    [
        (CAROL, "R7 (3.2.2), asked for by carol in Bright, since 1 Mar 14:00 UTC", ": `/buzzy abort R7`"),
        (
            replace(CAROL, what="rollback", workspace=""),
            "R7 (a rollback), asked for by carol in the installation 5f3a, since 1 Mar 14:00 UTC",
            ": `/buzzy abort R7`",
        ),
        (Tenant("", ""), "a release", ""),
    ],
    ids=["all is known", "no workspace", "nothing is known"],
)
def test_who_has_an_environment_is_told_with_what_to_do(other: Tenant, who: str, how: str) -> None:
    """Before the start, and after it was taken over; also of a Lease that says little."""
    reason, hint = words.held("staging", other, T0 + seconds(60))
    assert reason == f"Another Buzzy is releasing to staging just now: {who}."
    assert hint == (
        f"Ask again when that has ended, or have it stopped there{how}. "
        "If that Buzzy is gone for good, the way is free from 14:01:00 UTC on."
    )
    ours = Tenant("77aa", "staging", release="R42")
    assert words.taken_over(ours, other) == (
        f"While R42 was not at work, another Buzzy took staging over: {who}. "
        "R42 changes nothing any more; what runs now is for that one to say."
    )
