"""What people do from Slack, from end to end: real bot, real worker, real Redis, and a Kubernetes API."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

import httpx
import pytest

from sandbox.workspace import Message
from tests.e2e.arenas import PREVIOUS, STABLE
from tests.e2e.houses import CHANNELS, CROSS, ON_CALL, PATIENCE, TICK, House

OpenHouse = Callable[..., House]
SERVICES = ["buzzy-main", "buzzy-api", "buzzy-files", "buzzy-worker"]


@pytest.mark.requirement("C1", "C2", "C3", "D3")
def test_a_release_from_the_command_to_the_end(open_house: OpenHouse) -> None:
    """Asked for, planned, approved by reaction, rolled out one service after another, told in one thread."""
    house = open_house("staging")
    message = house.ask('/buzzy release 3.2.1 staging --reason "fix export timeout"', "staging")
    message = house.until(message, "waiting for approval")
    assert f"{STABLE} → 3.2.1" in message
    assert "patch · rolling" in message
    assert "fix export timeout" in message
    assert set(house.images("staging").values()) == {STABLE}
    house.bob.react(message, TICK)
    message = house.until(message, "🟢")
    assert set(house.images("staging").values()) == {"3.2.1"}
    thread = house.told(message, "released")
    finished = [thread.index(f"{service} to 3.2.1") for service in SERVICES]
    assert finished == sorted(finished)
    assert len(house.alice.messages(CHANNELS["staging"])) == 1
    annotations = house.deployments("staging")["buzzy-api"]["metadata"]["annotations"]
    assert "3.2.0 → 3.2.1" in annotations["kubernetes.io/change-cause"]


@pytest.mark.requirement("C3", "C11")
def test_two_approvals_not_by_the_asker_and_taken_back_in_between(open_house: OpenHouse) -> None:
    """Production: the asker's does not count, one is not enough, and one taken back is none."""
    house = open_house("production")
    message = house.ask("/buzzy release 3.2.1 production", "production", who=house.bob)
    message = house.until(message, "waiting for 2 of 2 approvals")
    house.bob.react(message, TICK)
    house.bob.wait_for_ephemeral(CHANNELS["production"], "nobody approves their own", timeout=PATIENCE)
    house.carol.react(message, TICK)
    house.until(message, "waiting for 1 of 2 approvals")
    house.carol.unreact(message, TICK)
    house.until(message, "waiting for 2 of 2 approvals")
    house.workspace.set_group("S0APPROVERS", ["U0BOB", "U0CAROL", "U0DAN"])
    assert set(house.images("production").values()) == {STABLE}


@pytest.mark.requirement("C3")
def test_a_refusal_ends_it_and_nothing_is_touched(open_house: OpenHouse) -> None:
    """❌ by an approver; the environment is free again at once."""
    house = open_house("staging")
    message = house.ask("/buzzy release 3.2.1 staging", "staging")
    house.until(message, "waiting for approval")
    house.bob.react(message, CROSS)
    house.until(message, "refused, nothing was changed")
    assert set(house.images("staging").values()) == {STABLE}
    house.released("/buzzy release 3.2.1 staging", "staging", house.bob)


