"""What was told to whom: the relay's memory, so that each thing is told once, whoever tells it.

A relay tells only while it leads. What it wants to remember is written under that lead in one step, so a
relay that was thought dead and comes back remembers nothing in the place of the one that took over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from releases.record import scripts
from releases.record.store import Store

LEAD_MS = 10_000
"""How long a relay is believed to lead without a sign; longer than any one of its calls to Slack."""

KEEP_SECONDS = 90 * 24 * 3600
"""How long a message is known to be a release's; a reaction on an older one means nothing any more."""


class NotLeadingError(Exception):
    """Another relay has taken over."""


@dataclass(frozen=True)
class Place:
    """Where a message stands."""

    channel: str
    ts: str


class Told:
    """The relay's memory in Redis. All methods raise `RecordUnavailableError` when it does not answer."""

    def __init__(self, store: Store, relay: str, *, lead_ms: int = LEAD_MS) -> None:
        """`relay` names this relay among all that share the store."""
        self._store = store
        self._relay = relay
        self._lead_ms = lead_ms

    # -- who tells ---------------------------------------------------------------------------------

    def lead(self) -> bool:
        """Become, or stay, the one relay that tells; False while another does."""
        key = self._store.key("relay")
        return bool(self._store.run(scripts.LEAD, [key], [self._relay, self._lead_ms]))

    def step_down(self) -> None:
        """Let another relay lead at once, instead of when the lead runs out."""
        self._store.run(scripts.LEAD, [self._store.key("relay")], [self._relay, 0])

    def wait(self, seconds: float) -> None:
        """Wait for news, at most so long (which the connection's own time limit must exceed)."""
        self._store.call("BLPOP", self._store.key("wake"), max(seconds, 0.01))

    def stir(self) -> None:
        """End the wait of a relay that waits for news."""
        self._store.call("LPUSH", self._store.key("wake"), "1")

    # -- what is remembered of a release or a question ---------------------------------------------

    def of(self, subject: str) -> Mapping[str, str]:
        """Everything that is remembered of a subject, by name."""
        pairs = self._store.call("HGETALL", self._store.key("told", subject))
        return dict(pairs)

    def note(self, subject: str, **facts: str) -> None:
        """Remember facts of a subject; an empty one forgets. Raises `NotLeadingError`."""
        arguments: list[str | int] = [self._relay, KEEP_SECONDS]
        for name, value in facts.items():
            arguments += [name, value]
        done = self._store.run(
            scripts.NOTE, [self._store.key("relay"), self._store.key("told", subject)], arguments
        )
        if not done:
            raise NotLeadingError(f"another relay tells what happens to {subject}")

    # -- which message is whose --------------------------------------------------------------------

    def stands_at(self, release: str, place: Place) -> None:
        """Remember that a message is a release's, for those who react to it."""
        self._store.call(
            "SET", self._store.key("message", place.channel, place.ts), release, "EX", KEEP_SECONDS
        )

    def release_at(self, place: Place) -> str | None:
        """The release whose message this is; None when it is no release's, or not known yet."""
        release = self._store.call("GET", self._store.key("message", place.channel, place.ts))
        return str(release) if release else None

    def message_of(self, release: str) -> Place | None:
        """Where a release's message stands; None while it has none."""
        channel, ts = self._store.call("HMGET", self._store.key("told", release), "channel", "message")
        return Place(str(channel), str(ts)) if channel and ts else None

    # -- what a question was answered with at once -------------------------------------------------

    def answered(self, question: str, digest: str, place: Place | None = None) -> None:
        """Remember what somebody was shown, and where that can be edited, if it can."""
        where = (place.channel, place.ts) if place else ("", "")
        key = self._store.key("shown", question)
        self._store.call("SET", key, "\n".join((digest, *where)), "EX", 3600)

    def answer_to(self, question: str) -> tuple[str, Place | None]:
        """The digest of what was shown, empty when nothing was, and where it stands."""
        text = self._store.call("GET", self._store.key("shown", question)) or "\n\n"
        digest, channel, ts = str(text).split("\n")
        return digest, Place(channel, ts) if ts else None

    # -- alerts that nobody has put right yet ------------------------------------------------------

    def alerted(self, environment: str, release: str, place: Place) -> None:
        """Remember that a release's failure is told in an alert."""
        self._store.call(
            "HSET", self._store.key("alerts", environment), release, f"{place.channel} {place.ts}"
        )

    def alerts(self, environment: str) -> dict[str, Place]:
        """An environment's open alerts, by release."""
        pairs = dict(self._store.call("HGETALL", self._store.key("alerts", environment)))
        return {str(release): Place(*str(place).split(" ")) for release, place in pairs.items()}

    def put_right(self, environment: str, release: str) -> None:
        """Remember that an alert is closed."""
        self._store.call("HDEL", self._store.key("alerts", environment), release)
