"""`buzzy do`: the chat grammar from a terminal; the same rules, the same record, Slack alive or dead."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import buzzy
from releases import events as e
from releases.checklist import Item, Outcome
from releases.difference import Difference, ServiceDifference
from releases.lifecycle import State
from releases.record import Store
from releases.snapshot import Answer
from sandbox.redis_server import RedisServer
from tests.integration.bot_house import CONFIG, PRODUCTION, STAGING, TICK, House, eventually, now, open_house
from tests.integration.operators import OPERATORS, Said, do, me, typing

NOWHERE = "http://127.0.0.1:1/api/"
CONFIGURED = CONFIG.replace("    approval:", "    grace: off\n    approval:") + OPERATORS


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A workspace and a record; no bot runs yet."""
    with open_house(redis_url, start=False, config=CONFIGURED) as opened:
        yield opened


class Desktop:
    """The terminals of a house: with Slack dead unless it is said to be alive."""

    def __init__(self, house: House, folder: Path) -> None:
        config = folder / "buzzy.yaml"
        config.write_text(CONFIGURED)
        self.env = {
            "REDIS_URL": house.redis_url,
            "BUZZY_CONFIG": str(config),
            "SLACK_BOT_TOKEN": house.workspace.bot_token,
            "SLACK_API_URL": NOWHERE,
        }
        self.alive = self.env | {"SLACK_API_URL": house.workspace.api_url}

    def do(self, who: str, line: str, *, alive: bool = False, wait: bool = False) -> Said:
        """Somebody types a line."""
        return do(who, line, self.alive if alive else self.env, wait=wait)


@pytest.fixture
def desk(house: House, tmp_path: Path) -> Desktop:
    """Terminals of that house."""
    return Desktop(house, tmp_path)


@pytest.mark.requirement("X10", "C10")
def test_a_whole_release_while_slack_is_dead_and_slack_told_later(house: House, desk: Desktop) -> None:
    """Asked for, approved and followed to its end in terminals; then a bot comes and tells it all, once."""
    house.start()
    eventually(lambda: house.store.call("EXISTS", "buzzy:known:group:S0APPROVERS"), "the bot knows approvers")
    house.stop()
    with typing("alice", 'release 3.2.1 production --reason "slack is down"', desk.env) as asked:
        eventually(lambda: "R1 is being planned" in asked.out, "it is on the record", seconds=30)
        assert house.queue.depth("deployment") == 1
        house.planned("R1")
        eventually(lambda: "buzzy do 'approve R1'" in asked.out, "it says how to approve")
        for who, says in (("bob", "1 more to come"), ("carol", "has all its approvals")):
            said = desk.do(who, "approve R1")
            assert (said.code, says in said.out) == (0, True), said
            assert f"Slack does not answer; {who} was in S0APPROVERS" in said.err
        house.run_steps("R1")
        said = asked.end()
    assert said.code == 0
    assert "🟢" in said.out
    assert [event.via for event in house.record.events("R1") if isinstance(event, e.ApprovalGiven)] == [
        "command line",
        "command line",
    ]
    house.start()
    message = house.person("alice").wait_for_message(PRODUCTION, "R1")
    house.until(message, "released in")
    assert "from the command line" in house.until(message, "asked by")
    eventually(lambda: house.record.behind() == (), "everything is told")
    thread = house.thread(message)
    assert " asked for buzzy 3.2.1 from the command line: “slack is down”" in thread[0]
    assert "from the command line · 1 of 2" in thread[2]
    assert len(thread) == len(set(thread)) == 10
    assert len(house.person("alice").messages(PRODUCTION)) == 1


@pytest.mark.requirement("X10", "C11")
def test_the_rules_are_the_same(house: House, desk: Desktop) -> None:
    """Own release, no approver, a guest, a busy environment, a release that is not there."""
    house.start()
    eventually(lambda: house.store.call("EXISTS", "buzzy:known:person:U0GUEST"), "the bot knows operators")
    house.stop()
    assert desk.do("bob", "release 3.2.1 production").code == 0
    house.planned("R1")
    for who, line, says in [
        ("bob", "approve R1", "nobody approves their own"),
        ("dan", "approve R1", "approved by others"),
        ("dan", "refuse R1", "approved by others"),
        ("gus", "release 3.2.1 staging", "Guests can read along"),
        ("gus", "abort R1", "Guests can read along"),
        ("alice", "release 3.2.1 production", "R1 waits for approval in production"),
        ("alice", "approve R7", "There is no release R7"),
        ("alice", "abort R7", "There is no release R7"),
    ]:
        said = desk.do(who, line)
        assert (said.code, says in said.err) == (3, True), said
    assert house.record.load("R1").release.state is State.WAITING
    assert house.record.recent("staging", 5) == ()
    said = desk.do("carol", "refuse R1")
    assert (said.code, said.out) == (0, "R1 is refused; nothing was changed.\n")
    assert house.record.load("R1").release.state is State.REFUSED


