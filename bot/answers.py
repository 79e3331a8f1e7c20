"""What approvers say, by reaction or by button: both are the same, and both are judged by the same rules.

A reaction's event only says that something changed. What counts is what stands on the message now, which
is read from Slack: so events may come late, twice, or in the wrong order, and a second emoji of the same
meaning changes nothing. Before a quorum is reached, the reactions that others gave are read once more too,
and all of them again when the moment before the start has passed (`bot.confirming`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.deliveries import Pressed, Reacted
from bot.messages import Message
from bot.messages.checklist import checklist_message
from bot.messages.plan import release_plan_message
from bot.messages.refusals import note, refusal_message, unknown_release
from bot.reactions import Reactions, read_reactions
from bot.requests import NotYetError, Requests
from bot.slack import Slack, UnclearError
from bot.steering import Steers
from releases import approval, grammar
from releases.events import Event
from releases.lifecycle import Approval, Release, State, apply
from releases.people import Person
from releases.policy import Refusal
from releases.record import Record, UnknownReleaseError
from releases.record.told import Place, Told

NEW_MESSAGE = timedelta(seconds=30)
"""For so long a message of ours may be in the channel and not yet in the relay's memory."""

RECENT = 10

_STEERS: Mapping[str, Callable[[str], Steers]] = MappingProxyType(
    {
        "abort": grammar.Abort,
        "finish": grammar.Finish,
        "pause": grammar.Pause,
        "resume": grammar.Resume,
        "retry": grammar.Retry,
    }
)
"""The buttons that stand for a command about a release which has begun."""

Answering = grammar.Approve | grammar.Refuse
"""The commands that answer a release that waits."""


