"""Releases through everything at once: what holds, holds after each step, whatever came before it.

Hypothesis chooses what people ask for, which job runs when, twice or never, where its worker dies, and what
Redis and the cluster do meanwhile; the server that is asked what happened is the API server. `BUZZY_MACHINE`
says for how many minutes it should look for more than the few examples of every day.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from releases import events as e
from releases.lifecycle import Release, State
from releases.plan import RollOut
from releases.record import Store
from sandbox.cluster import running_cluster
from sandbox.cluster.api.faults import Fault
from sandbox.redis_server import RedisServer
from tests.faults.machine_world import (
    NAMESPACES,
    PEOPLE,
    QUORUM,
    Answer,
    Fate,
    MachineWorld,
    PortName,
    Wanted,
    When,
    Write,
)
from workers import advance, drafting, writer

MINUTES = float(os.environ.get("BUZZY_MACHINE", "0"))
EXAMPLES, STEPS = 25, 20
ROUNDS = 40
"""How many rounds of all jobs a world may take to get quiet, once nothing goes wrong any more."""

ENVIRONMENTS = st.sampled_from(sorted(NAMESPACES))
SERVICE_NAMES = st.sampled_from(["buzzy-main", "buzzy-api"])
WANTED: st.SearchStrategy[Wanted] = st.sampled_from(["good", "back", "crash", "missing", "the same"])

ANSWERS: st.SearchStrategy[Answer] = st.sampled_from(
    ["approve", "abort", "withdraw", "refuse", "pause", "resume", "retry"]
)
ACTS = st.sampled_from(["nothing", "kill", "overtake", "redis", "abort", "pause", "edit"])
Place = tuple[PortName, int, When]
PLACES: st.SearchStrategy[Place] = st.tuples(
    st.sampled_from(["store", "cluster"]),
    st.one_of(st.integers(1, 8), st.integers(1, 40)),
    st.sampled_from(["before", "after"]),
)
"""At which call of which port, and whether that takes effect before or after."""

FAULTS = st.sampled_from(
    [
        Fault("status", method="PATCH", status=409),
        Fault("status", method="PATCH", status=500, after_effect=True),
        Fault("status", method="POST", status=500, after_effect=True),
        Fault("status", status=429),
        Fault("status", status=500),
        Fault("status", method="GET", status=410),
        Fault("cut"),
        Fault("delay", seconds=0.05),
    ]
)


class Releases(RuleBasedStateMachine):
    """Everything that may happen to releases of two environments."""

    redis: RedisServer
    """One server for all examples, each under a prefix of its own."""
    examples = 0
    tally: ClassVar[Counter[str]] = Counter()
    """What happened, and how releases ended, over all examples."""

    def __init__(self) -> None:
        """Start a cluster."""
        super().__init__()
        Releases.examples += 1
        self._ends = contextlib.ExitStack()
        folder = Path(self._ends.enter_context(tempfile.TemporaryDirectory()))
        cluster = self._ends.enter_context(running_cluster(speed=60.0))
        store = Store.connect(self.redis.url, prefix=f"x{Releases.examples}", answer_seconds=10)
        self._ends.callback(store.close)
        self.world = MachineWorld(cluster, folder, store)

    # -- people ------------------------------------------------------------------------------------------

    @rule(environment=ENVIRONMENTS, wanted=WANTED)
    def ask(self, environment: str, wanted: Wanted) -> None:
        """Somebody asks for a release, or for a rollback."""
        self.world.ask(environment, wanted)

    @rule(environment=ENVIRONMENTS, who=st.sampled_from(PEOPLE), what=ANSWERS)
    def answer(self, environment: str, who: str, what: Answer) -> None:
        """An approver says something; what is said too late changes nothing."""
        self.world.answer(environment, who, what)

    @rule(environment=ENVIRONMENTS, who=st.sampled_from([*PEOPLE, "U0ALICE", "U0MALLORY"]))
    def all_agree(self, environment: str, who: str) -> None:
        """All approvers agree, and somebody who is none."""
        for each in (who, *PEOPLE):
            self.world.answer(environment, each, "approve")

    @rule(environment=ENVIRONMENTS, service=SERVICE_NAMES, tag=st.sampled_from(["3.2.0", "3.1.9", "3.2.1"]))
    def edit(self, environment: str, service: str, tag: str) -> None:
        """Somebody else changes a Deployment."""
        self.world.edit(environment, service, tag)

    # -- workers -----------------------------------------------------------------------------------------

    @rule(environment=ENVIRONMENTS, wanted=WANTED, where=PLACES, act=ACTS)
    def go(self, environment: str, wanted: Wanted, where: Place, act: str) -> None:
        """All the way to where it changes something, and something happens there."""
        self.world.ask(environment, wanted)
        release = self.world.record.holder(environment)
        if release is not None:
            self.world.run("plan", release, Fate())
            self.all_agree(environment, "U0ALICE")
            self._run("advance", release, where, act)

    @rule(index=st.integers(0, 5), again=st.booleans(), where=PLACES, act=ACTS)
    def work(self, index: int, again: bool, where: Place, act: str) -> None:  # noqa: FBT001 - drawn
        """A job runs, out of order perhaps, stays queued perhaps, and something happens in the middle."""
        queue = self.world.queue.waiting
        if not queue:
            return
        index %= len(queue)
        _, job, release = queue[index]
        if not again:
            del queue[index]
        self._run(job, release, where, act)

    @rule()
    def work_off(self) -> None:
        """All jobs that wait run, and those that they queue."""
        self._work_off()

    @rule(lost=st.booleans())
    def expire(self, lost: bool) -> None:  # noqa: FBT001 - drawn
        """Leases run out, jobs are lost perhaps, and the reaper looks."""
        if lost:
            self.world.queue.waiting.clear()
        self.world.expire_leases()
        self.world.reap()

    # -- what they work with -----------------------------------------------------------------------------

    @rule()
    def restart_redis(self) -> None:
        """Redis crashes and comes back with its log."""
        self._restart()

    @rule(what=FAULTS, count=st.integers(1, 4))
    def fault(self, what: Fault, count: int) -> None:
        """The API server is about to answer so, or has forgotten its history (410)."""
        self.world.cluster.compact()
        self.world.cluster.add_fault(replace(what, count=count))

    # -- what holds --------------------------------------------------------------------------------------

    @invariant()
    def epochs_grow(self) -> None:
        """An environment's epoch never goes back."""
        for environment in NAMESPACES:
            epoch = self.world.epoch(environment)
            assert epoch >= self.world.epochs.get(environment, 0)
            self.world.epochs[environment] = epoch

    @invariant()
    def one_holds_an_environment(self) -> None:
        """What has not ended holds its environment, alone; every fold is legal."""
        under_way: dict[str, list[str]] = {environment: [] for environment in NAMESPACES}
        for release in self._releases():
            if not release.ended:
                under_way[release.environment].append(release.id)
        for environment, ids in under_way.items():
            holder = self.world.record.holder(environment)
            assert ids == ([holder] if holder else [])

    @invariant()
    def nobody_made_a_mistake(self) -> None:
        """No release ended by an error that nobody expected."""
        for release in self._releases():
            assert "mistake" not in release.reason, release.reason

    @invariant()
    def what_was_written_was_agreed_to(self) -> None:
        """Every release that changed something had its plan approved by as many as it takes, before."""
        for id_ in {write.release for write in self.world.writes if write.release is not None}:
            _assert_agreed(self.world.record.events(id_))

    @invariant()
    def writes_are_in_order_and_once(self) -> None:
        """In an environment releases write one after another; each writes a service once in a direction."""
        for environment, namespace in NAMESPACES.items():
            writes = [write for write in self.world.writes if write.namespace == namespace]
            ours = [write for write in writes if write.release is not None]
            assert all(_number(first) <= _number(second) for first, second in pairwise(ours))
            for release in self._releases():
                if release.environment == environment:
                    _assert_once(release, writes)

    def teardown(self) -> None:
        """Everything heals, everybody agrees: then every release ends, and its services are where it says."""
        try:
            self._heal()
            for release in self._releases():
                self.tally[f"{release.request.kind} {release.state}: {release.reason[:60]}"] += 1
            for environment in NAMESPACES:
                self._assert_end(environment)
        finally:
            self._ends.close()

    # -- how ---------------------------------------------------------------------------------------------

    def _heal(self) -> None:
        self.world.cluster.clear_faults()
        for _ in range(ROUNDS):
            if all(release.ended for release in self._releases()):
                break
            for environment in NAMESPACES:
                for who in PEOPLE:
                    self.world.answer(environment, who, "approve")
                self.world.answer(environment, PEOPLE[0], "resume")
            self.world.expire_leases()
            self.world.reap()
            self._work_off()
        else:
            stuck = [(each.id, each.state) for each in self._releases() if not each.ended]
            raise AssertionError(f"these do not end: {stuck}")
        self._check()

    def _check(self) -> None:
        self.epochs_grow()
        self.one_holds_an_environment()
        self.nobody_made_a_mistake()
        self.what_was_written_was_agreed_to()
        self.writes_are_in_order_and_once()

    def _assert_end(self, environment: str) -> None:
        """Whatever released or went back last, its services run what it says, if nobody else wrote since."""
        past = [release for release in self._releases() if release.environment == environment]
        last = next((release for release in reversed(past) if release.changed_services), None)
        if last is None or last.plan is None or last.state not in {State.RELEASED, State.ROLLED_BACK}:
            return
        writes = [write for write in self.world.writes if write.namespace == NAMESPACES[environment]]
        first = next((i for i, write in enumerate(writes) if write.release == last.id), len(writes))
        if any(write.release != last.id for write in writes[first:]):
            return
        runs = self.world.templates(environment)
        for step in last.plan.rollouts():
            wanted = step.new if last.state is State.RELEASED else step.stable
            touched = last.state is State.RELEASED or step.service in last.changed_services
            if touched and any(write.service == step.service for write in writes[first:]):
                assert runs[step.deployment] == wanted.digest

    def _run(self, job: str, release: str, where: Place, act: str) -> None:
        environment = self.world.record.load(release).release.environment

        def happens(fate: Fate) -> None:
            self.tally[f"{act} at a call of the {fate.port}"] += 1
            match act:
                case "kill":
                    fate.kill()
                case "overtake":
                    self.world.expire_leases()
                    for name in ("plan", "advance"):
                        self.world.run(name, release, Fate())
                case "redis":
                    self._restart()
                case "abort":
                    self.world.answer(environment, "U0BOB", "abort")
                case "pause":
                    self.world.answer(environment, "U0BOB", "pause")
                case "edit":
                    self.world.edit(environment, "buzzy-api", "3.1.9")

        self.world.run(job, release, Fate(*where, happens))

    def _restart(self) -> None:
        self.redis.kill()
        self.redis.start()

    def _work_off(self) -> None:
        for _ in range(ROUNDS):
            if not self.world.queue.waiting:
                return
            _, job, release = self.world.queue.waiting.popleft()
            self.world.run(job, release, Fate())

    def _releases(self) -> list[Release]:
        return [self.world.record.load(id_).release for id_ in self.world.releases]


