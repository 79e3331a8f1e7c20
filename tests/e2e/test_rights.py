"""The Role of deploy/ against a real API server: nothing of it is missing, and nothing of it is idle."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.workspace import Message
from tests.e2e.arenas import STABLE
from tests.e2e.grants import Grants, Right, right_of
from tests.e2e.houses import CHANNELS, PATIENCE, TICK, House

pytestmark = pytest.mark.e2e

OpenHouse = Callable[..., House]
BACKUP = "buzzybuzz/backup:1.4"
BACKED_UP = {"development": {"database": {"backup": {"image": BACKUP, "deadline": "1m"}}}}


@pytest.mark.requirement("C1", "C5", "C6", "V3", "D3")
@pytest.mark.timeout(240)
def test_the_role_allows_all_that_is_done_and_no_more(open_house: OpenHouse, grants: Grants) -> None:
    """The journeys' substance as the ServiceAccount: no request is denied, and no rule is never used."""
    slots = {"strategies": ["blue-green"], "blue_green": {"monitor": "1s"}}
    rules = {"development": {**BACKED_UP["development"], **slots}}
    house = open_house("staging", "development", rules=rules)
    _ask_about(house)
    _stop_a_backup_that_cannot_begin(house)
    house.released("/buzzy release 3.2.1 staging", "staging", house.bob)
    _fail_and_go_back(house)
    _abort(house)
    _release_with_a_configuration_that_is_there(house)
    house.kubectl("development", "autoscale", "deployment", "buzzy-main", "--min=1", "--max=5")
    house.released("/buzzy release 3.2.2 development --strategy blue-green", "development")

    asked = grants.requests(list(house.namespaces.values()))
    denied = sorted(str(right_of(each)) for each in asked if not each.was_allowed)
    assert denied == []
    assert sorted({str(right_of(each)) for each in asked}) == sorted(str(each) for each in grants.rights)


def _ask_about(house: House) -> None:
    """A plan, a status and a history."""
    for line, says in [
        ("/buzzy plan 3.2.1 staging", "buzzybuzz/buzzy-main:3.2.1"),
        ("/buzzy status staging", STABLE),
        ("/buzzy history staging", "kubectl"),
    ]:
        house.alice.command(line, CHANNELS["staging"])
        house.alice.wait_for_ephemeral(CHANNELS["staging"], says, timeout=PATIENCE)


def _fail_and_go_back(house: House) -> None:
    """A version that crashes, with the log and the events of its pods, and the way back from it."""
    house.arena.behave("3.3.0", "crash")
    message = house.ask("/buzzy release 3.3.0 staging", "staging")
    house.bob.react(house.until(message, "waiting for"), TICK)
    house.until(message, "failed at buzzy-main")
    thread = house.told(message, "🔴 Failed")
    assert "Back-off restarting failed container" in thread
    assert "MONGODB_URL is not set" in thread
    back = house.ask("/buzzy rollback staging", "staging")
    house.bob.react(house.until(back, "waiting for"), TICK)
    house.until(back, "rolled back in")
    assert set(house.images("staging").values()) == {"3.2.1"}


def _stop_a_backup_that_cannot_begin(house: House) -> None:
    """A Job whose image is not there; with the image there, the same release backs up and goes on."""
    house.arena.behave(BACKUP, "missing")
    house.until(house.ask("/buzzy release 3.2.2 development", "development"), "failed at backup")
    house.arena.behave(BACKUP, "succeed")
    house.released("/buzzy release 3.2.2 development", "development")
    house.until(house.ask("/buzzy rollback development", "development"), "rolled back in")


def _abort(house: House) -> None:
    """A release that is stopped at its second service, which is not ready."""
    house.hold("buzzy-api", "3.4.0")
    message = house.ask("/buzzy release 3.4.0 development", "development")
    house.alice.click(house.until(message, "service 2 of 4"), "Abort")
    house.until(message, f"back at {STABLE}")


def _release_with_a_configuration_that_is_there(house: House) -> None:
    """A version that was rolled back and comes again finds its ConfigMap, and looks into it."""
    house.released("/buzzy release 3.2.1 development", "development")
    house.until(house.ask("/buzzy rollback development", "development"), "rolled back in")
    house.released("/buzzy release 3.2.1 development", "development")
    assert set(house.images("development").values()) == {"3.2.1"}


@pytest.mark.requirement("C1", "Q1")
@pytest.mark.parametrize(
    "missing",
    [
        Right("patch", "apps/deployments"),
        Right("get", "apps/deployments"),
        Right("list", "apps/replicasets"),
        Right("watch", "pods"),
        Right("create", "configmaps"),
        Right("create", "batch/jobs"),
        Right("watch", "batch/jobs"),
        Right("get", "coordination.k8s.io/leases", "buzzy-release"),
        Right("create", "coordination.k8s.io/leases"),
        Right("update", "coordination.k8s.io/leases", "buzzy-release"),
        Right("get", "configmaps"),
        Right("update", "configmaps", "buzzy-ledger"),
    ],
    ids=str,
)
def test_a_missing_right_is_named_before_anything_is_touched(
    open_house: OpenHouse, grants: Grants, missing: Right
) -> None:
    """The message says which; the cluster is as it was; with the right given, the same command does it."""
    house = open_house("development", rules=BACKED_UP)
    namespace = house.namespaces["development"]
    before = house.deployments("development")
    grants.give(namespace, without=missing)
    message = house.ask("/buzzy release 3.2.1 development", "development")
    message = house.until(message, "cannot be done, nothing was changed")
    assert f"its Role there needs {missing}" in message
    after = house.deployments("development")
    assert {n: d["spec"] for n, d in after.items()} == {n: d["spec"] for n, d in before.items()}
    assert "buzzy" not in house.kubectl("development", "get", "configmaps", "-o", "name")
    assert no_traceback(house, message)

    grants.give(namespace)
    house.released("/buzzy release 3.2.1 development", "development")
    assert set(house.images("development").values()) == {"3.2.1"}


@pytest.mark.requirement("D3")
@pytest.mark.parametrize("missing", [Right("get", "pods/log"), Right("list", "events")], ids=str)
def test_evidence_that_may_not_be_read_says_so(open_house: OpenHouse, grants: Grants, missing: Right) -> None:
    """A failure is told with all that may be read of it, and with the right that the rest needs."""
    house = open_house("development")
    grants.give(house.namespaces["development"], without=missing)
    house.arena.behave("3.3.0", "crash")
    message = house.ask("/buzzy release 3.3.0 development", "development")
    message = house.until(message, "failed at buzzy-main")
    thread = house.told(message, "🔴 Failed")
    assert f"its Role there needs {missing}" in thread
    assert no_traceback(house, message)


def no_traceback(house: House, message: Message) -> bool:
    """Whether nothing in the channel is for programmers only."""
    seen = [*house.alice.messages(message.channel), *house.alice.thread(message)]
    return not any(word in each.shown for each in seen for word in ("Traceback", "made a mistake"))
