"""What somebody asks for is written into the record, or they are told why it is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.messages import Message
from bot.messages.parts import lines, link, message, room
from bot.messages.refusals import refusal_message, unknown_release
from bot.people import Known
from bot.slack import Slack
from releases import approval, grammar, policy
from releases.config import Config, Environment
from releases.events import AbortRequested, Approved, AskedVia, Event, ReleaseRequested, ServiceSeen
from releases.lifecycle import Release
from releases.people import Person
from releases.policy import Refusal
from releases.promotion import Candidate, types_possible, unproven, version_of
from releases.proof import PAST, proof_of
from releases.record import (
    BusyError,
    JobQueue,
    MovedError,
    Record,
    StaleError,
    UnknownReleaseError,
    queue_of,
)
from releases.record.told import Told
from releases.version import Version

Opening = grammar.Release | grammar.Promote | grammar.Rollback
"""The commands that begin a release."""

Changing = Opening | grammar.Abort
"""The commands that change something; the others ask."""

ATTEMPTS = 5
"""So often somebody else may have written first before it is tried again later."""


class NotYetError(Exception):
    """It cannot be acted on now, though nothing is wrong: again in a moment."""


class Requests:
    """Acts on commands. Each method returns what the person is told; None: nothing more."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a request touches
        self,
        config: Config,
        record: Record,
        queue: JobQueue,
        people: Known,
        slack: Slack,
        told: Told,
        now: Callable[[], datetime],
    ) -> None:
        """`now` gives aware UTC times."""
        self._config = config
        self._record = record
        self._queue = queue
        self._people = people
        self._slack = slack
        self._told = told
        self._now = now

    def act(self, command: Changing, user: str, channel: str, delivery: str) -> Message | None:
        """Do what a command asks for, once a delivery, whoever acts on it how often."""
        if isinstance(command, grammar.Abort):
            return self._abort(command, user, channel)
        return self._open(command, user, channel, delivery)

    def decide(
        self, release_id: str, user: str, judge: Callable[[Release, Person], approval.Outcome]
    ) -> Refusal | None:
        """Let a person's answer to a release be judged and written; the refusal, if it is one.

        Whoever would be refused is looked up again first: they may be an approver since a minute ago.
        Raises `UnknownReleaseError`, and `NotYetError` when others write faster.
        """
        for _ in range(ATTEMPTS):
            held = self._record.load(release_id)
            outcome = judge(held.release, self._people.get(user))
            if isinstance(outcome, Refusal):
                outcome = judge(held.release, self._people.get(user, fresh=True))
            if isinstance(outcome, Refusal):
                return outcome
            if not outcome:
                return None
            try:
                self._move(self._record.append(held, outcome).release, outcome)
            except (MovedError, StaleError):
                continue
            return None
        raise NotYetError(release_id)

    def disowned(self, release: Release) -> tuple[Event, ...]:
        """The approvals of a release whose givers may not approve any more, as events that take them off.

        Who approved is looked up anew before the last one counts; until then what is remembered will do.
        """
        last = release.approvals_missing == 1
        return approval.disown(release, self._now(), lambda user: self._people.get(user, fresh=last))

    def may_abort(self, release: Release, channel: str | None) -> Callable[[Person], Refusal | None]:
        """The rule for those who want to stop a release that somebody else asked for."""
        environment = self._config.environments.get(release.environment)
        if environment is None:
            return policy.admit  # in buzzy.yaml no more, and its rules neither
        return lambda who: policy.may("abort", environment, who, channel)

    def open(
        self, command: Opening, user: str, channel: str | None, delivery: str, *, via: AskedVia = "slack"
    ) -> Release | Message:
        """Open the release that a command asks for and let a worker plan it; or why it is not opened.

        `channel` is where it is asked for, None when that is a terminal. Raises `NotYetError` when the
        environment has become free just now.
        """
        environment = self._config.environment(command.environment)
        requested = self._requested(command, environment, self._people.get(user), channel)
        if isinstance(requested, Refusal):
            who = self._people.get(user, fresh=True)
            requested = self._requested(command, environment, who, channel)
        if isinstance(requested, Refusal):
            return refusal_message(requested)
        try:
            release = self._record.open(requested.model_copy(update={"via": via}), delivery=delivery).release
        except BusyError as error:
            return self._busy(error.holder, command.line())
        self._queue.put(queue_of(release), "plan", release.id)
        return release

    def _open(self, command: Opening, user: str, channel: str, delivery: str) -> Message | None:
        opened = self.open(command, user, channel, delivery)
        if isinstance(opened, Message):
            return opened
        if channel == opened.request.channel:
            return None  # its message is on its way to where the person looks
        return self._follow(opened)

    def _requested(
        self, command: Opening, environment: Environment, who: Person, channel: str | None
    ) -> ReleaseRequested | Refusal:
        """What is to be recorded, if the rules allow it as far as the record can tell."""
        requested = policy.request(command, environment, who, self._now(), channel=channel)
        if isinstance(requested, Refusal) or isinstance(command, grammar.Rollback):
            return requested
        return self._unproven(command, environment) or requested

    def _unproven(
        self, command: grammar.Release | grammar.Promote, environment: Environment
    ) -> Refusal | None:
        """Why the version may not go there yet. A worker looks again, at the clusters as well."""
        rule = environment.requires
        names = command.services or tuple(each.name for each in self._config.services_of(environment))
        version = self._version(command, names)
        if rule is None or version is None:
            return None
        proof = proof_of(str(version), names, self._record.recent(rule.proven_in, PAST))
        types = types_possible(self._seen(environment.name, names), version, command.urgency)
        return unproven(Candidate(version, environment, types, proof), self._now())

    def _version(self, command: grammar.Release | grammar.Promote, names: tuple[str, ...]) -> Version | None:
        """The version that is wanted, if it is known without a look at the cluster."""
        if isinstance(command, grammar.Release):
            return command.version
        found = version_of(command.source, self._seen(command.source, names))
        return None if isinstance(found, Refusal) else found

    def _seen(self, name: str, services: tuple[str, ...]) -> tuple[ServiceSeen, ...]:
        """What was last seen of an environment's services."""
        seen = self._record.seen(name)
        return tuple(each for each in seen.services if each.service in services) if seen else ()

    def _busy(self, holder: str, line: str) -> Message:
        release = self._record.load(holder).release
        if release.ended:
            raise NotYetError(holder)  # just now: the environment is free, and the next try takes it
        return refusal_message(
            policy.busy(release, f"/buzzy {line}"), holder=release, url=self._url(release.id)
        )

    def abort(
        self, command: grammar.Abort, user: str, channel: str | None, *, via: AskedVia = "slack"
    ) -> Refusal | None:
        """Let a release be stopped. Raises `UnknownReleaseError` and `NotYetError`."""

        def judge(release: Release, who: Person) -> approval.Outcome:
            allowed = self.may_abort(release, channel)
            return approval.abort(release, who, self._now(), command.reason, via=via, allowed=allowed)

        return self.decide(command.release, user, judge)

    def _abort(self, command: grammar.Abort, user: str, channel: str) -> Message | None:
        try:
            refusal = self.abort(command, user, channel)
        except UnknownReleaseError:
            return unknown_release(command.release)
        if refusal is not None:
            return refusal_message(refusal)
        url = self._url(command.release)
        where = link(url, command.release) if url else command.release
        return message(f"{command.release} is being stopped.", lines([where, " is being stopped."]))

    def _follow(self, release: Release) -> Message:
        sentence = f"{release.id} is being planned; follow it in its channel."
        channel = room(release.request.channel)
        return message(sentence, lines([f"{release.id} is being planned; follow it in ", channel, "."]))

    def _url(self, release_id: str) -> str | None:
        place = self._told.message_of(release_id)
        return self._slack.permalink(place) if place is not None else None

    def _move(self, release: Release, happened: tuple[Event, ...]) -> None:
        """Let a worker know when there is something to do for one."""
        if not release.ended and any(isinstance(event, Approved | AbortRequested) for event in happened):
            self._queue.put(queue_of(release), "advance", release.id)
