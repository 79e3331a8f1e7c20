"""How a function becomes a method of the Web API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.workspace.args import Args
from sandbox.workspace.errors import SlackError
from sandbox.workspace.state import Workspace

Json = dict[str, Any]
T = TypeVar("T")
Handler = Callable[[Workspace, Args], Json]


@dataclass(frozen=True)
class Method:
    """A method: what answers it, and with which token and scope it may be called."""

    name: str
    handler: Handler
    scope: str
    app_token: bool


METHODS: dict[str, Method] = {}


def method(name: str, scope: str = "", *, app_token: bool = False) -> Callable[[Handler], Handler]:
    """Answer the method `name` with the decorated function, which returns what stands beside `"ok": true`."""

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(name, handler, scope, app_token)
        return handler

    return register


def page(items: list[T], args: Args, default: int = 100) -> tuple[list[T], Json]:
    """One page of `items` as `limit` and `cursor` ask for, and the metadata that leads to the next."""
    limit = args.number("limit", default, 1_000)
    try:
        start = int(args.text("cursor", "0") or "0")
    except ValueError:
        raise SlackError("invalid_cursor") from None
    following = start + limit
    cursor = str(following) if following < len(items) else ""
    return items[start:following], {"response_metadata": {"next_cursor": cursor}}
