"""Starting a workspace, and the handle on one that runs: in this process or, by its URL, in another."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

import httpx

from sandbox.serving import Served, serve
from sandbox.workspace.app import build
from sandbox.workspace.faults import Fault
from sandbox.workspace.people import Person
from sandbox.workspace.seen import Delivery
from sandbox.workspace.settings import Settings
from sandbox.workspace.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]

LONGEST_CALL = 60.0


class RunningWorkspace:
    """A workspace that runs: its address and tokens, its people, and the strings behind the scene."""

    def __init__(self, url: str, served: Served | None = None) -> None:
        self.url = url.rstrip("/")
        self._served = served
        self._http = httpx.Client(base_url=self.url, timeout=LONGEST_CALL, trust_env=False)
        self._waiting = Waiting(self._http, "control")
        settings = self._http.get("/control/settings").json()
        self.api_url: str = settings["api_url"]
        self.bot_token: str = settings["bot_token"]
        self.app_token: str = settings["app_token"]
        self.signing_secret: str = settings["signing_secret"]
        self.bot_user: str = settings["bot_user"]
        self._people: dict[str, str] = settings["people"]

    def environment(self) -> dict[str, str]:
        """The settings with which an app finds and enters this workspace, as environment variables."""
        return {
            "SLACK_API_URL": self.api_url,
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_APP_TOKEN": self.app_token,
            "SLACK_SIGNING_SECRET": self.signing_secret,
        }

    def person(self, name: str) -> Person:
        """Somebody by name (`alice`) or id (`U0ALICE`)."""
        return Person(self._http, self._people.get(name, name))

    def names(self) -> dict[str, dict[str, str]]:
        """Names by id: `users` in full, `handles` as in mentions, `groups`, and `channels`."""
        everything = self._http.get("/client/boot", params={"user": self._people["alice"]}).json()
        return {
            "users": {user["id"]: user["real_name"] for user in everything["users"]},
            "handles": {user["id"]: user["name"] for user in everything["users"]},
            "groups": {group["id"]: group["handle"] for group in everything["groups"]},
            "channels": {channel["id"]: channel["name"] for channel in everything["channels"]},
        }

    def fail(self, method: str, **fault: Any) -> None:  # noqa: ANN401  the fields of `Fault`
        """Let the next call of `method` fail: see `Fault` for how, `times` for how often."""
        self._pull("fault", **asdict(Fault(method, **fault)))

    def stop_failing(self) -> None:
        """Take back every fault that has not happened yet."""
        self._pull("no_faults")

    def advance(self, seconds: float) -> None:
        """Move the workspace's clock forward; whatever waits for that long goes on."""
        self._pull("advance", seconds=seconds)

    def limit_rates(self, *, on: bool = True) -> None:
        """Answer 429 at Slack's rates from now on, or no longer."""
        self._pull("rate_limits", on=on)

    def change_settings(self, **settings: Any) -> None:  # noqa: ANN401  the fields of `Settings`
        """Change the app's configuration while everything runs: scopes, subscriptions, times."""
        self._pull("settings", **{key: _plain(value) for key, value in settings.items()})

    def reached_at(self, url: str) -> None:
        """Tell the app from now on that the workspace is at this URL, such as that of a proxy before it."""
        self._pull("address", url=url)
        self.api_url = f"{url}/api/"

    def deliver_to(self, request_url: str) -> None:
        """Turn Socket Mode off: deliver to this URL, which is asked to prove itself first."""
        self._pull("request_url", url=request_url)

    def disconnect_app(self, reason: str = "refresh_requested") -> None:
        """Ask the app's Socket Mode connections to go, as Slack does every few hours."""
        self._pull("disconnect", reason=reason)

    def drop_connections(self) -> None:
        """Cut the app's Socket Mode connections without saying why."""
        self._pull("drop")

    def deliver_again(self, delivery: Delivery | str) -> Delivery:
        """Deliver something a second time, unchanged."""
        delivery_id = delivery if isinstance(delivery, str) else delivery.id
        return Delivery.from_json(self._pull("deliver_again", delivery=delivery_id)["delivery"])

    def invite(self, person: Person | str, channel: str) -> None:
        """Bring somebody into a channel."""
        self._pull("invite", user=_user_id(person), channel=channel)

    def remove(self, person: Person | str, channel: str) -> None:
        """Take somebody out of a channel."""
        self._pull("remove", user=_user_id(person), channel=channel)

    def set_group(self, group: str, members: Iterable[str]) -> None:
        """Change who is in a user group."""
        self._pull("group", group=group, members=list(members))

    def deactivate(self, person: Person | str) -> None:
        """Close somebody's account; what they said and reacted with stays where it is."""
        self._pull("deactivate", user=_user_id(person))

    def calls(self, method: str = "") -> list[Json]:
        """What the app asked for so far, oldest first: `method`, `args`, `ok`, `error`, `at`."""
        calls: list[Json] = self._http.get("/control/calls", params={"method": method}).json()["calls"]
        return calls

    def deliveries(self, kind: str = "") -> list[Delivery]:
        """What was sent to the app so far, oldest first; `kind` as in Socket Mode."""
        answer = self._http.get("/control/deliveries", params={"kind": kind}).json()
        return [Delivery.from_json(each) for each in answer["deliveries"]]

    def wait_for_delivery(
        self, kind: str, *, event: str = "", attempts: int = 1, timeout: float = 10.0
    ) -> Delivery:
        """Wait until something of that kind, an event of that type, was sent so many times; the latest."""

        def sent() -> Delivery | None:
            found = [
                each
                for each in self.deliveries(kind)
                if each.attempts >= attempts
                and event in {"", each.payload.get("event", {}).get("type")}
                and (each.acknowledged or each.error)
            ]
            return found[-1] if found else None

        return self._waiting.until(sent, timeout, f"{event or kind} was delivered {attempts} time(s)")

    def wait_for_app(self, connections: int = 1, timeout: float = 10.0) -> None:
        """Wait until the app has so many Socket Mode connections open."""

        def connected() -> bool:
            count: int = self._http.get("/control/settings").json()["connections"]
            return count == connections

        self._waiting.until(connected, timeout, f"the app has {connections} connection(s)")

    def stop(self) -> None:
        """Let go of it; and end it, if it was started here."""
        self._http.close()
        if self._served is not None:
            self._served.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _pull(self, string: str, **arguments: Any) -> Json:  # noqa: ANN401  any JSON
        answer: Json = self._http.post(f"/control/{string}", json=arguments).json()
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer


def start_workspace(settings: Settings | None = None, *, port: int = 0) -> RunningWorkspace:
    """Start a workspace in a background thread; `stop()` ends it. Port 0 takes a free one."""
    app, state = build(settings or Settings())
    served = serve(app, port=port)
    state.url = served.url
    return RunningWorkspace(served.url, served)


def attach(url: str) -> RunningWorkspace:
    """The handle on a workspace that somebody else started."""
    return RunningWorkspace(url)


@contextlib.contextmanager
def running_workspace(settings: Settings | None = None, *, port: int = 0) -> Iterator[RunningWorkspace]:
    """A workspace for the length of a `with` block."""
    with start_workspace(settings, port=port) as workspace:
        yield workspace


def _user_id(person: Person | str) -> str:
    return person if isinstance(person, str) else person.id


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, (set, frozenset)) else value
