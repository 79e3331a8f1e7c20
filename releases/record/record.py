"""The record: which release holds which environment, and everything that happened to each.

Written by whoever holds the environment's current epoch; a writer whose epoch is stale is refused, so a
worker that was thought dead and comes back can change nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from releases import chain
from releases.chain import Line
from releases.events import Event, ReleaseRequested, load_event
from releases.ledger import concerns
from releases.lifecycle import Release, apply, fold
from releases.record import scripts
from releases.record.archive import Archive
from releases.record.store import RecordUnavailableError, Store
from releases.snapshot import Snapshot

REMEMBER_DELIVERY_SECONDS = 24 * 3600
LEASE_MS = 15_000
"""How long a worker is believed alive without a sign; it renews three times in that span."""

OPENINGS = 100
"""How often others may open a release first, for other environments, before that is no coincidence."""


class BusyError(Exception):
    """The environment is held by another release."""

    def __init__(self, holder: str) -> None:
        """`holder` is the id of the release that has it."""
        super().__init__(f"held by {holder}")
        self.holder = holder


class MovedError(Exception):
    """Somebody else wrote first: load the release again and decide again."""


class StaleError(Exception):
    """The epoch is no longer the environment's: another worker has taken over, or the release ended."""


class UnknownReleaseError(Exception):
    """There is no release of this id."""


@dataclass(frozen=True)
class Held:
    """A release and the epoch under which it may be written; 0 when it holds its environment no more.

    `tip` is the hash of its last event; empty when it is to be read before the next is written.
    """

    release: Release
    epoch: int
    tip: str = ""


@dataclass(frozen=True)
class Lease:
    """A worker's right to write one release, until it is let go or expires."""

    release: str
    environment: str
    writer: str
    epoch: int
    interrupted: str | None
    """The writer before, if its lease ran out without being let go: it died, or cannot be heard."""

    unfenced: bool = False
    """Whether something that an earlier writer sent to the cluster may still be under way."""


@dataclass(frozen=True)
class Installation:
    """All bots and workers that share one Redis, as others in the same cluster know them."""

    id: str
    name: str
    """The workspace that it belongs to, for people; empty until a bot has said so."""


