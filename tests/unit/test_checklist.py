"""The checklist: what each item says, what blocks, and what a tick does."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from releases import approval, gates
from releases import events as e
from releases.checklist import Item, Outcome, blocking, green, needs_work
from releases.config import ALWAYS, parse_config
from releases.lifecycle import UNASKED_EXPIRES, Release, State, apply, fold
from releases.people import Person, Standing
from releases.plan import Plan, Template
from releases.policy import Refusal
from tests.unit.workers_things import (
    ALICE,
    T0,
    deployment,
    history,
    past,
    plan,
    pod_template,
    requested,
    rollout,
    scene,
    seconds,
)
from workers import checklist
from workers.cluster import QuotaSeen
from workers.planning.scene import ready_services
from workers.room import room, surge
from workers.templates import config_maps

NOTES = Item(name="release notes read", outcome=Outcome.WAITING, by=("S0APPROVERS",))
GOOD = Item(name="image", outcome=Outcome.GREEN, evidence="main sha256:0123456789ab")
BAD = Item(name="alerts", outcome=Outcome.RED, evidence="the alert of R3 is open", fix="roll R3 back")
BOB = Person("U0BOB", "bob", groups=frozenset({"S0APPROVERS"}))
CAROL = Person("U0CAROL", "carol", groups=frozenset({"S0APPROVERS"}))
DAN = Person("U0DAN", "dan")
APPROVAL = e.ApprovalNeeded(quorum=1, approvers=("S0APPROVERS",), own_release=True, expires_seconds=3600)
LATER = T0 + seconds(60)


def planned(*items: Item, **given: Any) -> Plan:  # noqa: ANN401 - fields of what is made
    """A plan with these items."""
    return plan(rollout("api", "3.2.0", "3.2.1")).model_copy(update={"checklist": items, **given})


def waiting(*items: Item, needed: e.ApprovalNeeded | None = APPROVAL) -> Release:
    """A release whose plan has these items."""
    asked = requested().model_copy(update={"approval": needed})
    return fold("R7", [asked, e.PlanProposed(at=T0, plan=planned(*items))])


def after(release: Release, outcome: approval.Outcome) -> Release:
    """The release after an answer that counts."""
    assert not isinstance(outcome, Refusal), outcome
    for event in outcome:
        release = apply(release, event)
    return release


def tick(
    release: Release, who: Person, item: str = NOTES.name, digest: str | None = None
) -> approval.Outcome:
    """Somebody ticks an item of the plan as it is."""
    assert release.plan is not None
    return approval.tick(release, who, LATER, item=item, digest=digest or release.plan.digest)


def yes(release: Release, who: Person) -> approval.Outcome:
    """Somebody approves."""
    return approval.approve(release, who, LATER, via="button", digest=None)


# -- what is waited for ----------------------------------------------------------------------------


@pytest.mark.requirement("D1")
@pytest.mark.parametrize("first", ["tick", "approval"])
def test_approval_and_tick_are_both_waited_for(first: str) -> None:
    """In whichever order they come, the second one lets the release start; the tick is on the record."""
    release = waiting(GOOD, NOTES)
    for said in (first, "approval" if first == "tick" else "tick"):
        assert release.state is State.WAITING
        release = after(release, tick(release, CAROL) if said == "tick" else yes(release, BOB))
    assert release.state is State.APPROVED
    assert [(each.by.id, each.item) for each in release.ticks] == [("U0CAROL", NOTES.name)]
    assert green(release.checklist) == 2


@pytest.mark.requirement("D1")
def test_a_tick_alone_lets_a_release_start_that_nobody_has_to_approve() -> None:
    """Until then it does not wait for ever."""
    release = waiting(NOTES, needed=None)
    assert release.expires_at == T0 + UNASKED_EXPIRES
    assert gates.settle(release, T0 + UNASKED_EXPIRES) == (e.ReleaseExpired(at=T0 + UNASKED_EXPIRES),)
    assert after(release, tick(release, BOB)).state is State.APPROVED
    assert waiting(GOOD, needed=None).expires_at is None


@pytest.mark.requirement("D1", "C11")
def test_only_those_who_are_named_tick() -> None:
    """Others are told who may; guests and bots never; a second tick changes nothing."""
    release = waiting(NOTES)
    refused = tick(release, DAN)
    assert isinstance(refused, Refusal)
    assert refused.who == ("S0APPROVERS",)
    guest = Person("U0BOB", "bob", Standing.GUEST, groups=frozenset({"S0APPROVERS"}))
    assert isinstance(tick(release, guest), Refusal)
    ticked = after(release, tick(release, BOB))
    assert tick(ticked, CAROL) == ()


@pytest.mark.requirement("D1", "Q3")
def test_a_tick_is_of_one_plan() -> None:
    """A plan that has changed since is looked at again, and ticked again; the same plan keeps its ticks."""
    release = waiting(NOTES)
    assert isinstance(tick(release, BOB, digest="0" * 64), Refusal)
    assert isinstance(tick(release, BOB, item="something else"), Refusal)
    ticked = after(release, tick(release, BOB))
    again = apply(ticked, e.ReplanRequested(at=LATER, because="?"))
    assert apply(again, e.PlanProposed(at=LATER, plan=planned(NOTES))).ticks == ticked.ticks
    assert apply(again, e.PlanProposed(at=LATER, plan=planned(NOTES, new="3.2.2"))).ticks == ()
    assert isinstance(tick(again, CAROL), Refusal)


@pytest.mark.requirement("D1")
def test_a_red_item_blocks_and_says_what_would_make_it_green() -> None:
    """Nobody approves what cannot start; somebody who has mended it has it planned again."""
    release = waiting(BAD, NOTES)
    refused = yes(release, BOB)
    assert isinstance(refused, Refusal)
    assert "alerts: the alert of R3 is open" in refused.problem
    assert refused.hint == "To make it so: roll R3 back."
    assert not after(release, tick(release, BOB)).may_start
    assert [each.name for each in needs_work(release.checklist)] == ["alerts"]
    looked = after(release, approval.look_again(release, DAN, LATER))
    assert looked.state is State.REQUESTED
    assert looked.replanned_because == "dan asked to look again"
    assert approval.look_again(waiting(GOOD, NOTES), DAN, LATER) == ()
    guest = Person("U0G", "guest", Standing.GUEST)
    assert isinstance(approval.look_again(release, guest, LATER), Refusal)


@pytest.mark.requirement("D1")
def test_what_is_not_known_blocks_only_where_it_is_to() -> None:
    """By itself it is neither good nor bad."""
    unknown = Item(name="capacity", outcome=Outcome.UNKNOWN)
    assert blocking((unknown, GOOD)) == ()
    assert blocking((unknown.model_copy(update={"stops": True}),)) != ()


@pytest.mark.requirement("V5", "C7")
def test_release_notes_are_told_while_a_release_is_held() -> None:
    """Notes that a worker has read arrive after a freeze stopped the release: it goes on waiting."""
    approved = after(waiting(), yes(waiting(), BOB))
    held = apply(approved, e.ReleaseHeld(at=LATER, because="staging is frozen."))
    read = apply(held, e.NotesRead(at=LATER, url="https://docs.example.com/3.2.1", lines=("Faster.",)))
    assert (read.state, read.held) == (State.HELD, held.held)
    assert apply(read, e.HoldEnded(at=LATER)).state is State.APPROVED


# -- the digest ------------------------------------------------------------------------------------


@pytest.mark.requirement("D1", "Q3")
def test_an_approval_is_of_how_the_items_stand_not_of_their_numbers() -> None:
    """What was found may be worded by the moment; another outcome, another image are another plan."""
    digest = planned(GOOD).digest
    assert planned(GOOD.model_copy(update={"evidence": "other", "fix": "other"})).digest == digest
    assert planned(GOOD.model_copy(update={"outcome": Outcome.RED})).digest != digest
    assert planned(GOOD, NOTES).digest != digest
    pinned = Template(
        image="buzzybuzz/api:3.2.1@sha256:1", version="3.2.1", revision=None, spec={"image": "@sha256:1"}
    )
    step = rollout("api", "3.2.0", "3.2.1").model_copy(update={"new": pinned})
    assert plan(step).digest != plan(rollout("api", "3.2.0", "3.2.1")).digest


@pytest.mark.requirement("Q1")
def test_a_plan_of_an_earlier_version_keeps_its_digest() -> None:
    """A release that waited while Buzzy was renewed is still approved by the digest on its buttons."""
    text = (
        '{"kind": "release", "application": "buzzy", "environment": "staging", "namespace": "buzzy-staging", '
        '"strategy": "rolling", "stable": "3.2.0", "new": "3.2.1", "type": "patch", "steps": [], '
        '"warnings": []}'
    )
    assert Plan.model_validate_json(text).digest == (
        "be25abcb44a5c90bdd8c76e5684037a85483d721cef1334a1e2ec3fede30b879"
    )


# -- the items -------------------------------------------------------------------------------------


def test_an_image_is_green_when_it_is_pinned() -> None:
    """Otherwise it is not known, and not called anything better."""
    step = rollout("api", "3.2.0", "3.2.1")
    digest = "sha256:" + "0123456789abcdef" * 4
    pinned = step.model_copy(
        update={"new": step.new.model_copy(update={"image": f"{step.new.image}@{digest}"})}
    )
    assert checklist.image(plan(pinned)) == Item(
        name="image", outcome=Outcome.GREEN, evidence="api sha256:0123456789ab"
    )
    loose = checklist.image(plan(step))
    assert loose.outcome is Outcome.UNKNOWN
    assert not loose.blocks
    assert loose.evidence == "not pinned: api will run whatever the tag is when a node pulls it"


@pytest.mark.requirement("D1")
@pytest.mark.parametrize(
    ("container", "template", "missing"),
    [
        ({}, {}, []),
        ({"envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "s"}}]}, {}, ["a"]),
        ({"envFrom": [{"configMapRef": {"name": "a", "optional": True}}]}, {}, []),
        ({"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "b", "key": "k"}}}]}, {}, ["b"]),
        ({}, {"volumes": [{"configMap": {"name": "c"}}, {"emptyDir": {}}]}, ["c"]),
        ({}, {"volumes": [{"projected": {"sources": [{"configMap": {"name": "d"}}]}}]}, ["d"]),
    ],
)
def test_every_config_map_without_which_pods_do_not_start_is_looked_for(
    container: Mapping[str, Any], template: Mapping[str, Any], missing: list[str]
) -> None:
    """However it is referred to; those that are optional are not."""
    spec = pod_template("api", "3.2.1", **container)
    spec["spec"] |= template
    assert config_maps(spec) == missing


@pytest.mark.requirement("D1")
def test_configuration_that_is_missing_is_red() -> None:
    """What the release makes itself is as good as there."""
    step = rollout("api", "3.2.0", "3.2.1")
    spec = pod_template("api", "3.2.1", envFrom=[{"configMapRef": {"name": "features"}}])
    wants = plan(step.model_copy(update={"new": step.new.model_copy(update={"spec": spec})}))
    red = checklist.configuration(wants, lambda _: False)
    assert (red.outcome, red.evidence) == (Outcome.RED, "there is no ConfigMap features in buzzy-staging")
    assert checklist.configuration(wants, lambda _: True).evidence == "features"
    assert checklist.configuration(plan(step), lambda _: False).evidence == "none is needed"


@pytest.mark.requirement("D1")
def test_a_way_back_that_is_not_kept_is_red() -> None:
    """A tag that is no version may be something else by then: that is not known."""
    stage = scene(
        history("main", "3.2.0"), history("api", "latest"), history("worker", "3.2.0", history_limit=0)
    )
    services = ready_services(stage, ())
    assert isinstance(services, tuple)
    steps = {each.name: rollout(each.name, each.stable.version or "latest", "3.2.1") for each in services}
    outcomes = {each.name: checklist.rollback(plan(steps[each.name]), [each]).outcome for each in services}
    assert outcomes == {"main": Outcome.GREEN, "api": Outcome.UNKNOWN, "worker": Outcome.RED}


@pytest.mark.requirement("D1")
def test_an_open_alert_about_other_services_is_red() -> None:
    """One about services of this release is what the release puts right."""
    this = plan(rollout("api", "3.2.1", "3.2.2"))
    same = past(3, {"api": ("3.2.0", "3.2.1")}, end="failed")
    other = past(4, {"worker": ("3.2.0", "3.2.1")}, end="failed")
    assert checklist.alerts(this, ()).outcome is Outcome.GREEN
    assert checklist.alerts(this, (same,)).evidence == "open: R3, which this release is to put right"
    red = checklist.alerts(this, (same, other))
    assert red.outcome is Outcome.RED
    assert red.evidence.startswith("the alert of R4 is open")
    drilled = past(5, {}, end="failed", kind="drill")
    assert checklist.alerts(this, (drilled,)).evidence == "none is open"


CONFIG = """
compatibility: {"3.x": {node: 14.x}}
services: [{name: api, image: buzzybuzz/api}]
environments:
  staging:
    namespace: buzzy-staging
    channel: C0STAGING
    alerts: {critical: C0ONCALL, on_call: S0ONCALL}
    checklist: [on-call, {tick: release notes read, by: [S0APPROVERS]}, compatible]
  development: {namespace: buzzy-development, channel: C0DEV}
