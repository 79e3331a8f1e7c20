"""Everything that a workspace knows, in memory, in one object that lives in the server's event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.workspace import cast
from sandbox.workspace.changes import Changes
from sandbox.workspace.clock import Clock
from sandbox.workspace.delivery import Deliveries
from sandbox.workspace.errors import SlackError
from sandbox.workspace.faults import Faults
from sandbox.workspace.identifiers import Identifiers
from sandbox.workspace.limits import RateLimits
from sandbox.workspace.model import BOT_USER, Channel, Group, User
from sandbox.workspace.settings import Settings
from sandbox.workspace.socket_mode import SocketMode

if TYPE_CHECKING:
    from collections.abc import Coroutine

Json = dict[str, Any]


@dataclass
class Trigger:
    """What a `trigger_id` stands for: something that this person just did."""

    user: str
    expires: float
    used: bool = False


@dataclass
class File:
    """An uploaded file: its bytes come first, where it is shown comes after."""

    id: str
    name: str
    alt_text: str
    content: bytes = b""
    title: str = ""


@dataclass
class Ephemeral:
    """A message that one person sees, until they dismiss it."""

    user: str
    channel: str
    message: Json


@dataclass
class ResponseUrl:
    """Where an answer to one command or click may be posted to, a few times, for a while."""

    user: str
    channel: str
    expires: float
    uses_left: int = 5
    original: Json = field(default_factory=dict)
    """The container of the message that the click was on; empty for a command."""


class Workspace:
    """The state of one workspace. The other modules are what can be done with it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = ""
        self.clock = Clock()
        self.ids = Identifiers(self.clock)
        self.changes = Changes()
        self.faults = Faults()
        self.limits = RateLimits(self.clock, on=settings.rate_limits)
        self.users: dict[str, User] = {user.id: user for user in cast.people()}
        self.groups: dict[str, Group] = {group.id: group for group in cast.groups()}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in cast.channels()}
        self.ephemerals: dict[str, Ephemeral] = {}
        self.views: dict[str, Json] = {}
        self.homes: dict[str, Json] = {}
        self.files: dict[str, File] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.calls: list[Json] = []
        self.socket_mode = SocketMode(self)
        self.deliveries = Deliveries(self, self.socket_mode)
        self._tasks: set[asyncio.Task[None]] = set()

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside everything else, in the server's event loop."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # a task that nobody holds may be collected before it ran
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what still runs in the background."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.deliveries.transport.close()

    def user(self, user_id: str) -> User:
        """The person of that id, or `user_not_found`."""
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def channel(self, channel_id: str) -> Channel:
        """The channel of that id, or `channel_not_found`."""
        if channel_id not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel_id]

    def message(self, channel_id: str, ts: str) -> Json:
        """The message at `ts`, or `message_not_found`."""
        message = self.channel(channel_id).messages.get(ts)
        if message is None:
            raise SlackError("message_not_found")
        return message

    def direct_channel(self, user_id: str) -> Channel:
        """The conversation of a person and the bot, opened when first needed."""
        user = self.user(user_id)
        channel_id = f"D{user.id[1:]}"
        if channel_id not in self.channels:
            self.channels[channel_id] = Channel(channel_id, user.name, [user.id, BOT_USER], is_im=True)
            self.changes.add("channel", [user.id], channel=channel_id)
        return self.channels[channel_id]

    def new_trigger(self, user: str) -> str:
        """A trigger id for what `user` just did, good for opening one form within three seconds."""
        trigger_id = self.ids.trigger()
        expires = self.clock.now() + self.settings.answer_seconds
        self.triggers[trigger_id] = Trigger(user, expires)
        return trigger_id