@pytest.mark.requirement("X10", "C11")
def test_who_is_in_a_group_is_not_gone_by_when_it_is_old(house: House, desk: Desktop) -> None:
    """Never asked, or more than a day ago: nobody is in it, and the sentence says why."""
    desk.do("alice", "release 3.2.1 staging")
    house.planned("R1")
    said = desk.do("bob", "approve R1")
    assert said.code == 3
    assert "it was never asked who is in S0APPROVERS" in said.err
    day = timedelta(hours=25) / timedelta(milliseconds=1)
    old = {"members": ["U0BOB"], "at_ms": house.store.now_ms() - int(day)}
    house.store.call("SET", "buzzy:known:group:S0APPROVERS", json.dumps(old))
    said = desk.do("bob", "approve R1")
    assert said.code == 3
    assert "was last read 1 d 1 h ago, too long to go by" in said.err
    assert house.record.load("R1").release.approvals == ()
    said = desk.do("bob", "approve R1", alive=True)
    assert (said.code, said.out) == (0, "R1 has all its approvals and goes ahead.\n")


@pytest.mark.requirement("X10")
def test_a_person_whom_slack_had_deactivated_stays_out(house: House, desk: Desktop) -> None:
    """The configuration vouches only for those of whom Slack never said anything else."""
    gone = {"name": "dan", "standing": "gone", "at_ms": 0}
    house.store.call("SET", "buzzy:known:person:U0DAN", json.dumps(gone))
    said = desk.do("dan", "release 3.2.1 development")
    assert (said.code, "deactivated" in said.err) == (3, True)
    assert desk.do("alice", "release 3.2.1 development").code == 0


@pytest.mark.requirement("X10")
def test_somebody_whom_the_configuration_does_not_name_does_nothing(house: House, desk: Desktop) -> None:
    """They are told what to add; and the program itself believes the kernel, not `SUDO_USER`."""
    said = desk.do("stranger", "status")
    assert said.code == 3
    assert "operators:\n      stranger: U…" in said.err
    assert desk.do("stranger", "help").code == 0
    runner = CliRunner(env=desk.env | {"SUDO_USER": "alice", "USER": "alice", "LOGNAME": "alice"})
    result = runner.invoke(buzzy.app, ["do", "release 3.2.1 development"])
    assert result.exit_code == 3
    assert ("root is nobody" if me() == "root" else f"who {me()} is") in result.stderr
    assert house.record.recent("development", 5) == ()


@pytest.mark.requirement("X10", "C9")
def test_a_wrong_line_is_answered_with_one_for_the_shell(desk: Desktop) -> None:
    """What is wrong, what was meant, and a line to copy."""
    said = desk.do("alice", 'release 3.2.1 stagign --reason "it\'s late"')
    assert said.code == 2
    assert "Did you mean staging?" in said.err
    assert "buzzy do 'release 3.2.1 staging --reason \"it'\"'\"'s late\"'" in said.err
    assert "/buzzy" not in said.err


@pytest.mark.requirement("X10", "C5")
def test_questions_are_answered_without_slack(house: House, desk: Desktop) -> None:
    """From the record, and again when a worker has looked; a plan waits for the worker."""
    desk.do("alice", "release 3.2.1 development")
    said = desk.do("alice", "status development")
    assert (said.code, "What runs in development" in said.out) == (0, True)
    said = desk.do("alice", "history development")
    assert "R1" in said.out
    assert "alice" in said.out
    said = desk.do("alice", "plan 3.2.1 staging")
    assert said.code == 7
    said = desk.do("alice", "help")
    assert "buzzy do 'release 3.2.1 development'" in said.out


@pytest.mark.requirement("X10", "C5")
def test_a_diff_waits_for_a_worker(house: House, desk: Desktop) -> None:
    """And shows what it found; without one it says that nobody has looked."""
    said = desk.do("alice", "diff staging production")
    assert (said.code, "No worker has looked so far" in said.err) == (7, True)
    with typing("alice", "diff staging production", desk.env) as asked:
        eventually(lambda: house.questions.question("Q2"), "it is asked", seconds=30)
        differs = ServiceDifference(service="buzzy-api", pods=(2, 3))
        found = Difference(first="staging", second="production", services=(differs,), same=())
        house.questions.answer("Q2", Answer(at=now(), difference=found))
        said = asked.end()
    assert said.code == 0
    assert "buzzy-api  pods  2        3" in said.out