class Answers:
    """Acts on reactions and buttons. Each method returns what the person is told; None: nothing."""

    def __init__(
        self, record: Record, requests: Requests, slack: Slack, told: Told, now: Callable[[], datetime]
    ) -> None:
        """`now` gives aware UTC times."""
        self._record = record
        self._requests = requests
        self._slack = slack
        self._told = told
        self._now = now

    def reacted(self, reacted: Reacted) -> Message | None:
        """Take a reaction, or its absence, for the answer that it is."""
        place = Place(reacted.channel, reacted.ts)
        release_id = self._told.release_at(place)
        if release_id is None:
            if self._now() - reacted.at < NEW_MESSAGE:
                raise NotYetError(f"no release is known to stand at {place}")
            return None
        refusal = self._answer(release_id, reacted.user, self._reactions(place))
        return refusal_message(refusal) if refusal is not None else None

    def sweep(self, release: Release) -> None:
        """Take the approvals that stand on a waiting release's message and whose events never came."""
        place = self._told.message_of(release.id)
        if place is None:
            return
        reactions = self._reactions(place)
        given = {each.by.id: each.via for each in release.approvals}
        missed = [user for user in reactions.approvers() if user not in given]
        if release.replanned_because is not None:
            missed = []  # what stands there may be about an earlier plan: Slack does not say when it came
        gone = [user for user, via in given.items() if via == "reaction" and reactions.of(user) != "approve"]
        for user in (*gone, *missed):
            self._answer(release.id, user, reactions)

    def pressed(self, pressed: Pressed, delivery: str) -> Message | None:
        """Do what a button says."""
        try:
            if pressed.action == "plan":
                return self._plan(pressed.release)
            if pressed.action == "checklist":
                return self._checklist(pressed.release)
            if pressed.action in {"wait", "unschedule"}:
                return self._requests.pressed(pressed.action, pressed.release, pressed.user)
            if pressed.action == "rollback":
                return self._roll_back(pressed, delivery)
            if (steers := _STEERS.get(pressed.action)) is not None:
                return self._requests.steer(
                    steers(pressed.release), pressed.user, pressed.channel, "button", delivery
                )
            refusal = self._requests.decide(pressed.release, pressed.user, self._judge_of(pressed))
        except UnknownReleaseError:
            return note(f"{pressed.release} is not on the record any more.")
        return refusal_message(refusal) if refusal is not None else None

    def said(self, command: Answering, user: str, at: datetime) -> Message | None:
        """Take a line that somebody typed at `at` for the answer that it is."""
        try:
            refusal = self.decide(command, user, at, via="command")
        except UnknownReleaseError:
            return unknown_release(command.release)
        return refusal_message(refusal) if refusal is not None else None

    def decide(self, command: Answering, user: str, at: datetime, *, via: approval.Via) -> Refusal | None:
        """Let a typed answer be judged and written. Raises `UnknownReleaseError` and `NotYetError`."""

        def judge(release: Release, who: Person) -> approval.Outcome:
            if isinstance(command, grammar.Refuse):
                return approval.refuse(release, who, self._now(), via=via)
            reactions: Reactions | None = None
            try:
                reactions = self._reactions(self._told.message_of(release.id))
            except UnclearError:
                if via != "command line":
                    raise
            return self._approve(release, who, reactions, via=via, digest=None, said_at=at)

        return self._requests.decide(command.release, user, judge)

    def _answer(self, release_id: str, user: str, reactions: Reactions) -> Refusal | None:
        answer = reactions.of(user)

        def judge(release: Release, who: Person) -> approval.Outcome:
            now = self._now()
            match answer:
                case None:
                    return approval.withdraw(release, who, now)
                case "refuse":
                    return approval.refuse(release, who, now, via="reaction")
                case "approve" if any(given.by.id == who.id for given in release.approvals):
                    return ()
                case "approve":
                    return self._approve(release, who, reactions, via="reaction", digest=None)

        try:
            return self._requests.decide(release_id, user, judge)
        except UnknownReleaseError:
            return None

    def _judge_of(self, pressed: Pressed) -> Callable[[Release, Person], approval.Outcome]:
        def judge(release: Release, who: Person) -> approval.Outcome:
            match pressed.action:
                case "approve":
                    reactions = self._reactions(self._told.message_of(release.id))
                    return self._approve(release, who, reactions, via="button", digest=pressed.digest)
                case "refuse":
                    return approval.refuse(release, who, self._now(), via="button")
                case "tick":
                    return self._tick(release, who, pressed)
                case "look_again":
                    return approval.look_again(release, who, self._now())
                case _:
                    raise ValueError(f"no such answer: {pressed.action}")

        return judge

    def _tick(self, release: Release, who: Person, pressed: Pressed) -> approval.Outcome:
        """A tick may be the last thing that a release waits for, as a yes may."""
        reactions = self._reactions(self._told.message_of(release.id))

        def answer(release: Release) -> approval.Outcome:
            return approval.tick(release, who, self._now(), item=pressed.item, digest=pressed.digest)

        return self._of_those_who_count(release, who, reactions, answer)

    def _approve(  # noqa: PLR0913 - what an answer says
        self,
        release: Release,
        who: Person,
        reactions: Reactions | None,
        *,
        via: approval.Via,
        digest: str | None,
        said_at: datetime | None = None,
    ) -> approval.Outcome:
        """A yes, after those of others were taken off that count no more.

        They took it back without our hearing of it, or may not approve any more. `reactions` is None while
        Slack is down: nobody can take a reaction back then, so what is on the record stands.
        """
        now = self._now()

        def answer(release: Release) -> approval.Outcome:
            return approval.approve(release, who, now, via=via, digest=digest, said_at=said_at)

        return self._of_those_who_count(release, who, reactions, answer)

    def _of_those_who_count(
        self,
        release: Release,
        who: Person,
        reactions: Reactions | None,
        answer: Callable[[Release], approval.Outcome],
    ) -> approval.Outcome:
        """An answer that may let a release start, after the approvals that count no more were taken off."""
        gone: tuple[Event, ...] = self._requests.disowned(release)
        for event in gone:
            release = apply(release, event)
        for given in _taken_back(release, reactions) if release.state is State.WAITING else ():
            taken = approval.withdraw(release, Person(given.by.id, given.by.name), self._now())
            if given.by.id != who.id and isinstance(taken, tuple):
                gone += taken
                for event in taken:
                    release = apply(release, event)
        outcome = answer(release)
        return outcome if isinstance(outcome, Refusal) else (*gone, *outcome)

    def _reactions(self, place: Place | None) -> Reactions:
        return read_reactions(self._slack, place)

    def _plan(self, release_id: str) -> Message:
        release = self._record.load(release_id).release
        if release.plan is None:
            return note(f"{release_id} has no plan yet.")
        return release_plan_message(release, release.plan)

    def _checklist(self, release_id: str) -> Message:
        release = self._record.load(release_id).release
        if not release.checklist:
            return note(f"{release_id} has no checklist.")
        return checklist_message(release)

    def _roll_back(self, pressed: Pressed, delivery: str) -> Message | None:
        """The same as the command, unless something else has gone there since the button was shown."""
        release = self._record.load(pressed.release).release
        command = grammar.Rollback(release.environment, reason=f"{release.id}: Roll back was pressed")
        for newer in self._record.recent(release.environment, RECENT):
            if newer.id == release.id:
                break
            if newer.started_at is not None:
                problem = f"{newer.id} has gone to {release.environment} since {release.id}."
                hint = "To go back from what runs there now:"
                return refusal_message(Refusal(problem, hint, copy=f"/buzzy rollback {release.environment}"))
        return self._requests.act(command, pressed.user, pressed.channel, delivery)


def _taken_back(release: Release, reactions: Reactions | None) -> tuple[Approval, ...]:
    """The approvals that what stands on the message bears out no more."""
    if reactions is None:
        return ()
    return tuple(given for given in release.approvals if not reactions.bears_out(given))
