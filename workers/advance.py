"""Takes a release as far as it can go now: the executor of plans.

One call is one job. It ends when the release has ended, when it has worked for its slice of time or when the
worker is asked to stop; then whoever takes the next job goes on, from the record and from what the cluster
looks like.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from releases import events as e
from releases import gates
from releases.config import Config, Environment
from releases.database import Backup, Migrate, Restore
from releases.ledger import UnreadableLedgerError, concerns
from releases.lifecycle import MOVING, Release, State, StepState, StepStatus
from releases.migrations import BackupKnown, backup_of, newest_backup
from releases.monitoring import Monitor
from releases.plan import Plan, Prepare, RollOut, Step, Switch, Verify, VerifyGreen, Watch
from releases.record import Record, RecordUnavailableError
from releases.record.record import LEASE_MS
from releases.validation import Validate
from workers import words
from workers.at_work import StepWork
from workers.cluster import BELIEVED_SECONDS, ClusterError, DeniedError, TransientError
from workers.cluster.connections import Clusters
from workers.drafting import PAST, Drafts
from workers.drafting import now as clock
from workers.failing import after_failure
from workers.hold import WRITES, Hold
from workers.ledger import remember
from workers.lost import has_begun
from workers.metrics import Metrics
from workers.observe import Observed, services_seen, snapshot
from workers.planning import Refused
from workers.registry import RegistryError
from workers.steps import Asks, Done, Failed, Outcome, Undecided, Unfinished, run
from workers.writer import Writer

SLICE_SECONDS = 20.0
QUICK_STEP = timedelta(seconds=60)
"""How long a step may take that only creates or looks."""

TAKEN_OVER = timedelta(seconds=30)
"""What a step still has after a crash, however long nobody was at work: enough for pods to start."""

PATIENCE = timedelta(seconds=15)
"""How long a silent cluster is waited for before anything is changed."""

BELIEVED = timedelta(seconds=BELIEVED_SECONDS)
"""How long a right must be missing that was there before: see `DeniedError`."""

PAUSE_SECONDS = 0.5

_STANDINGS = RollOut | Prepare | Switch
"""Steps that leave a Deployment with a template."""

REMIND = timedelta(minutes=30)
"""After this a person who is to decide is reminded; then after twice as long, and so on."""


def _nothing(_release: Release) -> e.ReleaseHeld | None:
    return None


def _no_metrics(_environment: Environment) -> Metrics | None:
    return None


@dataclass(frozen=True)
class Tools:
    """What a job works with."""

    record: Record
    config: Config
    clusters: Clusters
    drafts: Drafts
    stopping: Callable[[], bool]
    now: Callable[[], datetime] = clock
    slice_seconds: float = SLICE_SECONDS
    lease_ms: int = LEASE_MS
    patience: timedelta = PATIENCE
    holds_back: Callable[[Release], e.ReleaseHeld | None] = _nothing
    """What keeps a release from starting now: a lock or a freeze that came after it was asked for."""
    metrics: Callable[[Environment], Metrics | None] = _no_metrics
    """Where an environment's metrics are asked for; None when that is not said."""


