"""What people do in Slack, from Python: for tests that read like what somebody does, and for the tour.

A `Person` acts through the same API as the page, and waits for what others do by following the
workspace's changes, never by sleeping.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx

from sandbox.workspace.elements import Choice
from sandbox.workspace.errors import PersonError
from sandbox.workspace.seen import Delivery, Message, View, find_named
from sandbox.workspace.waiting import Waiting

Json = dict[str, Any]
T = TypeVar("T")

PATIENCE = 10.0
"""How long a person waits for something to appear, in seconds, unless a test says otherwise."""


class Person:
    """Somebody who uses Slack. `http` is a client of the workspace's, which stays its owner's to close."""

    def __init__(self, http: httpx.Client, user_id: str) -> None:
        self.id = user_id
        self._http = http
        self._waiting = Waiting(http, user_id)

    def __repr__(self) -> str:
        return f"Person({self.id!r})"

    @property
    def mention(self) -> str:
        """How others' messages name this person in Slack's markup."""
        return f"<@{self.id}>"

    # What a person does.

    def command(self, line: str, channel: str) -> Delivery:
        """Type a slash command, `/buzzy status` for instance, and wait until it is acknowledged or failed."""
        return self._delivered("command", channel=channel, text=line)

    def say(self, text: str, channel: str, thread_ts: str | None = None) -> Message:
        """Write a message; `@bob`, `#general` and links become what Slack makes of them."""
        answer = self._act("say", channel=channel, text=text, thread_ts=thread_ts or "")
        return Message(channel, answer["message"])

    def react(self, message: Message, name: str) -> None:
        """Add a reaction by its short name, such as `white_check_mark`."""
        self._act("react", channel=message.channel, ts=message.ts, name=name)

    def unreact(self, message: Message, name: str) -> None:
        """Take a reaction back."""
        self._act("unreact", channel=message.channel, ts=message.ts, name=name)

    def click(
        self, seen: Message | View, button: str, choice: Choice = None, *, as_seen: bool = False
    ) -> Delivery:
        """Click a button, or choose in a menu, that is named by its action id or by what stands on it.

        What is clicked is what is shown now. With `as_seen` it is what was shown when `seen` was read: the
        finger that was already on its way when the message changed.
        """
        current = seen if as_seen else self._current(seen)
        block, element = find_named(current.blocks, button)
        action = {"block_id": block["block_id"], "action_id": element["action_id"], "choice": choice}
        if as_seen:
            action["element"] = element
        if isinstance(seen, View):
            return self._delivered("click", view_id=seen.id, action=action)
        return self._delivered("click", channel=seen.channel, ts=seen.ts, action=action)

    def submit(self, view: View, values: Mapping[str, Choice] | None = None) -> Delivery:
        """Fill in a form and submit it. `values` go by action id, block id or label; the rest stays as it is.

        `errors` of what is returned are what the form says when it was not accepted.
        """
        choices: dict[str, dict[str, Choice]] = {}
        for name, value in (values or {}).items():
            block, element = find_named(self._current(view).blocks, name)
            choices.setdefault(block["block_id"], {})[element["action_id"]] = value
        answer = self._act("submit", view_id=view.id, choices=choices)
        if answer["delivery"] is None:
            return Delivery.not_sent(answer["errors"])
        return Delivery.from_json(answer["delivery"], answer["errors"])

    def close(self, view: View) -> None:
        """Close a form without submitting it."""
        self._act("close", view_id=view.id)

    def dismiss(self, message: Message) -> None:
        """Dismiss an ephemeral message."""
        self._act("dismiss", ts=message.ts)

    def join(self, channel: str) -> None:
        """Join a public channel."""
        self._act("join", channel=channel)

    # What a person sees.

    def messages(self, channel: str) -> list[Message]:
        """What is in a channel itself, oldest first."""
        return [
            message
            for message in self._all(channel)
            if message.thread_ts in {"", message.ts} or message.data.get("subtype") == "thread_broadcast"
        ]

    def thread(self, message: Message) -> list[Message]:
        """The replies under a message, oldest first."""
        root = message.thread_ts or message.ts
        return [each for each in self._all(message.channel) if each.thread_ts == root and each.ts != root]

    def ephemerals(self, channel: str) -> list[Message]:
        """What is visible to this person only, oldest first."""
        return [Message(channel, data) for data in self._channel(channel)["ephemerals"]]

    def read_again(self, message: Message) -> Message:
        """The message as it is now; `PersonError` when it is gone."""
        data = self._channel(message.channel)
        for each in [*data["messages"], *data["ephemerals"]]:
            if each["ts"] == message.ts:
                return Message(message.channel, each)
        raise PersonError("That message is no longer there.")

    def views(self) -> list[View]:
        """The open forms, the visible one last."""
        return [View(data) for data in self._get("/client/views")["views"]]

    def home(self) -> View | None:
        """Open the App Home, which the app hears of, and see what is there already."""
        self._act("home")
        return self.home_now()

    def home_now(self) -> View | None:
        """What the App Home shows, without opening it anew."""
        data = self._get("/client/views")["home"]
        return View(data) if data else None

    # Waiting for what others do.

    def wait(
        self, condition: Callable[[], T | None], timeout: float = PATIENCE, what: str = "it happened"
    ) -> T:
        """Wait until `condition` returns something true; it is asked again at every change."""
        return self._waiting.until(condition, timeout, what)

    def wait_for_message(
        self, channel: str, containing: str = "", *, after: Message | None = None, timeout: float = PATIENCE
    ) -> Message:
        """Wait for the newest message in a channel that contains a text."""
        return self._wait_for(
            lambda: self.messages(channel), containing, after, timeout, f"{channel} shows {containing!r}"
        )

    def wait_for_reply(
        self,
        message: Message,
        containing: str = "",
        *,
        after: Message | None = None,
        timeout: float = PATIENCE,
    ) -> Message:
        """Wait for the newest reply under a message that contains a text."""
        return self._wait_for(
            lambda: self.thread(message), containing, after, timeout, f"the thread shows {containing!r}"
        )

    def wait_for_ephemeral(
        self, channel: str, containing: str = "", *, after: Message | None = None, timeout: float = PATIENCE
    ) -> Message:
        """Wait for the newest ephemeral message that contains a text."""
        what = f"{self.id} alone is shown {containing!r} in {channel}"
        return self._wait_for(lambda: self.ephemerals(channel), containing, after, timeout, what)

    def wait_until_shows(self, message: Message, containing: str, timeout: float = PATIENCE) -> Message:
        """Wait until a message was edited so that it contains a text."""

        def shows() -> Message | None:
            current = self.read_again(message)
            return current if containing in current else None

        return self._wait_or_tell(
            shows, timeout, f"the message shows {containing!r}", lambda: [self.read_again(message)]
        )

    def wait_for_view(self, containing: str = "", timeout: float = PATIENCE) -> View:
        """Wait for a form whose title or text contains a text."""

        def open_view() -> View | None:
            top = self.views()[-1:]
            return next((view for view in top if containing in view or containing in view.title), None)

        return self._waiting.until(open_view, timeout, f"a form shows {containing!r}")

    def wait_for_home(self, containing: str = "", timeout: float = PATIENCE) -> View:
        """Wait until the App Home contains a text."""

        def home() -> View | None:
            view = self.home_now()
            return view if view is not None and containing in view else None

        return self._waiting.until(home, timeout, f"the App Home shows {containing!r}")

    # How it is done.

    def _wait_for(
        self,
        read: Callable[[], list[Message]],
        containing: str,
        after: Message | None,
        timeout: float,
        what: str,
    ) -> Message:
        def found() -> Message | None:
            newest_first = reversed(read())
            return next(
                (
                    each
                    for each in newest_first
                    if containing in each and (after is None or each.ts > after.ts)
                ),
                None,
            )

        return self._wait_or_tell(found, timeout, what, read)

    def _wait_or_tell(
        self, condition: Callable[[], T | None], timeout: float, what: str, read: Callable[[], list[Message]]
    ) -> T:
        """Wait; in vain, tell what was there instead, which is what a reader of the failure wants to know."""
        try:
            return self._waiting.until(condition, timeout, what)
        except AssertionError as error:
            there = "\n---\n".join(message.shown for message in read()[-3:]) or "nothing"
            raise AssertionError(f"{error} What is there:\n{there}") from None

    def _current(self, seen: Message | View) -> Message | View:
        if isinstance(seen, Message):
            return self.read_again(seen)
        home = self.home_now()
        for view in [*self.views(), *([home] if home else [])]:
            if view.id == seen.id:
                return view
        raise PersonError("That form is no longer open.")

    def _all(self, channel: str) -> list[Message]:
        return [Message(channel, data) for data in self._channel(channel)["messages"]]

    def _channel(self, channel: str) -> Json:
        return self._get("/client/channel", channel=channel)

    def _get(self, path: str, **parameters: str) -> Json:
        return _checked(self._http.get(path, params={"user": self.id, **parameters}))

    def _act(self, what: str, **arguments: Any) -> Json:  # noqa: ANN401  any JSON
        return _checked(self._http.post(f"/client/{what}", json={"user": self.id, **arguments}))

    def _delivered(self, what: str, **arguments: Any) -> Delivery:  # noqa: ANN401  any JSON
        return Delivery.from_json(self._act(what, **arguments)["delivery"])


def _checked(response: httpx.Response) -> Json:
    answer: Json = response.json()
    if not answer.get("ok", False):
        raise PersonError(answer["error"])
    return answer
