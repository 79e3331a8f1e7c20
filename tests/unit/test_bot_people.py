"""Who somebody is, from what Slack says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bot.people import REMEMBER_SECONDS, People
from bot.slack import Identity, RefusedError, Slack, web_client
from releases.people import Standing

ME = Identity(team="T1", user="UBOT", bot="B1")
MEMBER = {"id": "U1", "name": "ann", "team_id": "T1", "profile": {"display_name": "Ann"}}


class Directory(Slack):
    """A directory in memory, which counts how often it is asked."""

    def __init__(self, *records: Mapping[str, Any], groups: Mapping[str, set[str]] | None = None) -> None:
        """The people and groups that there are."""
        super().__init__(web_client("xoxb-none", "http://127.0.0.1:1/"))
        self.records = {record["id"]: record for record in records}
        self.groups = dict(groups or {})
        self.asked = 0
        self.read = 0

    def user(self, user: str) -> Mapping[str, Any]:
        """A record."""
        self.asked += 1
        if user not in self.records:
            raise RefusedError("users.info", "user_not_found")
        return self.records[user]

    def members(self, group: str) -> frozenset[str]:
        """A group."""
        self.read += 1
        if group not in self.groups:
            raise RefusedError("usergroups.users.list", "no_such_subteam")
        return frozenset(self.groups[group])


@pytest.mark.requirement("C11")
@pytest.mark.parametrize(
    ("record", "standing"),
    [
        ({}, Standing.MEMBER),
        ({"is_restricted": True}, Standing.GUEST),
        ({"is_ultra_restricted": True}, Standing.GUEST),
        ({"is_stranger": True}, Standing.FOREIGN),
        ({"team_id": "T2"}, Standing.FOREIGN),
        ({"team_id": "T2", "is_restricted": True}, Standing.FOREIGN),
        ({"is_bot": True}, Standing.BOT),
        ({"deleted": True, "is_bot": True}, Standing.GONE),
    ],
    ids=str,
)
def test_what_somebody_is_to_the_workspace(record: dict[str, Any], standing: Standing) -> None:
    """Only members of this workspace are members; whoever is less is in no group either."""
    people = People(Directory(MEMBER | record, groups={"S1": {"U1"}}), ME, {"S1"})
    person = people.get("U1")
    assert person.standing is standing
    assert person.groups == (frozenset({"S1"}) if standing is Standing.MEMBER else frozenset())


@pytest.mark.requirement("C11")
def test_whom_slack_does_not_know_is_a_stranger() -> None:
    """Somebody of another workspace in a shared channel may be hidden from us."""
    assert People(Directory(), ME, ()).get("U9").standing is Standing.FOREIGN


def test_a_group_that_cannot_be_read_has_nobody() -> None:
    """A wrong id in the configuration makes no approvers."""
    people = People(Directory(MEMBER, groups={"S1": {"U1"}}), ME, {"S1", "S404"})
    assert people.get("U1").groups == {"S1"}


def test_what_is_known_is_remembered_for_a_minute_and_looked_up_for_a_no() -> None:
    """Few calls on any day; the newest truth for whoever is about to be refused."""
    now = 0.0
    directory = Directory(MEMBER, groups={"S1": {"U1"}})
    people = People(directory, ME, {"S1"}, clock=lambda: now)
    assert people.get("U1").name == "Ann"
    directory.groups["S1"] = set()
    directory.records["U1"] = MEMBER | {"deleted": True}
    now += REMEMBER_SECONDS - 1
    assert people.get("U1").groups == {"S1"}
    assert directory.asked == 1
    assert people.get("U1", fresh=True).standing is Standing.GONE
    directory.records["U1"] = MEMBER
    now += REMEMBER_SECONDS + 1
    assert people.get("U1").groups == frozenset()


@pytest.mark.requirement("Q3")
def test_many_are_looked_up_anew_with_one_call_a_group() -> None:
    """Slack takes twenty of those a minute; what is remembered is not gone by."""
    bea = MEMBER | {"id": "U2", "name": "bea"}
    directory = Directory(MEMBER, bea, groups={"S1": {"U1", "U2"}, "S2": {"U2"}})
    people = People(directory, ME, {"S1", "S2"})
    people.anew(["U1", "U2"])
    directory.records["U1"] = MEMBER | {"deleted": True}
    directory.groups["S1"] = set()
    directory.asked = directory.read = 0
    now = people.anew(["U1", "U2"])
    assert now["U1"].standing is Standing.GONE
    assert now["U2"].groups == {"S2"}
    assert (directory.asked, directory.read) == (2, 2)


def test_trouble_that_is_not_the_persons_is_passed_on() -> None:
    """A missing scope says nothing about anybody."""

    class Closed(Directory):
        def user(self, user: str) -> Mapping[str, Any]:
            raise RefusedError(f"users.info of {user}", "missing_scope")

    with pytest.raises(RefusedError, match="missing_scope"):
        People(Closed(), ME, ()).get("U1")
