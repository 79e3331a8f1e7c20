"""Who somebody is when Slack may be unable to say.

Slack is asked first. If it is silent, what it last said is gone by, as the bots keep it in Redis:

- **Standing.** Whoever was a guest, a stranger or deactivated when Slack was last heard stays one. Of whom
  Slack was never asked, `buzzy.yaml` vouches: it names operators, and those who run the bot review it.
- **User groups.** Membership that is at most a day old is taken as it was. The bots read it every ten
  minutes, so it is from just before the outage; nobody can change it in Slack while Slack is down; and an
  outage is when a rollback must not fail for want of an approver. What is older is not gone by: nobody is in
  that group, and the person is told so. People named by id in `buzzy.yaml` can always answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bot.people import Known, People
from bot.slack import SlackError
from releases.config import format_duration
from releases.people import Person, Standing
from releases.record import LastKnown

BELIEVED = timedelta(hours=24)
"""How long membership of a group is gone by after Slack was last heard."""


class Remembered:
    """People from memory."""

    def __init__(self, last_known: LastKnown, groups: Iterable[str], user: str, name: str) -> None:
        """`groups` are the user groups that the configuration names.

        `user` sits at this terminal; `name` is what they are called here, if Slack never said it.
        """
        self._last_known = last_known
        self._groups = tuple(sorted(set(groups)))
        self._user = user
        self._name = name
        self.remarks: list[str] = []
        """What who sits here should know of how old what they go by is, a sentence each."""

    def get(self, user: str, *, fresh: bool = False) -> Person:  # noqa: ARG002 - there is nothing fresher
        """Somebody by id."""
        known = self._last_known.person(user)
        person = Person(user, self._name if user == self._user else user) if known is None else known.person
        if person.standing is not Standing.MEMBER:
            return person
        remarks, groups = [], set()
        for id_ in self._groups:
            group = self._last_known.group(id_)
            if group is None:
                remarks.append(f"Slack does not answer, and it was never asked who is in {id_}.")
                continue
            age = f"{format_duration(group.age)} ago"
            if group.age > BELIEVED:
                remarks.append(
                    f"Slack does not answer; who is in {id_} was last read {age}, too long to go by."
                )
                continue
            if user in group.members:
                remarks.append(f"Slack does not answer; {person.name} was in {id_} {age}.")
                groups.add(id_)
        if user == self._user:
            self.remarks = remarks
        return Person(user, person.name, Standing.MEMBER, frozenset(groups))


class SlackFirst:
    """Asks Slack, and goes by memory once it is silent."""

    def __init__(self, live: People | None, remembered: Remembered) -> None:
        """`live` is None when Slack is silent already."""
        self._live = live
        self._remembered = remembered

    def get(self, user: str, *, fresh: bool = False) -> Person:
        """Somebody by id."""
        if self._live is not None:
            try:
                return self._live.get(user, fresh=fresh)
            except SlackError:
                self._live = None
        known: Known = self._remembered
        return known.get(user, fresh=fresh)
