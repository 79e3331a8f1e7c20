"""Blue-green: what is new is made beside what runs, gets the traffic by one write, and goes back by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from releases import events as e
from releases.lifecycle import Release, State
from releases.plan import Keep, Plan, Prepare, Preview, Switch, Verify, VerifyGreen, Watch
from releases.record import Store
from sandbox.cluster.resources import AUTOSCALERS, DISRUPTION_BUDGETS, SERVICES
from tests.integration.workers_world import CONFIG, NAMESPACE, World, now, world
from workers.cluster import ClusterUnreachableError, ConflictError, TemplateWrite, TrafficWrite
from workers.marks import KEPT
from workers.tidying import Tidier

NAMES = ("buzzy-main", "buzzy-api", "buzzy-files", "buzzy-worker")
GREEN = tuple(f"{name}-green" for name in NAMES)
BLUE_GREEN = CONFIG.replace(
    "    channel: C0STAGING\n",
    "    channel: C0STAGING\n    strategy: blue-green\n    strategies: [rolling]\n"
    "    blue_green: {monitor: 1s, delay: 1h}\n",
)
BROKEN = "3.3.0"


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world at 3.2.0, whose releases are blue-green."""
    with world(store, tmp_path, config=BLUE_GREEN) as made:
        yield made


def ask(here: World, version: str | None, **given: Any) -> str:  # noqa: ANN401 - as `World.ask`
    """Somebody asks for a blue-green release, or a rollback."""
    return here.ask(version, strategy="blue-green", **given)


def done(here: World, version: str | None, **given: Any) -> Release:  # noqa: ANN401 - as `World.ask`
    """The same, seen through."""
    id_ = ask(here, version, **given)
    here.work()
    return here.load(id_)


def traffic(here: World) -> dict[str, str]:
    """Whose pods each Service picks."""
    return {name: here.read(SERVICES, name)["spec"]["selector"]["app"] for name in NAMES}


def sizes(here: World, names: tuple[str, ...]) -> list[int]:
    """How many pods these Deployments ask for."""
    return [here.deployment(name)["spec"]["replicas"] for name in names]


def image(here: World, name: str) -> str:
    """The tag that a Deployment's pods run."""
    return str(here.deployment(name)["spec"]["template"]["spec"]["containers"][0]["image"]).rpartition(":")[2]


def kept(here: World, name: str) -> str | None:
    """Until when a Deployment is kept, as it says itself."""
    annotations: dict[str, str] = here.deployment(name)["metadata"]["annotations"]
    return annotations.get(KEPT)


def kinds(release: Release) -> list[str]:
    """The steps of a release's plan, by kind."""
    assert release.plan is not None
    return [step.kind for step in release.plan.steps]


def work_until(here: World, id_: str, holds: Callable[[Release], bool]) -> None:
    """Work until something is so: the worker is asked to end there, and whoever comes next goes on."""
    jobs = here.worker(stopping=lambda: holds(here.load(id_)))
    while not holds(here.load(id_)):
        assert here.queue.waiting, here.said(id_)
        _, job, subject = here.queue.waiting.popleft()
        jobs.table[f"workers.jobs.{job}"](subject)


def stands_at(release: Release, kind: str) -> bool:
    """Whether the next step is of a kind."""
    index = release.next_index
    return release.state is State.RUNNING and index is not None and release.steps[index].step.kind == kind


def tidy(here: World) -> None:
    """The job that the reaper queues when something is kept no longer."""
    Tidier(here.config, here.record, lambda _: here.port(), now).tidy("staging")


def let_time_pass(here: World) -> None:
    """What is kept is kept no longer, as far as the Deployments say."""
    for name in filter(here.exists, (*NAMES, *GREEN)):

        def change(thing: dict[str, Any]) -> None:
            notes = thing["metadata"]["annotations"]
            if KEPT in notes:
                notes[KEPT] = "2020-01-01T00:00:00+00:00"

        here.change(name, change)