@pytest.mark.requirement("D3", "B6")
def test_a_version_that_crashes_fails_wakes_on_call_and_is_rolled_back(open_house: OpenHouse) -> None:
    """It stops at the first service with the pods' own words; on-call goes back with the alert's button."""
    house = open_house("staging")
    before = house.deployments("staging")
    house.arena.behave("3.3.0", "crash")
    message = house.ask("/buzzy release 3.3.0 staging", "staging")
    house.until(message, "waiting for approval")
    house.bob.react(message, TICK)
    message = house.until(message, "failed at buzzy-main")
    assert "exit code 1" in message
    assert house.images("staging") == {**dict.fromkeys(SERVICES, STABLE), "buzzy-main": "3.3.0"}
    alert = house.erin.wait_for_message(ON_CALL, "staging", timeout=PATIENCE)
    assert "S0ONCALL" in str(alert.blocks) + alert.text
    house.erin.click(alert, "Roll back")
    rollback = house.erin.wait_for_message(
        CHANNELS["staging"], "rollback of buzzy", after=message, timeout=PATIENCE
    )
    house.until(rollback, "rolled back in")
    after = house.deployments("staging")
    for name in SERVICES:
        assert after[name]["spec"]["template"] == before[name]["spec"]["template"]


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("version", "says"),
    [("3.3.0-missing", "the registry has no such image"), ("3.3.0-never-ready", "Readiness probe failed")],
    ids=["no such image", "never ready"],
)
def test_a_version_that_does_not_come_up_fails_with_the_pods_reason(
    open_house: OpenHouse, version: str, says: str
) -> None:
    """In development, where pre-releases are welcome; whatever the reason, it is the pods' own."""
    house = open_house("development")
    message = house.ask(f"/buzzy release {version} development", "development")
    house.until(message, "failed at buzzy-main")
    assert says in house.told(message, "Failed: buzzy-main")


@pytest.mark.requirement("B6")
def test_rollbacks_to_a_version_a_release_and_a_revision(open_house: OpenHouse) -> None:
    """Each goes where it says, over all services, and the default is the version before."""
    house = open_house("development")
    house.released("/buzzy release 3.2.1 development", "development")
    house.released("/buzzy release 3.2.2 development", "development")
    for line, version in [
        ("/buzzy rollback development", "3.2.1"),
        (f"/buzzy rollback development --to {PREVIOUS}", PREVIOUS),
        ("/buzzy rollback development --to R2", "3.2.2"),
        ("/buzzy rollback development --to 2", STABLE),
    ]:
        message = house.ask(line, "development")
        house.until(message, "rolled back in")
        assert set(house.images("development").values()) == {version}, line


@pytest.mark.requirement("D4", "B6")
@pytest.mark.kubectl
def test_kubectl_beside_the_bot(open_house: OpenHouse) -> None:
    """After `kubectl rollout undo` the bot's status and history tell what really runs, and who did it."""
    house = open_house("development")
    house.released("/buzzy release 3.2.1 development", "development")
    assert "3.2.0 → 3.2.1" in house.kubectl("development", "rollout", "history", "deployment/buzzy-api")
    house.kubectl("development", "rollout", "undo", "deployment/buzzy-api")
    house.kubectl("development", "rollout", "status", "deployment/buzzy-api", "--timeout=30s")
    house.alice.command("/buzzy status development", CHANNELS["development"])

    def truth(kind: str, *texts: str) -> None:
        answers = house.alice.ephemerals(CHANNELS["development"])
        shown = "\n".join(answer.shown for answer in answers if kind in answer)
        assert all(text in shown for text in texts), shown

    house.alice.wait_for_ephemeral(CHANNELS["development"], "3.2.0", timeout=PATIENCE)
    house.alice.command("/buzzy history development", CHANNELS["development"])
    house.alice.wait_for_ephemeral(CHANNELS["development"], "kubectl", timeout=PATIENCE)
    truth("development", "3.2.1", "3.2.0")
    message = house.ask("/buzzy release 3.2.2 development", "development")
    house.until(message, "🟢")
    assert set(house.images("development").values()) == {"3.2.2"}


@pytest.mark.requirement("C1")
def test_a_plan_shows_everything_and_changes_nothing(open_house: OpenHouse) -> None:
    """Every step and the object diff; the Deployments are as they were."""
    house = open_house("staging")
    before = house.deployments("staging")
    house.alice.command("/buzzy plan 3.2.1 staging", CHANNELS["staging"])
    plan = house.alice.wait_for_ephemeral(CHANNELS["staging"], "buzzybuzz/buzzy-main:3.2.1", timeout=PATIENCE)
    assert "buzzybuzz/buzzy-main:3.2.0" in plan
    after = house.deployments("staging")
    assert {n: d["metadata"]["resourceVersion"] for n, d in after.items()} == {
        n: d["metadata"]["resourceVersion"] for n, d in before.items()
    }


