"""The cluster remembers: its ledger, written beside the releases, and the record that is rebuilt from it."""

from __future__ import annotations

import base64
import copy
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from releases import events as e
from releases import verifying
from releases.ledger import NAME, Ledger, read_ledger
from releases.lifecycle import State
from releases.record import RecordUnavailableError, Store
from sandbox.cluster.api.faults import Fault
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.resources import CONFIG_MAPS
from tests.integration.workers_world import NAMESPACE, World, now, world
from workers import rebuilding
from workers.cluster.connections import Connections
from workers.reaper import Reaper
from workers.rebuilding import NotRebuiltError


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[World]:
    """A world with two environments of one cluster."""
    with world(store, tmp_path) as made:
        made.cluster.seed_buzzy(namespaces=("buzzy-development",))
        yield made


def ledger(here: World, namespace: str = NAMESPACE) -> Ledger:
    """What a namespace remembers."""
    found = here.cluster.run(lambda: here.cluster.store.get(CONFIG_MAPS, namespace, NAME))
    assert found is not None
    parts = {key: base64.b64decode(part) for key, part in (found.get("binaryData") or {}).items()}
    return read_ledger(found["data"], parts)


def problems(here: World) -> list[str]:
    """What cannot be true of the record, and of the ledger beside it."""
    kept = here.record.archive.whole()
    found = verifying.of_record(kept) + verifying.of_ledger(ledger(here), kept, NAMESPACE)
    return [str(problem) for problem in found.problems]


def lose(here: World) -> None:
    """Redis comes back empty."""
    here.store.call("FLUSHALL")
    here.queue.waiting.clear()


def rebuild(here: World) -> list[str]:
    """What `buzzy record rebuild` does; what it says."""
    moment = now()
    memories = rebuilding.remember(here.config, Connections(str(here.kubeconfig)), moment)
    recovery = rebuilding.recover(memories, moment)
    rebuilding.put_back(here.record, recovery, memories, moment)
    return rebuilding.story(recovery, memories)


def everything(here: World, *ids: str) -> dict[str, Any]:
    """All that people see of releases and environments."""
    return {
        "releases": {id_: here.record.archive.release(id_) for id_ in ids},
        "history": here.record.recent("staging", 50),
        "services": [
            snapshot.services if (snapshot := here.record.seen(name)) else None for name in ("staging",)
        ],
        "installation": here.record.installation(),
    }


@pytest.mark.requirement("Q4", "Q5")
def test_a_release_is_in_the_ledger_when_it_starts_and_when_it_has_ended(here: World) -> None:
    """Complete, with its hashes; before the first change of the cluster it is known that it started."""
    id_ = here.ask("3.2.1")
    here.work()
    made = [f"{each.verb} {each.resource}" for each in here.cluster.writes(user="buzzy-worker")]
    writes = [each for each in made if not each.endswith(" leases")]
    assert writes[:3] == ["create configmaps", "create configmaps", "patch deployments"]
    assert writes[-1] == "update configmaps"
    remembered = ledger(here)
    kept = here.record.archive.release(id_)
    assert kept is not None
    assert remembered.lines(id_) == kept.lines
    assert remembered.counter == 1
    assert remembered.installation == here.record.installation()
    assert here.record.archive.forgotten() == ()
    assert problems(here) == []


@pytest.mark.requirement("Q5")
def test_a_failed_write_stops_no_release_and_is_made_up_for(here: World) -> None:
    """The release goes on to its end; the reaper's job brings the ledger up to date, once it can be."""
    here.release("3.2.1")
    fault = Fault("status", count=50, method="PUT", path=rf"configmaps/{NAME}\?(?!.*dryRun)")
    here.cluster.add_fault(fault)
    id_ = here.ask("3.2.2")
    here.work()
    assert here.load(id_).state is State.RELEASED
    assert here.record.archive.forgotten() == ("staging",)
    here.cluster.clear_faults()
    Reaper(here.store, here.record, here.queue, now=now).reap()
    assert list(here.queue.waiting) == [("validation", "ledger", "staging")]
    here.work()
    assert here.record.archive.forgotten() == ()
    assert ledger(here).newest == id_
    assert problems(here) == []