@pytest.mark.requirement("D2")
def test_what_is_new_is_made_beside_what_runs_and_gets_the_traffic_at_once(here: World) -> None:
    """Prepared, previewed, validated, switched in order, watched; what had the traffic stays as it was."""
    before = {name: here.deployment(name) for name in NAMES}
    release = done(here, "3.2.1")
    assert release.state is State.RELEASED, (release.reason, here.said(release.id))
    assert kinds(release) == [
        "ensure_configuration",
        *["prepare"] * 4,
        "preview",
        "verify_green",
        *["switch"] * 4,
        "watch",
        *["keep"] * 4,
    ]
    assert tuple(traffic(here).values()) == GREEN
    assert [image(here, name) for name in GREEN] == ["3.2.1"] * 4
    assert sizes(here, GREEN) == sizes(here, NAMES) == [3] * 4
    for name in NAMES:
        after = here.deployment(name)
        assert after["spec"] == before[name]["spec"]
        assert datetime.fromisoformat(kept(here, name) or "") > now()
        assert here.read(SERVICES, f"{name}-preview")["spec"]["selector"] == {"app": f"{name}-green"}
    seen = here.record.seen("staging")
    assert seen is not None
    assert {service.version for service in seen.services} == {"3.2.1"}
    assert {each.version for each in seen.kept} == {"3.2.0"}


@pytest.mark.requirement("D2", "D4")
def test_the_second_deployment_is_an_ordinary_one(here: World) -> None:
    """Like the first in all but name and label; neither picks the other's pods; it says why it is there."""
    done(here, "3.2.1")
    blue, green = here.deployment("buzzy-api"), here.deployment("buzzy-api-green")
    assert green["spec"]["strategy"] == blue["spec"]["strategy"]
    assert green["spec"]["selector"] == {"matchLabels": {"app": "buzzy-api-green"}}
    assert green["spec"]["template"]["metadata"]["labels"] == {"app": "buzzy-api-green"}
    assert green["metadata"]["annotations"]["kubernetes.io/change-cause"] == "R1: 3.2.1 by alice"
    assert green["metadata"]["labels"]["app.kubernetes.io/part-of"] == "buzzy"


@pytest.mark.requirement("D2", "X9")
def test_within_the_delay_a_rollback_is_one_switch(here: World) -> None:
    """It finds its pods standing by: no template is written, no pod is started, no time is spent watching."""
    done(here, "3.2.1")
    before = {name: here.deployment(name) for name in (*NAMES, *GREEN)}
    back = done(here, None)
    assert back.state is State.RELEASED, (back.reason, here.said(back.id))
    assert kinds(back) == [
        "identify",
        *["prepare"] * 4,
        "verify_green",
        *["switch"] * 4,
        "verify",
        *["keep"] * 4,
    ]
    assert tuple(traffic(here).values()) == NAMES
    for name, deployment in before.items():
        assert here.deployment(name)["spec"] == deployment["spec"]
    assert all(kept(here, name) is None for name in NAMES)
    assert all(kept(here, name) for name in GREEN)
    assert back.plan is not None
    assert back.plan.way_back() == ()


@pytest.mark.requirement("D2")
def test_what_does_not_come_up_gets_no_traffic_and_goes_by_itself(here: World) -> None:
    """The release ends back at what was stable, with the pods' own words; its pods are scaled down later."""
    here.cluster.set_behaviours({f"buzzybuzz/buzzy-api:{BROKEN}": "crash"})
    release = done(here, BROKEN)
    assert release.state is State.ROLLED_BACK
    assert release.by_itself
    assert release.failure is not None
    assert release.failure.evidence[0].log
    assert tuple(traffic(here).values()) == NAMES
    assert release.changed_services == ()
    assert sizes(here, NAMES) == [3] * 4
    let_time_pass(here)
    tidy(here)
    assert sizes(here, ("buzzy-main-green", "buzzy-api-green")) == [0, 0]
    assert sizes(here, NAMES) == [3] * 4