def _number(write: Write) -> int:
    return int((write.release or "R0")[1:])


def _assert_agreed(events: tuple[e.Event, ...]) -> None:
    """At the moment at which it was approved, the quorum was there, for the plan that started."""
    yes: dict[str, str] = {}
    digest, agreed, needed = "", False, 0
    for happened in events:
        match happened:
            case e.ReleaseRequested(environment=environment):
                needed = QUORUM[environment]
            case e.PlanProposed(plan=plan):
                digest, agreed = plan.digest, False
            case e.ApprovalGiven(by=by):
                assert by.id in PEOPLE
                yes[by.id] = happened.digest
            case e.ApprovalWithdrawn(by=by):
                yes.pop(by.id, None)
                agreed = False
            case e.Approved():
                assert happened.digest == digest
                agreed = sum(each == digest for each in yes.values()) >= needed
            case e.ReleaseStarted():
                assert agreed
                return
    raise AssertionError("it wrote and never started")


def _assert_once(release: Release, writes: list[Write]) -> None:
    """Per service: to the new template once, back once, unless somebody else wrote in between."""
    if release.plan is None:
        return
    steps = {step.service: step for step in release.plan.steps if isinstance(step, RollOut)}
    for service in {write.service for write in writes if write.release == release.id}:
        step = steps[service]
        since: list[str] = []
        for write in (each for each in writes if each.service == service):
            if write.release != release.id:
                since.clear()
                continue
            assert write.after in {step.new.digest, step.stable.digest}
            assert write.after not in since, f"{release.id} wrote {service} twice"
            since.append(write.after)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Releases]]:
    """The machine, with a Redis that keeps a log, and pauses that tests need not wait for."""
    for module in (advance, drafting, writer):
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0.02)
    with RedisServer(folder=tmp_path) as server:
        Releases.redis = server
        yield Releases


@pytest.mark.long
@pytest.mark.requirement("Q1", "Q2", "Q3")
@pytest.mark.timeout(3600)
def test_whatever_happens_it_happens_once_and_was_agreed_to(
    machine: type[Releases], tell: Callable[[str], None]
) -> None:
    """Every sequence of rules keeps every invariant, and every release ends."""
    give_up = time.monotonic() + MINUTES * 60
    _run(machine, derandomize=not MINUTES)
    while time.monotonic() < give_up:
        _run(machine, derandomize=False)
    if MINUTES:
        tally = (f"  {name}: {count}" for name, count in sorted(machine.tally.items()))
        tell("\n".join([f"{machine.examples} worlds", *tally]))


def _run(machine: type[Releases], *, derandomize: bool) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=derandomize,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),  # each world takes seconds: to shrink one would take hours
        ),
    )