class Record:
    """Releases in Redis. All methods raise `RecordUnavailableError` when Redis does not answer."""

    def __init__(self, store: Store) -> None:
        """The record that lives in this store."""
        self._store = store

    def installation(self) -> str:
        """What this record is called among all that there are: made at the first use, never changed."""
        key = self._store.key("installation")
        self._store.call("SET", key, secrets.token_hex(16), "NX")
        return str(self._store.call("GET", key))

    @property
    def archive(self) -> Archive:
        """The record as it is kept, for those who prove, export, or rebuild it."""
        return Archive(self._store)

    # -- writing -----------------------------------------------------------------------------------

    def open(self, requested: ReleaseRequested, *, delivery: str) -> Held:
        """Begin a release: give it an id, let it hold its environment and write its first event.

        The same delivery opens one release however often it comes. Raises `BusyError`.
        """
        text = chain.text_of(requested)
        for _ in range(OPENINGS):
            match self._open(requested, text, delivery):
                case ["opened", id_, epoch, tip]:
                    return Held(fold(id_, [requested]), int(epoch), tip)
                case ["again", id_]:
                    return self.load(id_)
                case ["busy", holder]:
                    raise BusyError(holder)
        raise RecordUnavailableError("other releases are opened all the time")

    def _open(self, requested: ReleaseRequested, text: str, delivery: str) -> list[str]:
        key, environment, installation = self._store.key, requested.environment, self.installation()
        counter, before = self._store.call("MGET", key("releases"), key("opened"))
        first = chain.opening(installation, f"R{int(counter or 0) + 1}", str(before or chain.NOTHING), text)
        answer: list[str] = self._store.run(
            scripts.OPEN,
            [
                key("done", delivery),
                key("environment", environment),
                key("releases"),
                key("behind"),
                key("wake"),
                key("active"),
                key("environment", environment, "releases"),
                key("installation"),
                key("opened"),
            ],
            [
                *(key("release", ""), environment, first.stored(), REMEMBER_DELIVERY_SECONDS),
                *(counter or "0", installation, before or "", first.hash),
            ],
        )
        return [*answer, first.hash] if answer[0] == "opened" else answer

    def append(self, held: Held, happened: Sequence[Event]) -> Held:
        """Write events behind what was read. An event that ends the release lets its environment go.

        One that takes a release up again which had ended takes the environment again, too: that raises
        `BusyError` while another has it, and `MovedError` once another was asked for since.

        Raises `MovedError` (somebody wrote first), `StaleError` (the epoch is over) and
        `IllegalEventError` (the lifecycle does not allow it; nothing is written).
        """
        release = held.release
        for event in happened:
            release = apply(release, event)
        tip = held.tip or self._tip(held.release)
        lines = chain.chained(tip, [chain.text_of(event) for event in happened])
        due = release.environment if concerns(release, happened) else ""
        if held.release.ended and not release.ended:
            return self._take_up(held, release, tip, lines, due)
        key = self._store.key
        answer = self._store.run(
            scripts.APPEND,
            [
                key("release", release.id, "events"),
                key("environment", release.environment),
                key("behind"),
                key("wake"),
                key("active"),
                key("ledgers", "due"),
            ],
            [
                release.id,
                held.release.position,
                held.epoch,
                "1" if release.ended else "0",
                tip,
                due,
                *(line.stored() for line in lines),
            ],
        )
        match answer[0]:
            case "ok":
                return Held(release, 0 if release.ended else held.epoch, lines[-1].hash if lines else tip)
            case "moved":
                raise MovedError(f"{release.id} has {answer[1]} events, not {held.release.position}")
            case _:
                raise StaleError(f"{release.id} is not held under epoch {held.epoch}")

    def _take_up(self, held: Held, release: Release, tip: str, lines: Sequence[Line], due: str) -> Held:
        key = self._store.key
        answer = self._store.run(
            scripts.TAKE_UP,
            [
                key("release", release.id, "events"),
                key("environment", release.environment),
                key("behind"),
                key("wake"),
                key("active"),
                key("ledgers", "due"),
                key("environment", release.environment, "releases"),
            ],
            [release.id, held.release.position, tip, due, *(line.stored() for line in lines)],
        )
        match answer:
            case ["ok", epoch]:
                return Held(release, int(epoch), lines[-1].hash)
            case ["busy", holder]:
                raise BusyError(holder)
            case _:
                raise MovedError(f"{release.id} was written, or another was asked for, meanwhile")

    # -- the right to write ------------------------------------------------------------------------

    def take(self, release: Release, writer: str, *, lease_ms: int = LEASE_MS) -> Lease | None:
        """Become the release's writer; None while another worker is. Raises `StaleError` when it ended."""
        answer = self._store.run(
            scripts.TAKE,
            [self._store.key("environment", release.environment)],
            [release.id, writer, lease_ms],
        )
        match answer:
            case ["ok", epoch, before, unfenced]:
                interrupted = before if before and before != writer else None
                return Lease(
                    release.id, release.environment, writer, int(epoch), interrupted, unfenced=bool(unfenced)
                )
            case ["taken", _]:
                return None
            case _:
                raise StaleError(f"{release.id} does not hold {release.environment}")

    def renew(self, lease: Lease, *, lease_ms: int = LEASE_MS) -> None:
        """Show a sign of life. Raises `StaleError` when somebody else has taken over."""
        if not self._renew(lease, lease_ms):
            raise StaleError(f"{lease.release} was taken over")

    def let_go(self, lease: Lease) -> None:
        """End the lease, so that the next worker need not wait for it to expire."""
        self._renew(lease, 0)

    def bury(self, release: Release, process: str) -> bool:
        """End the lease of a writer that has died, whose name begins so; False when it is another's."""
        key = self._store.key("environment", release.environment)
        return bool(self._store.run(scripts.BURY, [key], [release.id, process]))

    def unfenced(self, lease: Lease, *, is_so: bool) -> None:
        """Remember, also beyond the release, whether a write to the cluster may still be under way.

        Raises `StaleError` when somebody else has taken over.
        """
        key = self._store.key("environment", lease.environment)
        if not self._store.run(scripts.FENCE, [key], [lease.epoch, lease.writer, int(is_so)]):
            raise StaleError(f"{lease.release} was taken over")

    def _renew(self, lease: Lease, lease_ms: int) -> bool:
        key = self._store.key("environment", lease.environment)
        return bool(self._store.run(scripts.RENEW, [key], [lease.epoch, lease.writer, lease_ms]))

    def idle(self) -> tuple[str, ...]:
        """Releases that hold an environment and that no worker is at work on."""
        key = self._store.key
        return tuple(
            sorted(
                self._store.run(scripts.IDLE, [key("active")], [key("release", ""), key("environment", "")])
            )
        )

    def rest(self, release_id: str, seconds: int) -> None:
        """Note that a release has nothing to do for so long."""
        self._store.call("SET", self._store.key("rest", release_id), "1", "EX", seconds)

    def rests(self, release_id: str) -> bool:
        """Whether that is so still. Where it was lost, the release is looked at sooner."""
        return bool(self._store.call("EXISTS", self._store.key("rest", release_id)))

    # -- who we are to others ----------------------------------------------------------------------

    def who_we_are(self) -> Installation:
        """Who all that share this record are."""
        name = self._store.call("GET", self._store.key("installation", "name"))
        return Installation(self.installation(), str(name or ""))

    def name_installation(self, name: str) -> None:
        """Say how people know it."""
        self._store.call("SET", self._store.key("installation", "name"), name)

    # -- reading -----------------------------------------------------------------------------------

    def load(self, release_id: str) -> Held:
        """A release as its events tell it. Raises `UnknownReleaseError`."""
        epoch, lines = self._read(release_id)
        happened = [load_event(line.text) for line in lines]
        return Held(fold(release_id, happened), epoch, chain.head(release_id, lines))

    def events(self, release_id: str) -> tuple[Event, ...]:
        """Everything that happened to a release, in order. Raises `UnknownReleaseError`."""
        return tuple(load_event(line.text) for line in self._read(release_id)[1])

    def _read(self, release_id: str) -> tuple[int, tuple[Line, ...]]:
        key = self._store.key
        answer = self._store.run(
            scripts.LOAD,
            [key("release", release_id, "events"), key("release", release_id, "environment")],
            [release_id, key("environment", "")],
        )
        if not answer:
            raise UnknownReleaseError(release_id)
        return int(answer[0]), tuple(chain.read_line(stored) for stored in answer[1])

    def _tip(self, release: Release) -> str:
        """The hash of the event that was the last when the release was read."""
        return chain.head(release.id, self._read(release.id)[1][: release.position])

    def position(self, release_id: str) -> int:
        """How many events a release has: cheap enough to ask in a loop."""
        return int(self._store.call("LLEN", self._store.key("release", release_id, "events")))

    def opened(self, delivery: str) -> str | None:
        """The release that a delivery opened, or counts as; None when there is none."""
        release = self._store.call("GET", self._store.key("done", delivery))
        return str(release) if release else None

    def counts_as(self, delivery: str, release: str) -> None:
        """Remember that what a delivery asked for is done by a release that was there already.

        However often it comes, it opens no other.
        """
        done = self._store.key("done", delivery)
        self._store.call("SET", done, release, "NX", "EX", REMEMBER_DELIVERY_SECONDS)

    def epoch(self, environment: str) -> int:
        """Grows with each release to an environment, and with each worker that takes one over."""
        return int(self._store.call("HGET", self._store.key("environment", environment), "epoch") or 0)

    def holder(self, environment: str) -> str | None:
        """The release that holds an environment now."""
        holder = self._store.call("HGET", self._store.key("environment", environment), "release")
        return str(holder) if holder else None

    def recent(self, environment: str, count: int) -> tuple[Release, ...]:
        """An environment's newest releases, the newest first."""
        ids = self._store.call("LRANGE", self._store.key("environment", environment, "releases"), -count, -1)
        return tuple(self.load(id_).release for id_ in reversed(ids))

    def latest(self, environment: str) -> tuple[str, int] | None:
        """An environment's newest release and how many events it has: tells cheaply whether there is news."""
        ids = self._store.call("LRANGE", self._store.key("environment", environment, "releases"), -1, -1)
        return (str(ids[0]), self.position(str(ids[0]))) if ids else None

    # -- what was last seen of the cluster ---------------------------------------------------------

    def see(self, snapshot: Snapshot) -> None:
        """Remember what an environment looks like now."""
        self._store.call("SET", self._store.key("seen", snapshot.environment), snapshot.model_dump_json())

    def seen(self, environment: str) -> Snapshot | None:
        """What was last seen of an environment; None when nobody has looked yet."""
        text = self._store.call("GET", self._store.key("seen", environment))
        return Snapshot.model_validate_json(text) if text else None

    # -- news, for the relay -----------------------------------------------------------------------

    def behind(self) -> tuple[str, ...]:
        """Releases (R…) and questions (Q…) that have news which was not told yet."""
        return tuple(sorted(self._store.call("SMEMBERS", self._store.key("behind"))))

    def caught_up(self, release_id: str, position: int) -> bool:
        """Say that everything before `position` is told; False when there is more again."""
        key = self._store.key
        return bool(
            self._store.run(
                scripts.CAUGHT_UP,
                [key("release", release_id, "events"), key("behind")],
                [release_id, position],
            )
        )