@pytest.mark.requirement("D2")
def test_trouble_while_it_is_watched_sends_the_traffic_back(store: Store, tmp_path: Path) -> None:
    """All of it, in the reverse order, by one write each."""
    config = BLUE_GREEN.replace("monitor: 1s", "monitor: 1h")
    with world(store, tmp_path, config=config) as here:
        id_ = ask(here, "3.2.1")
        work_until(here, id_, lambda release: stands_at(release, "watch"))
        assert tuple(traffic(here).values()) == GREEN
        here.cluster.set_behaviours({"buzzybuzz/buzzy-files:3.2.1": "crash"})
        here.restart_pods("buzzy-files-green")
        here.work()
        release = here.load(id_)
        assert release.state is State.ROLLED_BACK, release.reason
        assert release.failure is not None
        assert "buzzy-files" in release.failure.reason
        assert tuple(traffic(here).values()) == NAMES
        back = [state.step for state in release.back]
        assert [step.service for step in back if isinstance(step, Switch)] == list(reversed(NAMES))
        assert all(isinstance(step, Switch | Keep | Verify) for step in back)


@pytest.mark.requirement("D2")
@pytest.mark.parametrize("at", ["prepare", "preview", "verify_green", "switch", "watch", "keep"])
def test_it_can_be_stopped_at_every_point(store: Store, tmp_path: Path, at: str) -> None:
    """What was switched is switched back, what was prepared goes, and what runs was never touched."""
    with world(store, tmp_path, config=BLUE_GREEN) as here:
        id_ = ask(here, "3.2.1")
        half = {"prepare": 2, "switch": 2}.get(at, 0)

        def there(release: Release) -> bool:
            begun = [each for each in release.forward if each.step.kind == at and each.finished_at]
            return stands_at(release, at) and len(begun) >= half

        work_until(here, id_, there)
        here.abort(id_)
        here.work()
        release = here.load(id_)
        assert release.state is State.ROLLED_BACK, release.reason
        assert not release.by_itself
        assert tuple(traffic(here).values()) == NAMES
        assert [kept(here, name) for name in NAMES] == [None] * 4
        assert sizes(here, NAMES) == [3] * 4
        let_time_pass(here)
        tidy(here)
        made = [name for name in GREEN if here.exists(name)]
        assert made
        assert sizes(here, tuple(made)) == [0] * len(made)


@pytest.mark.requirement("D2")
def test_what_is_kept_goes_when_its_time_is_over_and_nobody_is_at_work(here: World) -> None:
    """Not before, not while a release holds the environment, and never what has the traffic."""
    done(here, "3.2.1")
    tidy(here)
    assert sizes(here, NAMES) == [3] * 4
    let_time_pass(here)
    waiting = ask(
        here,
        None,
        approval=e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=60),
    )
    here.work()
    assert here.load(waiting).state is State.WAITING
    tidy(here)
    assert sizes(here, NAMES) == [3] * 4
    here.abort(waiting)
    here.queue.put("deployment", "advance", waiting)
    here.work()
    tidy(here)
    assert sizes(here, NAMES) == [0] * 4
    assert sizes(here, GREEN) == [3] * 4
    seen = here.record.seen("staging")
    assert seen is not None
    assert seen.kept == ()
    back = done(here, None)
    assert back.state is State.RELEASED, back.reason
    assert tuple(traffic(here).values()) == NAMES
    assert sizes(here, NAMES) == [3] * 4


@pytest.mark.requirement("D2")
def test_releases_take_the_slots_in_turns(here: World) -> None:
    """The next one is prepared where the one before the last was, also within the delay."""
    done(here, "3.2.1")
    release = done(here, "3.2.2")
    assert release.state is State.RELEASED, release.reason
    assert tuple(traffic(here).values()) == NAMES
    assert [image(here, name) for name in NAMES] == ["3.2.2"] * 4
    back = done(here, None)
    assert tuple(traffic(here).values()) == GREEN
    assert [image(here, name) for name in GREEN] == ["3.2.1"] * 4
    further = done(here, None)
    assert further.state is State.RELEASED, further.reason
    assert further.plan is not None
    assert (back.plan.new if back.plan else "", further.plan.new) == ("3.2.1", "3.2.0")
    assert tuple(traffic(here).values()) == NAMES
    assert [image(here, name) for name in NAMES] == ["3.2.0"] * 4


