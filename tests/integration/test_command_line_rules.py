"""The rules of an environment at a terminal: the same as in Slack, but for a terminal being no channel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from releases.lifecycle import State
from tests.integration.bot_house import PRODUCTION, STAGING, TICK, House, open_house
from tests.integration.operators import OPERATORS, Said, do
from tests.integration.test_bot_rules import CONFIG as RULES
from tests.integration.test_bot_rules import proven

CONFIG = RULES.replace("    approval:", "    grace: off\n    approval:")
NOWHERE = "http://127.0.0.1:1/api/"


@pytest.fixture
def house(redis_url: str) -> Iterator[House]:
    """A bot with rules, and operators."""
    with open_house(redis_url, config=CONFIG + OPERATORS) as opened:
        yield opened


class Terminals:
    """Where people type lines, with Slack alive unless it is said to be dead."""

    def __init__(self, house: House, folder: Path) -> None:
        config = folder / "buzzy.yaml"
        config.write_text(CONFIG + OPERATORS)
        self._env = {
            "REDIS_URL": house.redis_url,
            "BUZZY_CONFIG": str(config),
            "SLACK_BOT_TOKEN": house.workspace.bot_token,
            "SLACK_API_URL": house.workspace.api_url,
        }

    def do(self, who: str, line: str, *, dead: bool = False) -> Said:
        """Somebody types a line."""
        return do(who, line, self._env | ({"SLACK_API_URL": NOWHERE} if dead else {}))


@pytest.fixture
def desk(house: House, tmp_path: Path) -> Terminals:
    """Terminals of that house."""
    return Terminals(house, tmp_path)


@pytest.mark.requirement("C11", "X10")
def test_what_is_for_certain_channels_is_not_for_terminals(house: House, desk: Terminals) -> None:
    """It is said where instead, and nothing is held; a rule that only names people is no hindrance."""
    said = desk.do("alice", "release 3.2.1 staging")
    assert said.code == 3
    assert "are asked for in Slack, in channels of their own, and not from a terminal" in said.err
    assert "permissions.release" in said.err
    assert f"It can be done in #{STAGING}." in said.err
    assert house.record.holder("staging") is None
    said = desk.do("dan", 'release 3.2.1 staging --hotfix --reason "exports fail"')
    assert said.code == 0, said
    assert house.record.load("R1").release.request.urgency == "hotfix"
    assert house.record.load("R1").release.request.via == "command line"


@pytest.mark.requirement("C11", "X10")
def test_an_abort_from_a_terminal_is_for_those_whom_the_rule_names(house: House, desk: Terminals) -> None:
    """And for who asked, as everywhere."""
    house.ask("/buzzy release 3.2.1 staging", STAGING)
    said = desk.do("bob", "abort R1")
    assert (said.code, "stopped by others" in said.err) == (3, True), said
    assert house.record.load("R1").release.state is State.REQUESTED
    assert desk.do("alice", "abort R1").code == 0
    assert house.record.load("R1").release.state is State.CANCELLED


@pytest.mark.requirement("C4", "X10")
def test_a_promotion_is_a_line_of_a_terminal_too(house: House, desk: Terminals) -> None:
    """What has not soaked is refused there with the time; what has is recorded as from a terminal."""
    proven(house, 2)
    said = desk.do("alice", "promote staging production")
    assert (said.code, "has run in staging for 2 h of the 1 d" in said.err) == (3, True), said
    assert "UTC" in said.err
    said = desk.do("alice", 'promote staging production --hotfix --reason "exports fail"')
    assert said.code == 0, said
    request = house.record.load("R2").release.request
    assert (request.source, request.version, request.via) == ("staging", None, "command line")


@pytest.mark.requirement("C11", "Q3", "X10")
def test_who_is_an_approver_no_more_has_not_approved_though_slack_is_down(
    house: House, desk: Terminals
) -> None:
    """What Slack last said of the group is gone by for those who approved before as well."""
    proven(house, 25)
    message = house.ask("/buzzy promote staging production", PRODUCTION)
    house.planned("R2")
    house.until(message, "waiting for 2 of 2 approvals")
    house.person("bob").react(message, TICK)
    house.until(message, "waiting for 1 of 2 approvals")
    house.stop()
    members = {"members": ["U0CAROL", "U0DAN"], "at_ms": house.store.now_ms()}
    house.store.call("SET", "buzzy:known:group:S0APPROVERS", json.dumps(members))
    said = desk.do("carol", "approve R2", dead=True)
    assert (said.code, said.out) == (0, "R2 is approved; 1 more to come.\n"), said
    assert "bob" not in said.err
    assert [given.by.name for given in house.record.load("R2").release.approvals] == ["carol"]
    said = desk.do("dan", "approve R2", dead=True)
    assert (said.code, said.out) == (0, "R2 has all its approvals and goes ahead.\n"), said


@pytest.mark.requirement("C3", "X10")
def test_a_reaction_stands_while_slack_is_down(house: House, desk: Terminals) -> None:
    """Nobody can be asked whether it still does, and nobody can take it back either."""
    proven(house, 25)
    message = house.ask("/buzzy promote staging production", PRODUCTION)
    house.planned("R2")
    house.until(message, "waiting for 2 of 2 approvals")
    house.person("bob").react(message, TICK)
    house.until(message, "waiting for 1 of 2 approvals")
    house.stop()
    said = desk.do("carol", "approve R2", dead=True)
    assert (said.code, said.out) == (0, "R2 has all its approvals and goes ahead.\n"), said
    assert house.record.load("R2").release.state is State.APPROVED


@pytest.mark.requirement("C8", "X10")
@pytest.mark.parametrize("dead", [False, True], ids=["with-slack", "without"])
def test_what_waits_is_told_in_a_terminal(house: House, desk: Terminals, dead: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """To each operator what waits for them, also when Slack is down and who they are is remembered."""
    proven(house, hours=25)
    house.ask("/buzzy release 3.2.1 production", PRODUCTION)
    house.planned("R2")
    for who in ("bob", "alice", "gus"):  # whom Slack is asked about, is remembered
        desk.do(who, "approvals")
    said = desk.do("bob", "approvals", dead=dead)
    assert said.code == 0
    assert "it wants your approval" in said.out
    said = desk.do("alice", "approvals", dead=dead)
    assert (said.code, "Nothing." in said.out, "Waiting for others" in said.out) == (0, True, True)
    assert desk.do("gus", "approvals", dead=dead).code == 3
