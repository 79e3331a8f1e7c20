"""One list kept up to date: resumed, begun anew, and given up when it cannot be had."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
import urllib3

from workers.cluster import (
    ClusterError,
    ClusterUnreachableError,
    CredentialsRefusedError,
    ForbiddenError,
    TooManyRequestsError,
)
from workers.cluster import reader as module
from workers.cluster.reader import Changed, Heard, Listed, Lost, News, Reader, Refused
from workers.cluster.translate import Request

AWAY = ClusterUnreachableError("connection refused")
WAIT_SECONDS = 5

Pieces = list[Any]


def thing(name: str, version: int) -> dict[str, Any]:
    """An object."""
    return {"metadata": {"name": name, "uid": name, "resourceVersion": str(version)}}


def change(type_: str, item: dict[str, Any]) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": type_, "object": item}).encode() + b"\n"


class Answer:
    """A watch that gives these chunks, then ends, breaks, or waits to be shut."""

    def __init__(self, *chunks: bytes, end: Exception | None = None, stays: bool = False) -> None:
        self.chunks = chunks
        self.end = end
        self.stays = stays
        self.shut: queue.SimpleQueue[None] = queue.SimpleQueue()

    def stream(self, *, amt: int | None) -> Iterator[bytes]:
        """What comes, as it comes."""
        assert amt is None
        yield from self.chunks
        if self.stays:
            self.shut.get(timeout=WAIT_SECONDS)
        if self.end is not None:
            raise self.end

    def shutdown(self) -> None:
        """End the waiting."""
        self.shut.put(None)

    def close(self) -> None:
        """Nothing is held."""


class Script:
    """A source that plays what it was given, one piece after the other, and then stays silent."""

    request = Request("watch", "pods", "buzzy-staging")

    def __init__(self, lists: Pieces, watches: Pieces) -> None:
        self.lists = lists
        self.watches = watches
        self.asked: list[str] = []

    def list(self) -> dict[str, Any]:
        """The next list."""
        self.asked.append("list")
        return cast("dict[str, Any]", self._next(self.lists))

    def watch(self, version: str) -> urllib3.BaseHTTPResponse:
        """The next watch."""
        self.asked.append(version)
        return cast("urllib3.BaseHTTPResponse", self._next(self.watches))

    @staticmethod
    def _next(pieces: Pieces) -> object:
        piece = pieces.pop(0) if pieces else Answer(stays=True)
        if isinstance(piece, Exception):
            raise piece
        return piece


def listed(version: int, *items: dict[str, Any]) -> dict[str, Any]:
    """A list."""
    return {"metadata": {"resourceVersion": str(version)}, "items": list(items)}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that a test need not wait for."""
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.01)


def news(source: Script, enough: Callable[[list[News]], bool]) -> list[News]:
    """What is told until it is enough."""
    told: queue.SimpleQueue[News] = queue.SimpleQueue()
    reader = Reader(source, told.put)
    heard: list[News] = []
    try:
        while not enough(heard):
            heard.append(told.get(timeout=WAIT_SECONDS))
    finally:
        reader.close()
        reader.join(WAIT_SECONDS)
    return heard


def until(count: int) -> Callable[[list[News]], bool]:
    """So many pieces of news are enough."""
    return lambda heard: len(heard) >= count


A, B, B2 = thing("a", 1), thing("b", 6), thing("b", 7)


def test_it_lists_and_then_tells_each_change() -> None:
    """A change may come in pieces; a bookmark is none, but moves the place to resume from."""
    line = change("ADDED", B)
    chunks = (
        line[:9],
        line[9:],
        change("MODIFIED", B2) + change("DELETED", B2),
        change("BOOKMARK", thing("", 9)),
    )
    source = Script([listed(5, A)], [Answer(*chunks)])
    heard = news(source, until(6))
    assert heard == [
        Listed((A,)),
        Heard(),
        Changed(B, gone=False),
        Changed(B2, gone=False),
        Changed(B2, gone=True),
        Heard(),
    ]
    assert source.asked == ["list", "5", "9"]


def test_a_watch_that_breaks_is_resumed_without_a_word() -> None:
    """From the last change that came."""
    broken = Answer(change("ADDED", B), end=urllib3.exceptions.ProtocolError("reset"))
    source = Script([listed(5)], [broken])
    assert news(source, until(4)) == [Listed(()), Heard(), Changed(B, gone=False), Heard()]
    assert source.asked == ["list", "5", "6"]


@pytest.mark.parametrize("error", [AWAY, TooManyRequestsError(0)])
def test_a_cluster_that_cannot_be_heard_is_tried_again(error: ClusterError) -> None:
    """It is told once for each attempt, and that it is heard again."""
    source = Script([error, error, listed(5, A)], [])
    assert [type(each) for each in news(source, until(4))] == [Lost, Lost, Listed, Heard]


def test_a_place_that_is_too_long_ago_means_to_list_again() -> None:
    """Whether the server says so with a status or inside the watch."""
    gone = {"code": 410, "reason": "Expired", "message": "too old resource version"}
    source = Script([listed(5), listed(50, A)], [Answer(change("ERROR", gone))])
    assert news(source, until(4)) == [Listed(()), Heard(), Listed((A,)), Heard()]
    assert source.asked == ["list", "5", "list", "50"]


DENIED = ForbiddenError("watch", "pods", "x")


def test_what_was_allowed_before_is_not_denied_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API server that has just started does not know its roles yet; only a denial that lasts counts."""
    monkeypatch.setattr(module, "BELIEVED_SECONDS", 0.3)
    source = Script([listed(5)], [DENIED, DENIED, Answer(), *[DENIED] * 900])
    heard = news(source, lambda told: any(isinstance(each, Refused) for each in told))
    assert [type(each) for each in heard[:5]] == [Listed, Lost, Lost, Heard, Lost]
    assert heard[-1] == Refused(DENIED)


@pytest.mark.parametrize(
    "error", [ForbiddenError("list", "pods", "x"), CredentialsRefusedError(), KeyError("items")]
)
def test_what_trying_again_does_not_help_against_is_the_last_news(error: Exception) -> None:
    """The listener raises it in its own thread; a mistake of ours as well."""
    assert news(Script([error], []), until(1)) == [Refused(error)]


def test_closing_ends_a_watch_on_which_nothing_comes() -> None:
    """At once, not when the server ends it."""
    told: queue.SimpleQueue[News] = queue.SimpleQueue()
    reader = Reader(Script([listed(5)], []), told.put)
    assert isinstance(told.get(timeout=WAIT_SECONDS), Listed)
    assert isinstance(told.get(timeout=WAIT_SECONDS), Heard)
    reader.close()
    reader.join(WAIT_SECONDS)
    assert not reader._thread.is_alive()
