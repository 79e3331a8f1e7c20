"""Who somebody is: what Slack knows of a person, as far as the rules ask, remembered for a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import structlog

from bot.slack import Identity, RefusedError, Slack, SlackError
from releases.people import Person, Standing
from releases.record import LastKnown, RecordUnavailableError

REMEMBER_SECONDS = 60.0
"""Somebody who left a group of approvers must not approve for long; a minute's calls stay far below Slack's
limits (`users.info` 100 a minute, `usergroups.users.list` 20 a minute)."""

REFRESH_SECONDS = 600.0
"""How often everybody whom `buzzy.yaml` names is looked up although nobody asks: so old is, at most, what the
command line goes by while Slack is away."""

_UNKNOWN = {"user_not_found", "user_not_visible", "users_not_found"}

log = structlog.get_logger(__name__)


class Known(Protocol):
    """Whoever knows who somebody is."""

    def get(self, user: str, *, fresh: bool = False) -> Person:
        """Somebody by id. `fresh`: not from memory, for whoever is about to be told no."""


class People:
    """The people of a workspace. Raises Slack's errors when nothing is known and Slack does not answer."""

    def __init__(
        self,
        slack: Slack,
        me: Identity,
        groups: Iterable[str],
        *,
        clock: Callable[[], float] = time.monotonic,
        last_known: LastKnown | None = None,
    ) -> None:
        """`groups` are the ids of the user groups that the configuration names; others do not matter.

        `last_known` is told what Slack says, for those who cannot ask it.
        """
        self._slack = slack
        self._me = me
        self._groups = tuple(sorted(set(groups)))
        self._clock = clock
        self._last_known = last_known
        self._known: dict[str, tuple[float, Mapping[str, Any] | None]] = {}
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    def get(self, user: str, *, fresh: bool = False) -> Person:
        """Somebody by id. `fresh`: not from memory, for whoever is about to be told no."""
        age = -1.0 if fresh else REMEMBER_SECONDS
        record = self._record(user, age)
        if record is None:
            return Person(user, user, Standing.FOREIGN)
        standing = self._standing(record)
        groups = (group for group in self._groups if user in self._in_group(group, age))
        member = standing is Standing.MEMBER
        return Person(
            user,
            _name(record),
            standing,
            frozenset(groups) if member else frozenset(),
            str(record.get("tz") or ""),
        )

    def anew(self, users: Iterable[str]) -> dict[str, Person]:
        """These people as Slack has them now; each group is read once, however many they are."""
        self._members.clear()
        users = list(users)
        for user in users:
            self._known.pop(user, None)
        return {user: self.get(user) for user in users}

    def keep(self, stop: threading.Event, people: Iterable[str]) -> None:
        """Look these people and all groups up now and then, until `stop` is set."""
        while not stop.is_set():
            try:
                for group in self._groups:
                    self._in_group(group, -1.0)
                for user in people:
                    self.get(user)
            except SlackError as error:
                log.info("Slack cannot be asked who is who", slack=str(error))
            except Exception:
                log.exception("Who is who cannot be kept")
            stop.wait(REFRESH_SECONDS)

    def _record(self, user: str, age: float) -> Mapping[str, Any] | None:
        at, record = self._known.get(user, (float("-inf"), None))
        if self._clock() - at > age:
            try:
                record = self._slack.user(user)
            except RefusedError as error:
                if error.code not in _UNKNOWN:
                    raise
                record = None  # somebody of another workspace, of whom ours knows nothing
            self._known[user] = (self._clock(), record)
            if record is not None:
                self._remember(Person(user, _name(record), self._standing(record)))
        return record

    def _in_group(self, group: str, age: float) -> frozenset[str]:
        at, members = self._members.get(group, (float("-inf"), frozenset()))
        if self._clock() - at > age:
            try:
                members = self._slack.members(group)
            except RefusedError as error:
                # Nobody is in a group that Slack does not show: better a refusal than a wrong approval.
                log.warning("A user group of buzzy.yaml cannot be read", group=group, slack=error.code)
                members = frozenset()
            self._members[group] = (self._clock(), members)
            self._remember(members, group)
        return members

    def _remember(self, fact: Person | frozenset[str], group: str = "") -> None:
        if self._last_known is None:
            return
        try:
            if isinstance(fact, Person):
                self._last_known.remember_person(fact)
            else:
                self._last_known.remember_group(group, fact)
        except RecordUnavailableError as error:
            log.info("What Slack said is not remembered", why=str(error))

    def _standing(self, record: Mapping[str, Any]) -> Standing:
        if record.get("deleted"):
            return Standing.GONE
        if record.get("is_bot") or record.get("id") == "USLACKBOT":
            return Standing.BOT
        if record.get("is_stranger") or record.get("team_id", self._me.team) != self._me.team:
            return Standing.FOREIGN
        if record.get("is_restricted") or record.get("is_ultra_restricted"):
            return Standing.GUEST
        return Standing.MEMBER


def _name(record: Mapping[str, Any]) -> str:
    profile = record.get("profile") or {}
    return str(profile.get("display_name") or record.get("name") or profile.get("real_name") or record["id"])