@pytest.mark.requirement("D2", "D3")
def test_an_environment_may_be_rolling_again_and_back(here: World) -> None:
    """A rolling release changes the Deployment that has the traffic, whichever that is."""
    done(here, "3.2.1")
    rolling = here.release("3.2.2")
    assert rolling.state is State.RELEASED, rolling.reason
    assert tuple(traffic(here).values()) == GREEN
    assert [image(here, name) for name in GREEN] == ["3.2.2"] * 4
    back = here.rollback()
    assert back.state is State.RELEASED, back.reason
    assert [image(here, name) for name in GREEN] == ["3.2.1"] * 4
    again = done(here, "3.2.2")
    assert again.state is State.RELEASED, again.reason
    assert tuple(traffic(here).values()) == NAMES


@pytest.mark.requirement("D2")
def test_a_service_without_traffic_is_rolled_out_in_place(here: World) -> None:
    """A worker has no Service: it comes after the switch of the others, and the plan says so."""
    here.remove(SERVICES, "buzzy-worker")
    release = done(here, "3.2.1")
    assert release.state is State.RELEASED, release.reason
    assert release.plan is not None
    assert any("buzzy-worker has no Service" in warning for warning in release.plan.warnings)
    assert kinds(release)[-5:] == ["roll_out", "watch", *["keep"] * 3]
    assert image(here, "buzzy-worker") == "3.2.1"
    assert not here.exists("buzzy-worker-green")
    assert release.plan.services == NAMES


@pytest.mark.requirement("D2")
def test_whoever_moves_the_traffic_meanwhile_is_not_fought(store: Store, tmp_path: Path) -> None:
    """Before its turn or after: the release says so, and goes back with what it can."""
    with world(store, tmp_path, config=BLUE_GREEN) as here:
        id_ = ask(here, "3.2.1")
        work_until(here, id_, lambda release: stands_at(release, "switch"))
        here.change_service("buzzy-api", {"app": "somebody-elses"})
        here.work()
        release = here.load(id_)
        assert release.state is State.FAILED
        assert "buzzy-api" in release.reason
        assert "somebody else" in release.reason
        assert here.read(SERVICES, "buzzy-api")["spec"]["selector"] == {"app": "somebody-elses"}


@pytest.mark.requirement("D2", "Q1")
def test_a_late_scaling_down_does_not_meet_a_rollback(here: World) -> None:
    """Whoever looked before the rollback came writes too late, and nothing of its pods goes."""
    done(here, "3.2.1")
    let_time_pass(here)
    stale = here.port().deployment(NAMESPACE, "buzzy-main")
    back = done(here, None)
    assert back.state is State.RELEASED
    with pytest.raises(ConflictError):
        here.port().write_template(NAMESPACE, TemplateWrite(stale, stale.template, replicas=0))
    assert sizes(here, NAMES) == [3] * 4


class HeldUp:
    """A cluster on whose way a switch is held up: no answer comes, and it may arrive later."""

    def __init__(self, cluster: Any, then: Callable[[], None]) -> None:  # noqa: ANN401 - the workers' port
        """`then` is called when it is held up."""
        self._cluster = cluster
        self._then = then
        self.write: TrafficWrite | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the cluster has
        return getattr(self._cluster, name)

    def write_traffic(self, namespace: str, write: TrafficWrite, *, rehearse: bool = False) -> Any:  # noqa: ANN401 - as it is
        """Hold the first one of buzzy-api up."""
        if rehearse or self.write is not None or write.service.name != "buzzy-api":
            return self._cluster.write_traffic(namespace, write, rehearse=rehearse)
        self.write = write
        self._then()
        raise ClusterUnreachableError("no answer in time")


@pytest.mark.requirement("Q1", "D2")
def test_a_switch_that_is_held_up_on_its_way_moves_no_traffic_afterwards(here: World) -> None:
    """The release has gone back meanwhile, and sent back what was switched: it stays there."""
    id_ = ask(here, "3.2.1")
    real = here.port()
    proxy = HeldUp(real, lambda: here.abort(id_))
    jobs = here.worker(clusters=lambda _: proxy)
    while here.queue.waiting:
        _, job, subject = here.queue.waiting.popleft()
        jobs.table[f"workers.jobs.{job}"](subject)
    assert here.load(id_).state is State.ROLLED_BACK
    assert proxy.write is not None
    with pytest.raises(ConflictError):
        real.write_traffic(NAMESPACE, proxy.write)
    assert tuple(traffic(here).values()) == NAMES