@pytest.mark.requirement("Q2")
def test_a_second_release_is_told_who_holds_the_environment(open_house: OpenHouse) -> None:
    """Nothing is queued behind it; the answer says how to stop the first."""
    house = open_house("staging")
    message = house.ask("/buzzy release 3.2.1 staging", "staging")
    house.until(message, "waiting for approval")
    house.carol.command("/buzzy release 3.2.2 staging", CHANNELS["staging"])
    busy = house.carol.wait_for_ephemeral(CHANNELS["staging"], "R1", timeout=PATIENCE)
    assert "/buzzy abort R1" in busy
    house.alice.command("/buzzy abort R1", CHANNELS["staging"])
    house.until(message, "cancelled, nothing was changed")


@pytest.mark.requirement("D3")
def test_an_abort_on_the_way_undoes_what_was_done(open_house: OpenHouse) -> None:
    """Stopped while the second service is not ready: both go back to what they were."""
    house = open_house("development")
    before = house.deployments("development")
    house.hold("buzzy-api", "3.4.0")
    message = house.ask("/buzzy release 3.4.0 development", "development")
    house.until(message, "service 2 of 4")
    house.alice.click(message, "Abort")
    house.until(message, f"back at {STABLE}")
    after = house.deployments("development")
    for name in SERVICES:
        assert after[name]["spec"]["template"] == before[name]["spec"]["template"]


@pytest.mark.requirement("Q1")
def test_a_worker_that_is_killed_is_followed_by_another(open_house: OpenHouse) -> None:
    """SIGKILL in the middle of a service: the next worker goes on, and the thread says what it found."""
    house = open_house("development", deadline="90s")
    house.hold("buzzy-api", "3.4.0")
    message = house.ask("/buzzy release 3.4.0 development", "development")
    house.until(message, "service 2 of 4")
    house.workers[0].kill()
    house.start_worker()
    house.let_go("development", "buzzy-api", "3.4.0")
    house.until(message, "🟢", timeout=90)
    assert set(house.images("development").values()) == {"3.4.0"}
    house.told(message, "released")


@pytest.mark.requirement("D4")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/buzzy release 3.1.4 development", "rollback"),
        ("/buzzy release 3.2.0 development", "already runs"),
        ("/buzzy rollback development --to 9.9.9", "9.9.9"),
        ("/buzzy rollback development --to 77", "77"),
    ],
    ids=["downgrade", "already there", "no such version", "no such revision"],
)
def test_what_cannot_be_done_is_said_before_anything_is_touched(
    open_house: OpenHouse, line: str, says: str
) -> None:
    """The message says why; every Deployment is as it was."""
    house = open_house("development")
    message = house.until(house.ask(line, "development"), "cannot be done, nothing was changed")
    assert says in message
    assert set(house.images("development").values()) == {STABLE}


@pytest.mark.requirement("D4")
def test_a_missing_deployment_is_named(open_house: OpenHouse) -> None:
    """Before anything is touched, with what to do."""
    house = open_house("development")
    house.delete_deployment("development", "buzzy-files")
    message = house.until(
        house.ask("/buzzy release 3.2.1 development", "development"), "cannot be done, nothing was changed"
    )
    assert "buzzy-files" in message
    assert set(house.images("development").values()) == {STABLE}


@pytest.mark.requirement("C1")
def test_an_outage_of_the_cluster_costs_nothing_but_time(open_house: OpenHouse) -> None:
    """The API goes away in the middle and comes back; the release goes on by itself."""
    # Kubernetes' own controllers need their time to find the API server again.
    house = open_house("development", deadline="90s")
    house.hold("buzzy-api", "3.4.0")
    message = house.ask("/buzzy release 3.4.0 development", "development")
    house.until(message, "service 2 of 4")
    with house.arena.outage():
        house.told(message, "does not answer")
    house.let_go("development", "buzzy-api", "3.4.0")
    house.until(message, "🟢", timeout=90)
    assert set(house.images("development").values()) == {"3.4.0"}