@pytest.mark.requirement("Q1", "Q5")
def test_of_two_who_write_at_once_neither_is_lost(here: World) -> None:
    """Each reads again what the other wrote, and the ledger ends as the record says."""
    for version in ("3.2.1", "3.2.2"):
        here.release(version)
    ledgers = [here.worker()._tools.drafts.ledgers for _ in range(4)]
    found = here.cluster.run(lambda: here.cluster.store.get(CONFIG_MAPS, NAMESPACE, NAME))
    assert found is not None
    registry = here.cluster.registry

    def forget(thing: dict[str, Any]) -> None:
        thing["binaryData"] = {}
        thing["data"]["heads"] = ""

    here.cluster.run(lambda: registry.modify(CONFIG_MAPS, copy.deepcopy(found), forget, manager="kubectl"))
    threads = [threading.Thread(target=each.bring_up, args=("staging",)) for each in ledgers]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert set(ledger(here).releases) == {"R1", "R2"}
    assert problems(here) == []


@pytest.mark.requirement("Q5")
def test_a_lost_record_is_not_begun_anew_over_a_history(here: World) -> None:
    """With the record lost, a plan is refused with the command to run, and the ledger stays as it is."""
    here.release("3.2.1")
    before = ledger(here)
    lose(here)
    release = here.release("3.2.2")
    assert release.state is State.IMPOSSIBLE
    assert "The record of staging was lost, or is an old copy" in release.reason
    assert "buzzy record rebuild" in release.hint
    assert set(here.versions().values()) == {"3.2.1"}
    assert ledger(here) == before


@pytest.mark.requirement("Q1", "Q5")
@pytest.mark.parametrize("forgotten", [1, 3], ids=["its last event", "its last events"])
def test_what_a_redis_that_crashed_forgot_is_taken_over(here: World, forgotten: int) -> None:
    """It appends to its log once a second; the release's end comes back from the ledger, hash by hash."""
    id_ = here.release("3.2.1").id
    before = here.record.archive.release(id_)
    call, key = here.store.call, here.store.key
    for _ in range(forgotten):
        call("RPOP", key("release", id_, "events"))
    call("HSET", key("environment", "staging"), "release", id_)
    call("SADD", key("active"), id_)
    assert here.load(id_).state is State.RUNNING
    Reaper(here.store, here.record, here.queue, now=now).reap()
    patches = len(here.cluster.writes(user="buzzy-worker", verb="patch"))
    here.work()
    assert here.record.archive.release(id_) == before
    assert len(here.cluster.writes(user="buzzy-worker", verb="patch")) == patches
    assert problems(here) == []
    assert here.release("3.2.2").state is State.RELEASED


@pytest.mark.requirement("Q5", "B6")
def test_a_record_that_was_lost_is_rebuilt_as_it_was(here: World) -> None:
    """Histories, chains, numbers, installation, what runs; a rollback goes where it would have gone."""
    here.release("3.2.1")
    here.release("3.2.2")
    here.release("3.2.1", environment="development")
    before = everything(here, "R1", "R2", "R3")
    lose(here)
    here.release("3.2.3")  # refused: see above
    says = rebuild(here)
    assert everything(here, "R1", "R2", "R3") == before
    assert says[0].startswith("staging: R1 to R2, 2 releases; runs buzzy-main 3.2.2 (by R2)")
    assert says[-1].startswith("The next release is R6: R4 to R5 may have been given")
    assert here.record.holder("staging") is None
    assert problems(here) == []
    back = here.rollback()
    assert back.id == "R6"
    assert back.state is State.RELEASED
    assert set(here.versions().values()) == {"3.2.1"}
    assert problems(here) == []
    assert ledger(here).newest == "R6"