@pytest.mark.requirement("X10", "C7")
def test_locks_and_schedules_are_lines_as_well(house: House, desk: Desktop) -> None:
    """The same rules, an exit code for a script, and Slack is told when it is back."""
    for who, line, code, says in [
        ("dan", 'lock staging --reason "the audit"', 0, "staging is locked until you unlock it"),
        ("alice", "release 3.2.1 staging", 3, "staging is locked by @dan: “the audit”"),
        ("alice", "release 3.2.1 staging --wait", 4, "You are next for staging"),
        ("bob", "unlock staging", 3, "take it over with your reason"),
        ("bob", "freeze staging --reason x --for 2h", 3, "names nobody who may freeze staging"),
        ("bob", "schedule 3.2.1 development someday", 3, "Say it like tomorrow 10:00"),
        ("bob", "schedule 3.2.1 development tomorrow 10:00", 0, "S1"),
        ("gus", "calendar", 0, "the audit"),
        ("bob", "unschedule S1", 0, "S1 is off"),
        ("bob", "unschedule S1", 3, "S1 is not scheduled"),
        ("dan", "unlock staging", 0, "staging is unlocked."),
    ]:
        said = desk.do(who, line)
        assert (said.code, says in (said.err if code == 3 else said.out)) == (code, True), said
    house.start()
    house.person("alice").wait_for_message(STAGING, "ended the lock of staging")


@pytest.mark.requirement("X10", "D1")
def test_what_a_checklist_still_waits_for_is_said(house: House, desk: Desktop) -> None:
    """Nobody ticks in a terminal; a yes there does not say that it goes ahead."""
    item = Item(name="release notes read", outcome=Outcome.WAITING, by=("S0APPROVERS",))
    house.start()
    eventually(lambda: house.store.call("EXISTS", "buzzy:known:group:S0APPROVERS"), "the bot knows approvers")
    house.stop()
    desk.do("alice", "release 3.2.1 staging")
    house.planned("R1", checklist=(item,))
    said = desk.do("bob", "approve R1")
    waits = "R1 has all its approvals and waits for its checklist, in Slack: release notes read.\n"
    assert (said.code, said.out) == (0, waits)


@pytest.mark.requirement("X10", "C6")
def test_ctrl_c_leaves_a_release_to_go_on_and_abort_stops_it(house: House, desk: Desktop) -> None:
    """The exit code and the last lines say so; stopping it is another line, which follows to the end."""
    with typing("alice", "release 3.2.1 development", desk.env) as asked:
        eventually(lambda: "asked for buzzy" in asked.out, "it is followed", seconds=30)
        asked.process.send_signal(signal.SIGINT)
        said = asked.end()
    assert said.code == 130
    assert "R1 goes on." in said.out
    assert "buzzy do 'abort R1'" in said.out
    assert "Traceback" not in said.err
    assert house.record.load("R1").release.state is State.REQUESTED
    said = desk.do("dan", "abort R1", wait=True)
    assert said.code == 0
    assert house.record.load("R1").release.state is State.CANCELLED


@pytest.mark.requirement("X10")
@pytest.mark.parametrize(
    ("end", "code"),
    [
        ([e.ReleaseFailed(at=now(), reason="it crashes", changed=("buzzy-main",))], 5),
        ([e.AbortRequested(at=now(), by=e.Actor(id="U0BOB", name="bob")), e.ReleaseCancelled(at=now())], 4),
    ],
    ids=["failed", "cancelled"],
)
def test_the_exit_code_says_how_it_ended(house: House, desk: Desktop, end: list[e.Event], code: int) -> None:
    """A script can go by it."""
    with typing("alice", "release 3.2.1 development", desk.env) as asked:
        eventually(lambda: "asked for buzzy" in asked.out, "it is followed", seconds=30)
        house.planned("R1")
        house.append("R1", e.ReleaseStarted(at=now()), *end)
        assert asked.end().code == code