@pytest.mark.requirement("C1", "C3")
def test_the_same_over_signed_http_requests(open_house: OpenHouse) -> None:
    """Commands, reactions and buttons as requests that Slack signs; a forged one is refused."""
    house = open_house("production", http=True)
    message = house.ask("/buzzy release 3.2.1 production", "production")
    house.until(message, "waiting for 2 of 2 approvals")
    house.bob.react(message, TICK)
    house.until(message, "waiting for 1 of 2 approvals")
    house.carol.click(message, "Approve")
    house.until(message, "🟢")
    assert set(house.images("production").values()) == {"3.2.1"}
    forged = httpx.post(
        house.request_url,
        data={"command": "/buzzy", "text": "rollback production", "trigger_id": "1.2.3"},
        headers={"X-Slack-Signature": "v0=" + "0" * 64, "X-Slack-Request-Timestamp": str(int(time.time()))},
    )
    assert forged.status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.requirement("C4", "S1", "S3")
def test_what_staging_proved_is_promoted_and_nothing_before(open_house: OpenHouse) -> None:
    """Not proven, then not soaked, each refused with what is missing; then the version of staging goes on."""
    soak = {"requires": {"proven_in": "staging", "soak": "15s"}}
    house = open_house("staging", "production", rules={"production": soak})
    house.alice.command("/buzzy release 3.2.1 production", CHANNELS["production"])
    told = house.alice.wait_for_ephemeral(CHANNELS["production"], "3.2.1 is not proven", timeout=PATIENCE)
    assert "/buzzy release 3.2.1 staging" in told
    house.released("/buzzy release 3.2.1 staging", "staging", house.bob)
    line = "/buzzy promote staging production"
    house.alice.command(line, CHANNELS["production"])
    told = house.alice.wait_for_ephemeral(CHANNELS["production"], "of the 15 s that production asks for")
    assert "3.2.1 has run in staging for" in told
    assert house.alice.messages(CHANNELS["production"]) == []

    message = _asked_until_taken(house, line, "production")
    message = house.until(message, "waiting for 2 of 2 approvals")
    assert "patch · rolling · from staging" in message
    house.bob.react(message, TICK)
    house.carol.react(message, TICK)
    house.until(message, "🟢")
    assert set(house.images("production").values()) == {"3.2.1"}


def _answered(house: House, channel: str, told: int) -> bool:
    """Whether there is a message, or a refusal behind the word that the command was noted."""
    return bool(house.alice.messages(channel)) or len(house.alice.ephemerals(channel)) > told + 1


def _asked_until_taken(house: House, line: str, environment: str) -> Message:
    """Ask again and again: what is refused leaves no message, only a word to the one who asked."""
    channel, began = CHANNELS[environment], time.monotonic()
    while time.monotonic() - began < PATIENCE:
        told = len(house.alice.ephemerals(channel))
        house.alice.command(line, channel)
        house.alice.wait(partial(_answered, house, channel, told), PATIENCE, "it is taken or refused")
        if messages := house.alice.messages(channel):
            return messages[0]
    raise AssertionError(f"refused for {PATIENCE:g} s: {line}")


@pytest.mark.requirement("S3")
def test_the_standby_follows_production(open_house: OpenHouse) -> None:
    """What production has run for a while is released to it by Buzzy itself, and status says so."""
    house = open_house("production", "disaster-recovery", rules={"disaster-recovery": {"after": "2s"}})
    house.released("/buzzy release 3.2.1 production", "production", house.bob, house.carol)
    message = house.alice.wait_for_message(CHANNELS["disaster-recovery"], "3.2.1", timeout=PATIENCE)
    message = house.until(message, "🟢")
    assert "Buzzy" in message
    assert "production has run 3.2.1 since R1" in message
    assert set(house.images("disaster-recovery").values()) == {"3.2.1"}
    house.alice.command("/buzzy status", CHANNELS["production"])
    house.alice.wait_for_ephemeral(CHANNELS["production"], "in step with production", timeout=PATIENCE)
    assert len(house.alice.messages(CHANNELS["disaster-recovery"])) == 1
