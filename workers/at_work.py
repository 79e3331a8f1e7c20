"""A step at work: what it is given by the one who runs it, and how those who watch are kept up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from releases import events as e
from releases.events import ServiceSeen
from releases.migrations import BackupKnown
from releases.monitoring import Reading
from workers.cluster import Cluster, TransientError
from workers.files import Contents
from workers.metrics import Metrics
from workers.observe import Observed
from workers.steps.work import Answer
from workers.words import silent
from workers.writer import Writer

SHOW = timedelta(seconds=0.5)
"""People cannot read more than two pictures a second."""

TELL_SILENCE = timedelta(seconds=4)
"""A cluster that is away for less is no news."""

UNSEEN = "not seen just now"


class StepWork:
    """One step's place to work; the `Work` of `workers.steps`."""

    def __init__(  # noqa: PLR0913 - all that a step needs to know of the world
        self,
        writer: Writer,
        cluster: Cluster,
        *,
        namespace: str,
        index: int,
        cause: str,
        since: datetime,
        deadline: datetime,
        again: bool,
        now: Callable[[], datetime],
        enough: Callable[[], bool],
        look_around: Callable[[], tuple[ServiceSeen, ...]],
        key: str,
        usable_backup: Callable[[], BackupKnown | None],
        newest_backup: Callable[[], BackupKnown | None],
        observe: Callable[[], Observed],
        database: Callable[[], str],
        files: Callable[[str], Contents],
        metrics: Metrics | None = None,
    ) -> None:
        """`index` is the step's place in the release; `enough` says that the job should end here.

        `again` says that somebody has retried the step; `look_around` sees all services, or none while the
        cluster is silent. `key` names the step among all; `observe`, `database` and `files` are as `Work` has
        them.
        """
        self.cluster = cluster
        self.namespace = namespace
        self.release = writer.release.id
        self.cause = cause
        self.since = since
        self.deadline = deadline
        self.again = again
        self.key = key
        self.usable_backup = usable_backup
        self.newest_backup = newest_backup
        self.now = now
        self.observe = observe
        self.database = database
        self.files = files
        self.metrics = metrics
        self.release_began = writer.release.started_at or since
        self._writer = writer
        self._index = index
        self._enough = enough
        self._look_around = look_around
        self._state = writer.release.state
        self._shown_at: datetime | None = None
        self._silent_since: datetime | None = None
        self._told = False

    def before_write(self) -> None:
        """Make sure that this worker is still the writer, at the record and at the cluster."""
        self._writer.make_sure()

    def go_on(self) -> bool:
        """Look for news; False when the job should end or the release takes another way."""
        self._writer.look()
        return not self._enough() and self._writer.release.state is self._state

    @property
    def job(self) -> str | None:
        """The Job that the step has started, as the record has it."""
        return self._writer.release.steps[self._index].job

    @property
    def answer(self) -> Answer | None:
        """What a person said to the step, or that nobody did in time."""
        return self._writer.release.steps[self._index].answer

    def note_job(self, name: str) -> None:
        """Remember that the Job is in the cluster, once."""
        if self.job is None:
            self._writer.append([e.JobStarted(at=self.now(), index=self._index, job=name)])

    def still(self) -> bool:
        """Look for news; False when the release takes another way."""
        self._writer.look()
        return self._writer.release.state is self._state

    def has_shown(self, service: str, image: str) -> bool:
        """Whether this step has shown the service with that image before, in this job or an earlier one."""
        pictures = (
            seen
            for event in self._writer.events()
            if isinstance(event, e.StepProgressed) and event.index == self._index
            for seen in event.seen
        )
        return any(
            seen.service == service and seen.image == image and seen.state != UNSEEN for seen in pictures
        )

    def show(self, seen: ServiceSeen) -> None:
        """Let people see it, if it is news and not too soon after the last."""
        now = self.now()
        too_soon = self._shown_at is not None and now - self._shown_at < SHOW
        if too_soon or self._writer.release.seen.get(seen.service) == seen:
            return
        self._shown_at = now
        self._tell(seen)

    def readings(self) -> tuple[Reading, ...]:
        """How the triggers of what is watched stood last."""
        return self._writer.release.readings

    def told_at(self) -> datetime:
        """When that was put on record; the beginning, if it was not yet."""
        return self._writer.release.monitored_at or self.since

    def measured(self) -> frozenset[str]:
        """The triggers of which something could be said so far."""
        return self._writer.release.measured

    def tell(self, readings: tuple[Reading, ...], news: tuple[str, ...]) -> None:
        """Put on record how they stand now, and which of them otherwise than before."""
        self._writer.append([e.Monitored(at=self.now(), index=self._index, readings=readings, news=news)])

    def silence(self, trouble: TransientError | None) -> None:
        """Note whether the cluster can be heard; tell it once when it cannot for a while."""
        if trouble is None:
            self._heard()
            return
        now = self.now()
        self._silent_since = self._silent_since or now
        if self._told or now - self._silent_since < TELL_SILENCE:
            return
        self._told = True
        seen = tuple(self._writer.release.seen.values())
        if seen and all(each.state == UNSEEN for each in seen):
            return  # the job before told it
        found = silent(trouble, self._silent_since, self.deadline)
        self._writer.append([e.Interrupted(at=now, found=found)])
        self._tell(*(each.model_copy(update={"state": UNSEEN, "healthy": False}) for each in seen))

    def _heard(self) -> None:
        self._silent_since = None
        self._told = False
        if any(each.state == UNSEEN for each in self._writer.release.seen.values()):
            self._tell(*self._look_around())

    def _tell(self, *seen: ServiceSeen) -> None:
        if seen:
            self._writer.append([e.StepProgressed(at=self.now(), index=self._index, seen=seen)])
