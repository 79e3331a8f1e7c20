"""The jobs that a worker runs: plan a release, advance it, answer a question.

A job is told no more than which release or question wants attention. It may come twice, late, or beside
another about the same: whoever has the lease works, the other goes home.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from uuid import uuid4

import structlog
from rq.timeouts import BaseTimeoutException

from releases import events as e
from releases import gates
from releases.config import UnknownEnvironment
from releases.lifecycle import RESTING, WORKING, IllegalEventError, Release, State, apply
from releases.plan import Plan
from releases.record import (
    JobQueue,
    Lease,
    MovedError,
    Questions,
    RecordUnavailableError,
    StaleError,
    UnknownReleaseError,
    queue_of,
)
from releases.record.queue import JobName
from workers import words
from workers.advance import Advance, Tools
from workers.answering import Answers
from workers.cluster import ClusterError
from workers.ledger import remember
from workers.notes import NotesError, read_notes
from workers.observe import services_seen, snapshot
from workers.planning import Refused
from workers.registry import RegistryError
from workers.resting import rest_of
from workers.stopping import HandOver
from workers.tenure import HeldError
from workers.writer import Writer

log = structlog.stdlib.get_logger(__name__)

Job = Callable[[str], None]

REPLANS = 10
"""A plan that is different each time it is made can never start."""

NOTES_ATTEMPTS = 5
"""So often somebody else may write first; the page is read again each time, which is rare and harmless."""

_RESTLESS = f"The cluster changes faster than it can be planned for: {REPLANS} plans in a row did not hold."


class Jobs:
    """The jobs, bound to what they work with."""

    def __init__(
        self,
        tools: Tools,
        queue: JobQueue,
        questions: Questions,
        answers: Answers,
        others: Mapping[JobName, Job] | None = None,
    ) -> None:
        """`queue` takes a job's successors; `others` are jobs that are about no release."""
        self._tools = tools
        self._queue = queue
        self._questions = questions
        self._answers = answers
        self._others = {f"workers.jobs.{name}": job for name, job in (others or {}).items()}

    @property
    def table(self) -> Mapping[str, Job]:
        """All that a worker runs, by the name that the queue has for it."""
        return {
            "workers.jobs.plan": self.plan,
            "workers.jobs.advance": self.advance,
            "workers.jobs.answer": self.answer,
            "workers.jobs.notes": self.notes,
            "workers.jobs.ledger": self.ledger,
            **self._others,
        }

    def plan(self, release_id: str) -> None:
        """Plan a release that was asked for; where no approval is needed, let it start."""
        self._work(release_id, frozenset({State.REQUESTED}), self._plan)

    def advance(self, release_id: str) -> None:
        """Take a release as far as it can go now."""
        states = (WORKING | {State.CANCELLING}) - {State.REQUESTED}
        self._work(release_id, states, lambda writer: Advance(self._tools, writer).go())

    def answer(self, question_id: str) -> None:
        """Answer a question, unless it is too old."""
        question = self._questions.question(question_id)
        if question is None:
            return
        try:
            self._answers.give(question_id, question)
        except (RecordUnavailableError, BaseTimeoutException):
            raise
        except HandOver:  # nobody looks for questions that are lost
            self._queue.put("validation", "answer", question_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person who asked hears of it
            self._answers.fail(question_id, _mistake(error, question=question_id))

    def notes(self, release_id: str) -> None:
        """Read the release notes of a version, once a release; beside whatever else happens to it."""
        record = self._tools.record
        for _ in range(NOTES_ATTEMPTS):
            try:
                held = record.load(release_id)
                plan = held.release.plan
                told = any(isinstance(event, e.NotesRead) for event in record.events(release_id))
                if plan is None or plan.notes is None or told or held.release.ended:
                    return
                record.append(held, [_read_notes(plan.notes, self._tools.now)])
            except MovedError:
                continue
            except (StaleError, IllegalEventError, UnknownReleaseError, RecordUnavailableError) as error:
                log.info("release notes are left untold", release=release_id, why=str(error))
            return

    def ledger(self, environment: str) -> None:
        """Let the cluster remember what it could not be told before."""
        archive = self._tools.record.archive
        try:
            due = archive.due(environment)
            if remember(self._tools.drafts.ledgers, environment):
                log.info("the cluster remembers again", environment=environment)
        except UnknownEnvironment:  # it is in buzzy.yaml no more, and so has no place to remember
            archive.remembered(environment, due)

    # -- one release -----------------------------------------------------------------------------------

    def _work(self, release_id: str, states: frozenset[State], work: Callable[[Writer], None]) -> None:
        """Do some work on a release as its only writer, and queue what comes after it."""
        lease: Lease | None = None
        try:
            release = self._tools.record.load(release_id).release
            if release.state not in states:
                return
            lease_ms, stopping = self._tools.lease_ms, self._tools.stopping
            lease = self._tools.record.take(release, _writer_id(), lease_ms=lease_ms)
            if lease is None:
                return
            with Writer(self._tools.record, lease, stopping=stopping, lease_ms=lease_ms) as writer:
                if writer.release.state in states:
                    self._carefully(writer, work)
        except (StaleError, UnknownReleaseError) as error:
            log.info("left to others", release=release_id, why=str(error))
        except RecordUnavailableError as error:
            log.warning("the record is away", release=release_id, why=str(error))
        except HandOver:
            log.info("handed over in the middle of a call", release=release_id)
            if lease is not None:
                self._hand_over(release_id)
        else:
            self._remember_end(writer.release)
            self._queue_next(writer.release)

    def _remember_end(self, release: Release) -> None:
        """Let the cluster remember how a release that changed it has ended."""
        if release.ended and release.started_at is not None:
            with suppress(UnknownEnvironment):
                remember(self._tools.drafts.ledgers, release.environment)

    def _hand_over(self, release_id: str) -> None:
        """Queue what comes next, if Redis still answers; else the reaper does."""
        try:
            self._queue_next(self._tools.record.load(release_id).release)
        except (RecordUnavailableError, UnknownReleaseError, HandOver) as error:
            log.warning("the next job is not queued", release=release_id, why=type(error).__name__)

    def _carefully(self, writer: Writer, work: Callable[[Writer], None]) -> None:
        """Whatever goes wrong, the release ends with a sentence in its thread instead of hanging."""
        try:
            work(writer)
        except (StaleError, RecordUnavailableError, BaseTimeoutException):
            raise
        except HeldError as error:
            self._give_way(writer, error)
        except UnknownEnvironment as error:
            self._give_up(writer, f"{error} It is in buzzy.yaml no more.")
        except Exception as error:  # noqa: BLE001 - see above
            self._give_up(writer, _mistake(error, release=writer.release.id))

    def _give_way(self, writer: Writer, error: HeldError) -> None:
        """Another installation has the environment: what has not started is planned, and refused, again."""
        if writer.release.state is State.APPROVED:
            writer.append([e.ReplanRequested(at=self._tools.now(), because=str(error))])
        else:
            self._give_up(writer, str(error))

    def _give_up(self, writer: Writer, reason: str) -> None:
        release, at = writer.release, self._tools.now()
        failed = e.ReleaseFailed(at=at, reason=reason, changed=release.changed_services)
        match release.state:
            case State.REQUESTED:
                writer.append([e.PlanRefused(at=at, reason=reason)])
            case State.APPROVED:
                writer.append([e.ReleaseStarted(at=at), failed])
            case State.RUNNING | State.TURNING_BACK if release.next_index is not None:
                writer.append([e.StepFailed(at=at, index=release.next_index, reason=reason), failed])
            case _:
                writer.append([failed])

    def _plan(self, writer: Writer) -> None:
        tools, request, at = self._tools, writer.release.request, self._tools.now()
        if writer.interrupted:
            found = words.found(writer.release, (), rebuilt=writer.rebuilt)
            writer.append([e.Interrupted(at=at, found=found)])

        def go_on() -> bool:
            writer.look()
            return writer.release.state is State.REQUESTED and not tools.stopping()

        try:
            draft = tools.drafts.patiently(
                request, until=at + tools.patience, go_on=go_on, before=writer.release.plan
            )
        except (ClusterError, RegistryError) as error:
            refused = e.PlanRefused(at=tools.now(), reason=words.of_error(error), hint="Nothing was changed.")
            writer.append([refused])
            return
        if draft is None:
            return
        tools.record.see(snapshot(draft.observed))
        match draft.plan:
            case Plan() if self._replanned(writer.release) >= REPLANS:
                writer.append([e.PlanRefused(at=tools.now(), reason=_RESTLESS)])
            case Plan() as plan:
                self._propose(writer, plan, services_seen(draft.observed))
            case Refused(reason, hint, ready_at, who):
                refused = e.PlanRefused(at=tools.now(), reason=reason, hint=hint, ready_at=ready_at, who=who)
                writer.append([refused])

    def _replanned(self, release: Release) -> int:
        """How often it was planned again although nobody asked for that."""
        events = self._tools.record.events(release.id)
        return sum(isinstance(event, e.ReplanRequested) and event.by is None for event in events)

    def _propose(self, writer: Writer, plan: Plan, seen: tuple[e.ServiceSeen, ...]) -> None:
        """Propose the plan, and let it start if nothing is waited for.

        That is: nobody has to agree, or enough have agreed to the same; and nothing of its checklist blocks.
        """
        release, at = writer.release, self._tools.now()
        proposed = e.PlanProposed(at=at, plan=plan, seen=seen, because=release.replanned_because)
        after = apply(release, proposed)
        writer.append([proposed, *(gates.go_once_read(after, at) if after.may_start else ())])
        if plan.notes is not None:
            self._queue_notes(release.id)

    def _queue_notes(self, release_id: str) -> None:
        """Nothing is lost without them: a queue that is away is not waited for."""
        try:
            self._queue.put("validation", "notes", release_id)
        except RecordUnavailableError as error:
            log.info("release notes are left unread", release=release_id, why=str(error))

    def _queue_next(self, release: Release) -> None:
        """Queue the next job, if one is wanted; the reaper does it if this cannot."""
        if release.ended or release.state in RESTING:
            return
        try:
            if (rest := rest_of(release)) is not None:
                self._tools.record.rest(release.id, rest)  # the reaper queues it when that is over
                return
            self._queue.put(queue_of(release), next_job(release), release.id)
        except RecordUnavailableError as error:
            log.warning("the next job is not queued", release=release.id, why=str(error))


def next_job(release: Release) -> JobName:
    """The job that takes a release on from where it stands."""
    return "plan" if release.state is State.REQUESTED else "advance"


def process_name(pid: int) -> str:
    """How the names of all writers in a process of this machine begin."""
    return f"{socket.gethostname()}:{pid}:"


def _writer_id() -> str:
    return process_name(os.getpid()) + uuid4().hex[:8]


def _read_notes(url: str, now: Callable[[], datetime]) -> e.NotesRead:
    try:
        return e.NotesRead(url=url, lines=read_notes(url), at=now())
    except NotesError as error:
        return e.NotesRead(url=url, problem=str(error), at=now())


def _mistake(error: Exception, **about: str) -> str:
    """Log what nobody expected under an id, and give the sentence that names it."""
    id_ = uuid4().hex[:8]
    log.error("mistake", id=id_, exc_info=error, **about)
    return f"Buzzy made a mistake ({id_}); the worker's log has it under this id."
