"""Questions: answered at once from the record, with the age of what was last seen; a worker looks again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from bot.calendar import Calendar
from bot.messages import Message
from bot.messages.calendar import Agenda, calendar_message
from bot.messages.difference import difference_message
from bot.messages.history import history_message
from bot.messages.migrations import migrations_message
from bot.messages.plan import plan_message
from bot.messages.refusals import note, refusal_message
from bot.messages.status import EnvironmentNow, LastDrill, age, seen_ending, status_message
from releases import grammar
from releases.config import Config
from releases.database import Applied
from releases.events import Actor
from releases.lifecycle import Release, State
from releases.plan import digest_of
from releases.policy import Refusal
from releases.promotion import soaking
from releases.proof import PAST, lead
from releases.record import JobQueue, Questions, Record
from releases.record.database import applied_in
from releases.record.drifts import Drifts
from releases.record.rounds import Rounds
from releases.record.told import Place, Told
from releases.snapshot import Answer, Question
from releases.standby import Drift, drift
from releases.twins import Found

Asking = grammar.Status | grammar.History | grammar.Plan | grammar.Diff
"""The commands that only ask."""

OF_WORKERS = frozenset({"plan", "diff"})
"""The questions to which the record alone has no answer."""
LookedUp = grammar.Calendar | grammar.Migrations
"""Those whose answer the record has."""

STATUS_RELEASES = 10
"""How far back `status` looks for the release that put there what runs."""


class Desk:
    """Answers questions from the record, and again when somebody has looked at the cluster."""

    def __init__(  # noqa: PLR0913, PLR0917 - what an answer is made of
        self,
        config: Config,
        record: Record,
        questions: Questions,
        queue: JobQueue,
        told: Told,
        now: Callable[[], datetime],
        calendar: Calendar,
        drifts: Drifts,
        rounds: Rounds,
    ) -> None:
        """`now` gives aware UTC times."""
        self._config = config
        self._record = record
        self._questions = questions
        self._queue = queue
        self._told = told
        self._now = now
        self._calendar = calendar
        self._drifts = drifts
        self._rounds = rounds

    def look_up(self, command: LookedUp) -> Message:
        """What is known at once, and nobody has to look at again."""
        now = self._now()
        names = (command.environment,) if command.environment else tuple(self._config.environments)
        if isinstance(command, grammar.Migrations):
            return migrations_message({name: self._applied(name) for name in names}, now)
        return calendar_message(
            tuple(
                Agenda(name, self._calendar.entries(name, now), self._calendar.open_times(name))
                for name in names
            )
        )

    def _applied(self, name: str) -> tuple[Applied, ...] | None:
        if self._config.environment(name).database is None:
            return None
        return applied_in(self._record, name)

    def ask(
        self,
        command: Asking,
        user: str,
        channel: str,
        response_url: str,
        *,
        show: Callable[[Message], Place | None],
    ) -> str:
        """Answer with what is known, through `show`, and let a worker look again; the question's id.

        `show` returns where the answer stands, if it can be edited there.
        """
        question = Question(
            kind=_kind(command),
            environments=self._environments(command),
            line=command.line(),
            by=Actor(id=user, name=user),
            channel=channel,
            response_url=response_url,
            asked_at=self._now(),
        )
        id_ = self._questions.ask(question)
        known = self._known(question)
        place = show(self._message(question, known, again=True))
        # Before the job is queued, so that its answer cannot come before this is known.
        self._told.answered(id_, _digest(known), place)
        self._queue.put("validation", "answer", id_)
        return id_

    def updated(self, question: Question, answer: Answer, shown: str, *, edits: bool) -> Message | None:
        """What a worker's answer adds to what was shown; None when it is the same.

        `edits`: it replaces the first answer, which then no longer says that somebody looks again.
        """
        if question.kind == "plan":
            return _planned(question, answer)
        if question.kind == "diff":
            return _compared(question, answer)
        known = self._known(question)
        if not known or (_digest(known) == shown and not edits):
            return None
        return self._message(question, known, again=False)

    def board(self) -> tuple[EnvironmentNow, ...]:
        """All environments, as they are known now."""
        return tuple(self._environment(name, "status") for name in self._config.environments)

    def stamp(self) -> str:
        """Names what `board` would show, and costs little: whoever has seen this stamp has seen all of it.

        That somebody has looked again and found the same counts once a minute.
        """
        now = self._now()
        parts: list[object] = []
        for name in self._config.environments:
            seen = self._record.seen(name)
            found = None if seen is None else seen.model_dump(mode="json", exclude={"at", "revisions"})
            minute = None if seen is None else int(seen.at.timestamp() // 60)
            parts += [self._record.latest(name), found, minute, self._calendar.brief(name, now)]
            if name in self._config.standbys and (drifted := self._drifts.of(name)) is not None:
                parts += drifted.differences
        return digest_of(parts)

    def _message(self, question: Question, known: tuple[EnvironmentNow, ...], *, again: bool) -> Message:
        if question.kind in OF_WORKERS:
            return note(f"Looking at {' and '.join(question.environments)} …")
        now = self._now()
        ending = seen_ending(age(known, now), again=again)
        if question.kind == "status":
            return status_message(known, now, ending=ending)
        return history_message(known, now, ending=ending)

    def _known(self, question: Question) -> tuple[EnvironmentNow, ...]:
        if question.kind in OF_WORKERS:
            return ()
        names = (name for name in question.environments if name in self._config.environments)
        return tuple(self._environment(name, question.kind) for name in names)

    def _environment(self, name: str, kind: str) -> EnvironmentNow:
        holder = self._record.holder(name)
        count = self._config.environment(name).history if kind == "history" else STATUS_RELEASES
        recent = self._record.recent(name, count)
        held = next((release for release in recent if release.id == holder), None)
        brief = self._calendar.brief(name, self._now()) if kind == "status" else ()
        soaks = soaking(self._config, name, recent, self._now()) if kind == "status" else ()
        now = EnvironmentNow(name, self._record.seen(name), held, recent, brief, None, soaks)
        environment = self._config.environment(name)
        if kind != "status":
            return now
        if environment.latest is not None:
            now = replace(now, newest=self._rounds.newest(name))
        if environment.follows is None:
            return now
        drilled = next((each for each in self._record.recent(name, PAST) if _was_drilled(each)), None)
        found = self._drifts.of(name)
        return replace(now, drift=self._drift(name, found), found=found, drill=LastDrill(drilled))

    def _drift(self, name: str, found: Found | None) -> Drift | None:
        """How a standby differs in versions, as was last seen; if it does not, what else differs."""
        environment = self._config.environment(name)
        if environment.follows is None:
            return None
        services = [service.name for service in self._config.services_of(environment)]
        leading = lead(self._record.recent(environment.follows, STATUS_RELEASES), services)
        seen = self._record.seen
        versions = drift(environment, seen(name), seen(environment.follows), leading)
        if versions is None or not versions.in_step or found is None or not found.differences:
            return versions
        return Drift(f"not in step with {found.follows}: {found.differences[0]}", found.since)

    def _environments(self, command: Asking) -> tuple[str, ...]:
        if isinstance(command, grammar.Diff):
            return (command.source, command.environment)
        return (command.environment,) if command.environment else tuple(self._config.environments)


def _kind(command: Asking) -> Literal["status", "history", "plan", "diff"]:
    match command:
        case grammar.Status():
            return "status"
        case grammar.History():
            return "history"
        case grammar.Plan():
            return "plan"
        case grammar.Diff():
            return "diff"


def _digest(known: tuple[EnvironmentNow, ...]) -> str:
    """Names what was seen, not when: two looks that saw the same are the same answer."""
    seen = [
        each.seen.model_dump(mode="json", exclude={"at"}) if each.seen is not None else None for each in known
    ]
    drifted = [list(each.found.differences) for each in known if each.found is not None]
    return digest_of([seen, drifted])


def _was_drilled(release: Release) -> bool:
    return release.request.kind == "drill" and release.state in {State.RELEASED, State.FAILED}


def _planned(question: Question, answer: Answer) -> Message:
    if answer.plan is not None:
        release = question.line.replace("plan ", "/buzzy release ", 1)
        return plan_message(answer.plan, copy=release)
    why = answer.refused or f"{question.environments[0]} could not be planned."
    return refusal_message(Refusal(why, answer.hint, answer.who, ready_at=answer.ready_at))


def _compared(question: Question, answer: Answer) -> Message:
    if answer.difference is not None:
        return difference_message(answer.difference)
    why = answer.refused or f"{' and '.join(question.environments)} could not be compared."
    return refusal_message(Refusal(why, answer.hint))