class Advance:
    """One job on one release."""

    def __init__(self, tools: Tools, writer: Writer) -> None:
        """`writer` holds the release."""
        self._tools = tools
        self._writer = writer
        self._hold = Hold(tools.record, tools.config, tools.clusters, writer, tools.now)
        self._began = time.monotonic()
        self._taken_at = tools.now()
        self._rests = False

    def go(self) -> None:
        """Go on until the release has ended or the job should.

        Raises `StaleError` when another worker took it over, and `HeldError` when another installation has
        the environment.
        """
        if self._release.state in MOVING:
            with suppress(ClusterError):  # the step that is next meets it again
                self._hold.resume()
        self._catch_up()
        if self._writer.interrupted and not self._release.ended:
            seen = self._look_around()
            found = words.found(self._release, seen, rebuilt=self._writer.rebuilt)
            self._append(e.Interrupted(at=self._now(), found=found))
        while not self._release.ended and not self._enough():
            position = self._release.position
            match self._release.state:
                case State.APPROVED:
                    self._start()
                case State.RUNNING if self._release.pauses:
                    self._append(e.Paused(at=self._now()), only_in=State.RUNNING)
                case State.RUNNING | State.TURNING_BACK:
                    self._advance_step()
                case State.ABORTING if self._is_halfway():
                    self._advance_step()
                case State.UNDECIDED | State.PAUSED:
                    self._remind()
                    return
                case State.ABORTING:
                    self._turn_back()
                case State.CANCELLING:
                    self._append(e.ReleaseCancelled(at=self._now()))
                case _:
                    return
            if self._release.position == position and not self._enough():
                raise RuntimeError(f"{self._release.id} does not move from {self._release.state}")

    def _catch_up(self) -> None:
        """Take over what the cluster remembers of the release and a Redis that crashed has forgotten."""
        environment = self._tools.config.environment(self._release.environment)
        with suppress(
            ClusterError, UnreadableLedgerError
        ):  # who needs the cluster next tells that it is away
            happened = self._tools.drafts.ledgers.more_of(environment, self._release.id)
            if happened:
                self._append(*happened)

    # -- the beginning and the end -------------------------------------------------------------------

    def _start(self) -> None:
        """Take the environment at the cluster; start, if what was approved is still what would be planned."""
        approved = self._release.plan
        held = self._tools.holds_back(self._release)
        first = (held,) if held is not None else gates.read_again(self._release, self._now())
        if first and not self._is_under_way():
            self._writer.append(first, only_in=State.APPROVED)
            return
        try:
            draft = self._tools.drafts.patiently(
                self._release.request,
                until=self._taken_at + self._tools.patience,
                go_on=self._look_out,
                take=self._hold.take,
                before=approved,
            )
        except (ClusterError, RegistryError) as error:
            self._append(e.ReplanRequested(at=self._now(), because=words.of_error(error)))
            return
        if draft is None:
            return
        self._see(draft.observed)
        match draft.plan:
            case Plan() if approved is not None and draft.plan.digest == approved.digest:
                self._append(e.ReleaseStarted(at=self._now()))
            case _ if approved is not None and has_begun(approved, draft.observed, self._release.id):
                self._append(e.ReleaseStarted(at=self._now()))  # again: the record lost that it had
            case Plan():
                because = words.moved(approved, draft.plan) if approved else ""
                self._append(e.ReplanRequested(at=self._now(), because=because))
            case Refused(reason=reason):
                self._append(e.ReplanRequested(at=self._now(), because=reason))

    def _is_under_way(self) -> bool:
        """Whether it has begun already, and the record lost that: then nothing holds it back any more."""
        environment = self._tools.config.environment(self._release.environment)
        try:
            observed = self._tools.drafts.look(environment)
        except ClusterError:
            return False
        plan = self._release.plan
        return plan is not None and has_begun(plan, observed, self._release.id)

    def _is_halfway(self) -> bool:
        """Whether a change of the database is under way: what undoes it has to wait for its end."""
        return any(
            each.status is StepStatus.RUNNING and isinstance(each.step, Migrate | Restore)
            for each in self._release.forward
        )

    def _turn_back(self) -> None:
        """At a safe point after somebody wished to abort: undo what was begun, if it can be."""
        release, steps = self._release, self._release.way_back()
        if release.stays:  # nothing goes back over these by itself
            reason = words.no_way_back(release)
            self._append(e.ReleaseFailed(at=self._now(), reason=reason, changed=release.changed_services))
        elif steps:
            because = words.stopped(self._release.abort)
            self._append(e.TurnedBack(at=self._now(), steps=steps, because=because))
        elif release.changed_services or release.changed_database:  # a rollback is not rolled back in turn
            reason = words.stopped(release.abort)
            self._append(e.ReleaseFailed(at=self._now(), reason=reason, changed=release.changed_services))
        else:
            self._append(e.ReleaseCancelled(at=self._now()))

    def _end(self) -> None:
        """All steps in the release's direction are done."""
        if self._release.state is State.TURNING_BACK:
            self._append(e.RolledBack(at=self._now()))
        else:
            self._append(e.ReleaseFinished(at=self._now()))

    # -- steps ---------------------------------------------------------------------------------------

    def _advance_step(self) -> None:
        index, state = self._release.next_index, self._release.state
        if index is None:
            self._end()
            return
        if self._release.steps[index].status is StepStatus.PENDING:
            self._append(e.StepStarted(at=self._now(), index=index))
        if self._release.state is not state:
            return  # somebody wished to abort
        match self._run(index):
            case Done() as done:
                seen = self._look_around()
                self._append(
                    e.StepFinished(
                        at=self._now(),
                        index=index,
                        changed=done.changed,
                        seen=seen,
                        result=done.result,
                        log=done.log,
                    )
                )
            case Failed() as failed:
                with suppress(ClusterError):  # if another installation is at work here, that is why
                    self._writer.make_sure()
                self._fail(index, failed)
            case Undecided(reason):
                self._append(e.DecisionAsked(at=self._now(), index=index, because=words.sentence(reason)))
            case Asks(check):
                asked = e.SignOffAsked(
                    at=self._now(),
                    index=index,
                    question=check.question,
                    by=check.by,
                    expires_at=self._now() + timedelta(seconds=check.expires_seconds),
                )
                self._append(asked)
            case Unfinished():
                self._rests = isinstance(self._release.steps[index].step, Monitor)

    def _run(self, index: int) -> Outcome:
        """Run a step, again and again while the cluster cannot be heard and there is time."""
        step, work = self._release.steps[index].step, self._work(index)
        standings = [each.step for each in self._same_way(index) if isinstance(each.step, _STANDINGS)]
        denied_at: datetime | None = None
        while True:
            try:
                self._hold.resume()
                return run(step, standings, work)
            except TransientError as error:
                if isinstance(step, WRITES):  # a write may have been sent, and be under way
                    self._writer.note_unfenced(is_so=True)
                if work.now() >= work.deadline:
                    return Failed(f"Whether {step.title} is done could not be seen: {error}")
                work.silence(error)
            except DeniedError as error:  # the rights were there when it was planned
                denied_at = denied_at or work.now()
                if work.now() - denied_at >= BELIEVED:
                    return Failed(words.of_error(error))
            except ClusterError as error:
                return Failed(words.of_error(error))
            if not work.go_on():
                return Unfinished()
            time.sleep(PAUSE_SECONDS)

    def _work(self, index: int) -> StepWork:
        release, state = self._release, self._release.steps[index]
        environment = self._tools.config.environment(release.environment)
        started = state.started_at or self._now()
        deadline = started + _time_for(state.step)
        if self._writer.interrupted:
            deadline = max(deadline, self._taken_at + TAKEN_OVER)
        again = state.attempt > 0
        attempt = f"/{state.attempt}" if again else ""  # a Job that has failed cannot be begun anew
        looks_back = isinstance(state.step, Verify | VerifyGreen) and not again
        starts = [each.started_at for each in self._same_way(index) if each.started_at and looks_back]
        return StepWork(
            self._writer,
            self._tools.clusters(environment.cluster.context),
            namespace=environment.namespace,
            index=index,
            cause=words.cause(release, state.step) if isinstance(state.step, RollOut | Prepare) else "",
            since=min([started, *starts]),
            deadline=deadline,
            again=again,
            now=self._tools.now,
            enough=self._enough,
            look_around=self._look_around,
            key=f"{self._tools.record.installation()}/{release.id}/{index}{attempt}",
            usable_backup=self._usable_backup,
            newest_backup=lambda: newest_backup(self._tools.record.recent(release.environment, PAST)),
            observe=lambda: self._tools.drafts.look(environment),
            database=lambda: self._tools.drafts.database(environment),
            files=self._tools.drafts.files.read,
            metrics=self._tools.metrics(environment),
        )

    def _usable_backup(self) -> BackupKnown | None:
        plan = self._release.plan
        has = (plan.database if plan is not None else None) or ()
        return backup_of(self._tools.record.recent(self._release.environment, PAST), has)

    def _same_way(self, index: int) -> tuple[StepState, ...]:
        """The steps of the direction in which that step goes."""
        release = self._release
        return release.forward if index < len(release.forward) else release.back

    def _fail(self, index: int, failed: Failed) -> None:
        """Say what follows. If somebody wished to abort meanwhile, it turns back in any case."""
        seen = self._look_around()
        before = self._release.state
        happened = after_failure(self._release, index, failed, seen, self._now())
        if not self._append(*happened, only_in=before):
            self._append(*after_failure(self._release, index, failed, seen, self._now()))

    def _remind(self) -> None:
        """Whoever has to decide is reminded, each time after twice as long."""
        undecided = self._release.undecided
        since = self._release.paused_at or (undecided.at if undecided is not None else None)
        if since is not None and self._now() - since >= REMIND * 2**self._release.reminders:
            self._append(e.DecisionReminded(at=self._now()))

    # -- small things --------------------------------------------------------------------------------

    @property
    def _release(self) -> Release:
        return self._writer.release

    def _now(self) -> datetime:
        return self._tools.now()

    def _append(self, *happened: e.Event, only_in: State | None = None) -> bool:
        written = self._writer.append(happened, only_in=only_in)
        if written and not self._release.ended and concerns(self._release, happened):
            remember(self._tools.drafts.ledgers, self._release.environment)
        return written

    def _look_out(self) -> bool:
        self._writer.look()
        return not self._enough() and not self._release.ended

    def _enough(self) -> bool:
        return (
            self._rests
            or self._tools.stopping()
            or time.monotonic() - self._began >= self._tools.slice_seconds
        )

    def _look_around(self) -> tuple[e.ServiceSeen, ...]:
        """All services as they are now, remembered for who asks; none while the cluster is silent."""
        try:
            observed = self._tools.drafts.look(self._tools.config.environment(self._release.environment))
        except ClusterError:
            return ()
        self._see(observed)
        return services_seen(observed)

    def _see(self, observed: Observed) -> None:
        with suppress(RecordUnavailableError):  # it is seen again at the next step
            self._tools.record.see(snapshot(observed))


def _time_for(step: Step) -> timedelta:
    match step:
        case RollOut() | Prepare() | Validate():
            return timedelta(seconds=step.deadline_seconds)
        case Watch():
            return timedelta(seconds=step.seconds) + QUICK_STEP
        case Backup(task=task) | Migrate(task=task) | Restore(task=task):
            return timedelta(seconds=task.deadline_seconds)
        case Monitor():
            return timedelta(seconds=step.window_seconds) + QUICK_STEP
        case _:
            return QUICK_STEP