@pytest.mark.requirement("D2")
def test_an_autoscaler_follows_the_traffic_there_and_back(here: World) -> None:
    """At least as many pods are prepared as it wants; a budget that would not go along is warned of."""
    here.make(AUTOSCALERS, autoscaler("buzzy-main", at_least=4))
    here.make(DISRUPTION_BUDGETS, budget("buzzy-main"))
    release = done(here, "3.2.1")
    assert release.state is State.RELEASED, release.reason
    assert release.plan is not None
    assert any("buzzy-main-budget does not protect" in each for each in release.plan.warnings)
    assert here.deployment("buzzy-main-green")["spec"]["replicas"] == 4
    assert scaled(here) == "buzzy-main-green"
    back = done(here, None)
    assert back.state is State.RELEASED, back.reason
    assert scaled(here) == "buzzy-main"
    assert kinds(back).count("follow") == 1


def autoscaler(deployment: str, *, at_least: int) -> dict[str, Any]:
    """What scales a Deployment."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment}
    spec = {"scaleTargetRef": target, "minReplicas": at_least, "maxReplicas": 9}
    head = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    return {**head, "metadata": {"name": "buzzy-main", "namespace": NAMESPACE}, "spec": spec}


def budget(app: str) -> dict[str, Any]:
    """What protects the pods of an app."""
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": app}}}
    head = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"}
    return {**head, "metadata": {"name": f"{app}-budget", "namespace": NAMESPACE}, "spec": spec}


def scaled(here: World) -> str:
    """What the autoscaler scales."""
    return str(here.read(AUTOSCALERS, "buzzy-main")["spec"]["scaleTargetRef"]["name"])


@pytest.mark.requirement("Q3", "D2")
def test_a_plan_is_made_again_when_the_traffic_has_moved_since(here: World) -> None:
    """Somebody sent it elsewhere between the yes and the start: what was agreed to is asked again."""
    needed = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=600)
    done(here, "3.2.1")
    id_ = ask(here, "3.2.2", approval=needed)
    here.work()
    release = here.load(id_)
    assert release.plan is not None
    for name in NAMES:
        here.change_service(name, {"app": name})
    bob = e.Actor(id="U0BOB", name="bob")
    here.write(id_, e.ApprovalGiven(at=now(), by=bob, digest=release.plan.digest, via="button"))
    here.write(id_, e.Approved(at=now(), digest=release.plan.digest))
    here.queue.put("deployment", "advance", id_)
    here.work()
    again = here.load(id_)
    assert again.state is State.WAITING
    assert again.plan is not None
    assert isinstance(again.plan, Plan)
    assert again.plan.stable == "3.2.0"


@pytest.mark.requirement("D2")
def test_a_plan_shows_every_step_there_and_back(here: World) -> None:
    """In their order, each with what it does in its title; and what cannot be undone is not there."""
    id_ = ask(here, "3.2.1", services=("buzzy-main",))
    here.work()
    plan = here.load(id_).plan
    assert plan is not None
    assert [type(step) for step in plan.steps[1:]] == [Prepare, Preview, VerifyGreen, Switch, Watch, Keep]
    titles = [step.title for step in (*plan.steps[1:], *plan.way_back())]
    assert titles == [
        "buzzy-main 3.2.1 prepared in buzzy-main-green, without traffic",
        "preview at buzzy-main-preview",
        "all of it validated, before it gets traffic",
        "buzzy-main: traffic to 3.2.1, in buzzy-main-green",
        "watched for 1 s",
        "buzzy-main kept for 1 h, then scaled to 0",
        "buzzy-main kept for good",
        "buzzy-main: traffic to 3.2.0, in buzzy-main",
        "buzzy-main-green kept for 30 s, then scaled to 0",
        "all services verified",
    ]
