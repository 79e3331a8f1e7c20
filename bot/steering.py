"""What people say to a release that is under way or has failed; a line and a button are the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.gate import Gate
from bot.messages import Message
from bot.messages.parts import lines, link, message
from bot.messages.refusals import refusal_message
from bot.people import Known
from releases import grammar, policy, steering
from releases.again import command_of
from releases.config import Config
from releases.events import AskedVia, Passage, Via
from releases.lifecycle import Release, State
from releases.passing import Forward
from releases.people import Person
from releases.policy import Refusal, Ruled
from releases.record import Record

Steers = grammar.Abort | grammar.Finish | grammar.Pause | grammar.Resume | grammar.Retry
"""The commands that are about one release that has begun."""

Judge = Callable[[Release, Person], steering.Outcome]


class Steering:
    """Acts on such words, by the rules of the release's environment."""

    def __init__(  # noqa: PLR0913, PLR0917 - what such a word touches
        self,
        config: Config,
        record: Record,
        people: Known,
        gate: Gate,
        now: Callable[[], datetime],
        decide: Callable[[str, str, Judge], Refusal | None],
    ) -> None:
        """`decide` lets a person's word be judged and written; `now` gives aware UTC times."""
        self._config = config
        self._record = record
        self._people = people
        self._gate = gate
        self._now = now
        self._decide = decide

    def steer(
        self, command: Steers, user: str, channel: str | None, via: Via, delivery: str
    ) -> Message | None:
        """Do it; what the person is told who may not. Raises `UnknownReleaseError` and `NotYetError`."""
        passed: tuple[Passage, ...] = ()
        if isinstance(command, grammar.Retry):
            through = self._pass(command, user)
            if isinstance(through, Message):
                return through
            passed = through
        refusal = self._decide(command.release, user, self._judge(command, channel, via, passed, delivery))
        return None if refusal is None else refusal_message(refusal)

    def take_back(  # noqa: PLR0913 - who wants what taken back, why, from where
        self,
        release: Release,
        reason: str | None,
        user: str,
        channel: str | None,
        *,
        via: AskedVia,
        at_once: bool,
    ) -> Refusal | None:
        """Stop what is under way, for who asked for a rollback there.

        `at_once`: whether they could roll back without anybody agreeing; else the rule for aborts decides.
        """
        rule = policy.admit if at_once else self._rule("abort", release, channel)

        def judge(release: Release, who: Person) -> steering.Outcome:
            return steering.abort(release, who, self._now(), reason, via=via, allowed=rule)

        return self._decide(release.id, user, judge)

    def done(self, command: Steers, url: str | None) -> Message:
        """What who typed such a line is told; `url` leads to the release's message."""
        id_ = command.release
        after = {
            grammar.Abort: "is being stopped.",
            grammar.Finish: "is good, and ends.",
            grammar.Pause: "is paused before its next step.",
            grammar.Resume: "goes on.",
            grammar.Retry: "goes on from the step at which it failed.",
        }[type(command)]
        return message(f"{id_} {after}", lines([link(url, id_) if url else id_, f" {after}"]))

    def _judge(
        self, command: Steers, channel: str | None, via: Via, passed: tuple[Passage, ...], delivery: str
    ) -> Judge:
        asked: AskedVia = "command line" if via == "command line" else "slack"

        def judge(release: Release, who: Person) -> steering.Outcome:
            now, rule = self._now(), self._rule(_ruled(command, release), release, channel)
            match command:
                case grammar.Abort(reason=reason):
                    return steering.abort(release, who, now, reason, via=asked, allowed=rule)
                case grammar.Pause(reason=reason):
                    return steering.pause(release, who, now, reason, via=asked, allowed=rule)
                case grammar.Finish():
                    return steering.finish(release, who, now, via=via, allowed=rule)
                case grammar.Resume():
                    return steering.resume(release, who, now, via=via, allowed=rule)
                case grammar.Retry():
                    latest = self._record.latest(release.environment)
                    newest = None if latest is None else latest[0]
                    return steering.retry(
                        release,
                        who,
                        now,
                        via=via,
                        newest=newest,
                        passed=passed,
                        delivery=delivery,
                        allowed=rule,
                    )

        return judge

    def _rule(self, what: Ruled, release: Release, channel: str | None) -> steering.Rule:
        """Who else than the person who asked for the release may do this."""
        environment = self._config.environments.get(release.environment)
        if environment is None:
            return policy.admit  # in buzzy.yaml no more, and its rules neither
        return lambda who: policy.may(what, environment, who, channel)

    def _pass(self, command: grammar.Retry, user: str) -> tuple[Passage, ...] | Message:
        """Go on only where a release could begin now; what goes back does not wait."""
        release = self._record.load(command.release).release
        environment = self._config.environments.get(release.environment)
        wanted = command_of(release.request)
        is_forward = isinstance(wanted, Forward) and not release.back
        if release.state is not State.FAILED or environment is None or not is_forward:
            return ()
        assert isinstance(wanted, Forward)  # noqa: S101 - looked at above
        types = {release.plan.type} if release.plan is not None and release.plan.type is not None else set()
        passed = self._gate.let_pass(release.request, wanted, environment, self._people.get(user), types)
        return passed if isinstance(passed, Message) else passed.passed


def _ruled(command: Steers, release: Release) -> Ruled:
    """The rule that it falls under: to stop is one thing, to let go on is as to ask for it."""
    if isinstance(command, grammar.Abort | grammar.Pause):
        return "abort"
    request = release.request
    if request.kind == "rollback":
        return "rollback"
    return request.urgency or ("promote" if request.source is not None else "release")