@pytest.mark.requirement("Q1", "Q5", "X7")
@pytest.mark.parametrize("aborted", [False, True], ids=["going there", "going back"])
def test_a_release_that_was_under_way_goes_on(here: World, *, aborted: bool) -> None:
    """From what its ledger has of it; the thread says so, and nothing is done twice."""
    here.jobs = here.worker(stopping=lambda: here.stop)
    id_ = here.ask("3.2.1")
    here.jobs.plan(id_)
    here.queue.waiting.clear()
    wanted = State.TURNING_BACK if aborted else State.RUNNING

    def stopping() -> bool:
        release = here.load(id_)
        if aborted and release.state is State.RUNNING and "buzzy-api" in release.changed_services:
            here.abort(id_, "wrong version")
        done = any(step.finished_at for step in release.back) if aborted else release.changed_services
        return release.state is wanted and bool(done)

    here.worker(stopping=stopping).advance(id_)
    assert here.load(id_).state is wanted
    lose(here)
    rebuild(here)
    assert here.record.holder("staging") == id_
    assert here.record.behind() == (id_,)
    assert here.load(id_).state is wanted
    Reaper(here.store, here.record, here.queue, now=now).reap()
    here.work()
    release = here.load(id_)
    assert release.state is (State.ROLLED_BACK if aborted else State.RELEASED)
    assert set(here.versions().values()) == {"3.2.0" if aborted else "3.2.1"}
    (found,) = [each.found for each in here.events(id_) if isinstance(each, e.Interrupted)]
    assert found.startswith("The record was lost. As the cluster remembers it, the release stands")
    assert "buzzy-main runs" in found
    if not aborted:
        patches = [each.name for each in here.cluster.writes(user="buzzy-worker", verb="patch")]
        assert len(patches) == len(set(patches)) == 4
    assert problems(here) == []


@pytest.mark.requirement("Q1", "Q5")
def test_a_rebuild_that_breaks_off_anywhere_can_be_run_again(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever command to Redis is the last that comes through: a second run ends where it should."""
    here.release("3.2.1")
    here.release("3.2.1", environment="development")
    before = everything(here, "R1", "R2")
    for last in range(1, 60):
        lose(here)
        with monkeypatch.context() as patched:
            whole = _break_after(last, here.store, patched, lambda: rebuild(here))
        if whole:
            break
        rebuild(here)
        assert everything(here, "R1", "R2") == before, last
        assert here.record.archive.counter() == 4, last
        assert not here.record.archive.rebuilding
        assert problems(here) == [], last
    assert last > 10


def _break_after(last: int, store: Store, patched: pytest.MonkeyPatch, action: Callable[[], object]) -> bool:
    """Let the connection to Redis break after so many commands; whether the action came to its end."""
    asked = 0
    execute: Callable[..., Any] = store._client.execute_command

    def counted(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as redis-py
        nonlocal asked
        asked += 1
        if asked > last:
            raise redis.ConnectionError("gone")
        return execute(*args, **options)

    patched.setattr(store._client, "execute_command", counted)
    try:
        action()
    except RecordUnavailableError:
        return False
    return True


@pytest.mark.requirement("Q5")
def test_a_record_that_is_not_lost_is_not_rebuilt(here: World) -> None:
    """It says what is in it, and touches nothing."""
    here.release("3.2.1")
    before = everything(here, "R1")
    with pytest.raises(NotRebuiltError, match=r"not empty: 1 of its 1 releases .*R1 \(staging, released\)"):
        rebuild(here)
    assert everything(here, "R1") == before


@pytest.mark.requirement("Q5")
def test_a_cluster_that_cannot_be_read_is_named_and_nothing_is_rebuilt(here: World) -> None:
    """A history that is left out would be lost for good."""
    here.release("3.2.1")
    lose(here)
    with here.cluster.unreachable(), pytest.raises(NotRebuiltError) as error:
        rebuild(here)
    assert str(error.value).startswith("staging: The cluster does not answer (connection refused).")
    assert here.record.archive.counter() == 0


@pytest.mark.requirement("Q5")
def test_without_a_ledger_what_runs_is_shown_and_nothing_is_made_up(here: World) -> None:
    """The annotations say which release put it there; there is none such, nor another of its number."""
    here.release("3.2.1")
    here.release("3.2.2")
    registry = here.cluster.registry
    here.cluster.run(lambda: registry.delete(CONFIG_MAPS, NAMESPACE, NAME, DeleteOptions()))
    lose(here)
    says = rebuild(here)
    assert says[0].startswith("staging: its ledger has no releases; runs buzzy-main 3.2.2 (by R2)")
    assert here.record.recent("staging", 10) == ()
    snapshot = here.record.seen("staging")
    assert snapshot is not None
    assert {each.release for each in snapshot.services} == {"R2"}
    release = here.release("3.2.3")
    assert (release.id, release.state) == ("R5", State.RELEASED)
    assert verifying.of_record(here.record.archive.whole()).problems == ()
