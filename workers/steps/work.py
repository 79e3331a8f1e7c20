"""What a step is given, and how it can end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from releases.events import Evidence, ServiceSeen, SignedOff, SignOffExpired, SignOffRefused
from releases.migrations import BackupKnown
from releases.monitoring import Chart
from releases.validation import PersonCheck
from workers.cluster import Cluster, TransientError
from workers.files import Contents
from workers.observe import Observed

Answer = SignedOff | SignOffRefused | SignOffExpired


class Work(Protocol):
    """One step's place to work: the cluster, its deadline, and those who watch."""

    cluster: Cluster
    namespace: str
    release: str
    cause: str
    since: datetime
    deadline: datetime
    again: bool
    """Whether it is begun anew, after it had failed and somebody retried it."""

    key: str
    """Names this step of this release among all that there are."""

    @property
    def job(self) -> str | None:
        """The Job that it has started, now or in an earlier run of the step."""

    def now(self) -> datetime:
        """The time, aware."""

    def before_write(self) -> None:
        """To be called between the look that decides on a change of the cluster and the change itself.

        Raises `StaleError` or `TakenOverError` when it must not be. The change has to name the version that
        was looked at: whoever takes over makes sure that it is another one then.
        """

    def go_on(self) -> bool:
        """To be called at least once a second while waiting; False: return `Unfinished` now."""

    def show(self, seen: ServiceSeen) -> None:
        """Let people see how a service stands, if that is news."""

    def has_shown(self, service: str, image: str) -> bool:
        """Whether this step has shown the service with that image before, in this job or an earlier one."""

    @property
    def answer(self) -> Answer | None:
        """What a person said to the step, or that nobody did in time."""

    def note_job(self, name: str) -> None:
        """Remember that the step's Job is in the cluster."""

    def usable_backup(self) -> BackupKnown | None:
        """The backup that a release made last here, if the database has not been migrated since."""

    def newest_backup(self) -> BackupKnown | None:
        """The backup that a release made last here, this one or an earlier one."""

    def observe(self) -> Observed:
        """The whole environment as it is now. Raises `ClusterError`."""

    def files(self, folder: str) -> Contents:
        """The files in a folder beside buzzy.yaml. Raises `FilesError`."""

    def database(self) -> str:
        """The version of the environment's MongoDB. Raises `MongoDbError`."""

    def silence(self, trouble: TransientError | None) -> None:
        """Say whether the cluster can be heard just now; who watches is told when it lasts."""


@dataclass(frozen=True)
class Done:
    """The step's end is reached. `changed` is False when everything was already as it wants it.

    `result` is what its Job gave, `log` what it wrote last.
    """

    changed: bool
    result: str = ""
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failed:
    """It cannot be reached. `reason` is one sentence, without a full stop.

    `ill` says that the new version was seen to be ill. Only then a release goes back by itself: not because
    it could not be seen, nor because somebody else was at work.
    """

    reason: str
    evidence: tuple[Evidence, ...] = ()
    ill: bool = False
    chart: Chart | None = None


@dataclass(frozen=True)
class Undecided:
    """Whether its end is reached has to be said by a person. `reason` is as for `Failed`."""

    reason: str


@dataclass(frozen=True)
class Unfinished:
    """It is to be gone on with by whoever runs the step next."""


@dataclass(frozen=True)
class Asks:
    """It is to be gone on with when a person has answered."""

    check: PersonCheck


Outcome = Done | Failed | Undecided | Unfinished | Asks