@pytest.mark.requirement("X10", "C6")
def test_pause_resume_and_retry_are_lines_as_well(house: House, desk: Desktop) -> None:
    """The first two are done at once; a retry is followed from where it goes on."""
    desk.do("alice", "release 3.2.1 development")
    house.planned("R1")
    house.run_steps("R1", count=1)
    for line, says in (("pause R1", "is paused before its next step"), ("resume R1", "goes on")):
        said = desk.do("alice", line)
        assert (said.code, says in said.out) == (0, True), said
    assert desk.do("alice", "retry R1").code == 3
    house.append(
        "R1",
        e.StepStarted(at=now(), index=1),
        e.StepFailed(at=now(), index=1, reason="no."),
        e.ReleaseFailed(at=now(), reason="no."),
    )
    with typing("alice", "retry R1", desk.env) as retried:
        eventually(lambda: "retries from the command line: going on with 2/" in retried.out, "it", seconds=30)
        house.append("R1", e.ReleaseFinished(at=now()))
        said = retried.end()
    assert said.code == 0
    assert "asked for" not in said.out
    assert "🟢" in said.out


@pytest.mark.requirement("X10", "Q1")
def test_a_redis_that_swallows_its_answer_opens_one_release(tmp_path: Path) -> None:
    """It is asked again under the same id; one that stays away is told, with the exit code for not known."""
    with RedisServer(folder=tmp_path) as server, open_house(server.url, start=False) as house:
        desk = Desktop(house, tmp_path)
        server.kill()
        with typing("alice", "release 3.2.1 development", desk.env, wait=False) as typed:
            assert typed.process.stderr is not None
            assert "trying again" in typed.process.stderr.readline()
            server.start()
            assert typed.end().code == 0
        assert len(house.record.recent("development", 5)) == 1


def test_slack_is_asked_first_when_it_is_there(house: House, desk: Desktop) -> None:
    """Nothing is said of memory then; reactions that were taken back are noticed as by the button."""
    house.start()
    message = house.ask("/buzzy release 3.2.1 production", PRODUCTION)
    house.planned("R1")
    house.until(message, "waiting for 2 of 2")
    house.person("bob").react(message, TICK)
    house.until(message, "waiting for 1 of 2")
    house.stop()
    house.person("bob").unreact(message, TICK)
    said = desk.do("carol", "approve R1", alive=True)
    assert (said.code, said.out, said.err) == (0, "R1 is approved; 1 more to come.\n", "")
    assert [given.by.name for given in house.record.load("R1").release.approvals] == ["carol"]


@pytest.mark.requirement("C3", "C10")
@pytest.mark.parametrize("how", ["/buzzy ", "@buzzy "])
def test_approve_and_refuse_are_lines_in_slack_as_well(house: House, how: str) -> None:
    """The same rules as the button; the record says that it was typed."""
    house.start()
    message = house.ready_for_approval()
    say(house, "dan", f"{how}approve R1")
    house.person("dan").wait_for_ephemeral(STAGING, "approved by others")
    say(house, "bob", f"{how}approve R1")
    house.until(message, "approved, about to start")
    given = house.record.load("R1").release.approvals
    assert [(each.by.name, each.via) for each in given] == [("bob", "command")]
    say(house, "bob", f"{how}approve R9")
    house.person("bob").wait_for_ephemeral(STAGING, "There is no release R9")
    second = house.ask("/buzzy release 3.2.1 production", PRODUCTION)
    house.planned("R2")
    house.until(second, "waiting for 2 of 2")
    say(house, "carol", f"{how}refuse R2")
    house.until(second, "refused, nothing was changed")


def say(house: House, who: str, line: str) -> None:
    """Type a line in Slack, as a command or as a message."""
    person = house.person(who)
    if line.startswith("/"):
        person.command(line, STAGING)
    else:
        person.say(line, STAGING)


def test_a_line_means_the_plan_that_was_there_when_it_was_typed(house: House, store: Store) -> None:
    """It waited while Slack could not say who the person is; meanwhile it was planned anew: asked again."""
    house.start()
    house.ready_for_approval()
    house.workspace.fail("users.info", status=500, times=3)
    house.workspace.fail("usergroups.users.list", status=500, times=3)
    house.stop()
    house.start()
    house.person("bob").command("/buzzy approve R1", STAGING)
    house.append("R1", e.ReplanRequested(at=now(), because="the cluster has moved"))
    house.planned("R1", new="3.2.9")
    house.person("bob").wait_for_ephemeral(STAGING, "has changed since")
    assert house.record.load("R1").release.approvals == ()


def test_help_says_what_the_exit_codes_mean() -> None:
    """And that it is signed by the user of the machine."""
    result = CliRunner().invoke(buzzy.app, ["do", "--help"], env={"COLUMNS": "200"})
    assert "130 Ctrl-C" in result.stdout
    assert "operators" in result.stdout