"""


@pytest.mark.requirement("D1")
def test_the_list_is_in_the_order_of_the_file() -> None:
    """Items about which there is nothing to say are left out; without a list it is what planning finds."""
    config = parse_config(CONFIG)
    staging, development = config.environment("staging"), config.environment("development")
    makers = {name: (lambda made=name: Item(name=made, outcome=Outcome.GREEN)) for name in ALWAYS}
    on_call = checklist.on_call(staging)
    made = checklist.checklist(staging, {**makers, "on-call": lambda: on_call, "compatible": lambda: None})
    assert [each.name for each in made] == ["on-call", "release notes read"]
    assert (on_call.outcome, on_call.by) == (Outcome.GREEN, ("S0ONCALL",))
    assert [each.name for each in checklist.checklist(development, makers)] == list(ALWAYS)
    missing = checklist.on_call(development)
    assert missing.outcome is Outcome.RED
    assert "environments.development.alerts.on_call" in missing.fix


# -- room for the surge ----------------------------------------------------------------------------

LARGE = {
    "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
}


@pytest.mark.parametrize(
    ("wanted", "given", "pods"),
    [(3, 1, 1), (3, "25%", 1), (10, "25%", 3), (3, 0, 0), (2, 5, 2), (0, "25%", 0)],
)
def test_the_surge_is_as_kubernetes_rounds_it(wanted: int, given: int | str, pods: int) -> None:
    """Shares are rounded up."""
    assert surge(deployment(wanted=wanted, surge=given)) == pods
    assert surge(deployment(wanted=wanted, surge=given, strategy="Recreate")) == 0


@pytest.mark.requirement("D1")
@pytest.mark.parametrize(
    ("hard", "used", "outcome", "says"),
    [
        ({"requests.cpu": "4"}, {"requests.cpu": "3"}, Outcome.GREEN, "requests.cpu: api needs 1 of 1 free"),
        ({"requests.cpu": "4"}, {"requests.cpu": "3.001"}, Outcome.RED, "api needs 1 of 0.999 free"),
        ({"pods": "10"}, {"pods": "9"}, Outcome.RED, "pods: api needs 2 of 1 free"),
        (
            {"limits.memory": "8589934592"},
            {"limits.memory": "6442450944"},
            Outcome.GREEN,
            "2048 MiB of 2048 MiB",
        ),
        (
            {"requests.ephemeral-storage": "1"},
            {"requests.ephemeral-storage": "1"},
            Outcome.UNKNOWN,
            "no quota",
        ),
        ({}, {}, Outcome.UNKNOWN, "there is no quota to go by"),
    ],
)
def test_room_is_what_the_quota_leaves(
    hard: dict[str, str], used: dict[str, str], outcome: Outcome, says: str
) -> None:
    """Two pods of half a core beside the six that there are, at their boundary."""
    quota = QuotaSeen(
        "quota",
        {name: Decimal(amount) for name, amount in hard.items()},
        {name: Decimal(amount) for name, amount in used.items()},
    )
    found = room(*_sized(LARGE), [quota])
    assert (found.outcome, found.blocks) == (outcome, outcome is Outcome.RED)
    assert says in found.evidence


@pytest.mark.requirement("D1")
def test_a_container_that_does_not_say_what_it_takes_leaves_room_unknown() -> None:
    """A quota that counts some pods only is passed over."""
    quota = QuotaSeen("quota", {"requests.cpu": Decimal(4)}, {"requests.cpu": Decimal(1)})
    found = room(*_sized({}), [quota])
    assert (found.outcome, found.evidence) == (Outcome.UNKNOWN, "api does not say its requests.cpu")
    partial = QuotaSeen("quota", quota.hard, quota.used, partial=True)
    assert room(*_sized(LARGE), [partial]).outcome is Outcome.UNKNOWN


def _sized(container: Mapping[str, Any]) -> tuple[Plan, list[Any]]:
    """A rollout of six pods of one container."""
    spec = pod_template("api", "3.2.1")
    spec["spec"]["containers"] = [{**each, **container} for each in spec["spec"]["containers"][:1]]
    step = rollout("api", "3.2.0", "3.2.1")
    sized = plan(step.model_copy(update={"new": step.new.model_copy(update={"spec": spec})}))
    return sized, [deployment("api", wanted=6, surge=2)]


def test_alice_is_somebody() -> None:
    """The one who asks may tick, if she is named."""
    release = waiting(NOTES.model_copy(update={"by": (ALICE.id,)}))
    assert after(release, tick(release, Person(ALICE.id, ALICE.name))).ticks[0].by == ALICE
