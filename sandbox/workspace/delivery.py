"""Getting something to the app: over its WebSocket or to its request URL, in time, and again if need be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from sandbox.workspace.state import Workspace

Json = dict[str, Any]
Kind = Literal["slash_commands", "events_api", "interactive"]


class UndeliveredError(Exception):
    """The app did not acknowledge; `reason` is what Slack tells the app with the next attempt."""

    def __init__(self, reason: str, *, try_again: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.try_again = try_again


@dataclass
class Attempt:
    """One try to get a payload to the app."""

    kind: Kind
    payload: Json
    number: int = 0
    """0 for the first try, then which retry it is."""
    reason: str = ""
    """Why the try before failed."""


class Transport(Protocol):
    """A way to the app."""

    @property
    def connections(self) -> int:
        """How many connections lead there; none means that the app cannot be reached."""

    async def send(self, attempt: Attempt) -> Json:
        """Hand it over; return the app's answer, `{}` for a bare acknowledgement, or `UndeliveredError`."""

    async def close(self) -> None:
        """Let go of what it holds open."""


@dataclass
class Delivery:
    """Something that was sent to the app, and how that went."""

    id: str
    kind: Kind
    payload: Json
    attempts: int = 0
    acknowledged: bool = False
    error: str = ""
    seconds: float = 0.0
    answer: Json = field(default_factory=dict)

    def as_json(self) -> Json:
        """The delivery as whoever sent it is told of it."""
        return dict(vars(self))


class Deliveries:
    """Everything that was sent to the app so far, and the way to send more."""

    def __init__(self, workspace: Workspace, transport: Transport) -> None:
        self._workspace = workspace
        self.transport = transport
        self.sent: dict[str, Delivery] = {}

    async def send(self, kind: Kind, payload: Json) -> Delivery:
        """Send a command or an interaction, which Slack tries only once: `error` says why it failed."""
        delivery = self._new(kind, payload)
        self._send_copies(delivery)
        await self._attempt(delivery)
        return delivery

    def send_event(self, payload: Json) -> Delivery:
        """Send an event in the background, with Slack's retries."""
        delivery = self._new("events_api", payload)
        self._send_copies(delivery)
        self._workspace.in_background(self._attempt_with_retries(delivery))
        return delivery

    async def send_again(self, delivery_id: str) -> Delivery:
        """Send what was sent before once more, as it was: same event id, trigger id, response URL.

        Slack delivers at least once; this is the second time.
        """
        delivery = self.sent[delivery_id]
        await self._attempt(delivery, reason="timeout" if delivery.kind == "events_api" else "")
        return delivery

    def _send_copies(self, delivery: Delivery) -> None:
        for _ in range(1, self._workspace.settings.copies):
            self._workspace.in_background(self._attempt_once(delivery))

    async def _attempt_once(self, delivery: Delivery) -> None:
        await self._attempt(delivery)

    def _new(self, kind: Kind, payload: Json) -> Delivery:
        delivery = Delivery(self._workspace.ids.new("DL"), kind, payload)
        self.sent[delivery.id] = delivery
        return delivery

    async def _attempt_with_retries(self, delivery: Delivery) -> None:
        again = await self._attempt(delivery)
        for seconds in self._workspace.settings.retry_after:
            if not again:
                return
            await self._workspace.clock.sleep(seconds)
            again = await self._attempt(delivery, reason=delivery.error)

    async def _attempt(self, delivery: Delivery, reason: str = "") -> bool:
        """Try once, note the outcome, and return whether trying again would be allowed."""
        attempt = Attempt(delivery.kind, delivery.payload, delivery.attempts, reason)
        delivery.attempts += 1
        delivery.acknowledged, delivery.error = False, ""
        started = self._workspace.clock.now()
        try:
            delivery.answer = await self.transport.send(attempt)
        except UndeliveredError as error:
            delivery.error = error.reason
            return error.try_again
        else:
            delivery.acknowledged = True
            return False
        finally:
            delivery.seconds = self._workspace.clock.now() - started
            self._workspace.changes.add("delivery", ["control"], delivery=delivery.id)
