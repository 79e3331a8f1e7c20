"""Prometheus' HTTP API: queries, and nothing else.

See https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from workers.metrics.port import MetricsAwayError, MetricsError, Point, QueryError, Series

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
MOST_BYTES = 2 * 1024 * 1024
MOST_SERIES = 50
"""A query that has more is about something else than one number."""


class PrometheusMetrics:
    """A Prometheus, or what speaks like one."""

    def __init__(self, address: str, token: str | None = None) -> None:
        """`address` is the one under which `/api/v1` is; nothing is connected before the first call."""
        self._address = address.rstrip("/")
        self._headers = {"User-Agent": "buzzy"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def at(self, query: str, moment: datetime) -> tuple[float, ...]:
        """The values of all series that a query has at a moment. Raises `MetricsError`."""
        data = self._ask("query", {"query": query, "time": _seconds(moment)})
        match data:
            case {"resultType": "vector", "result": list(found)}:
                points = [_point(each.get("value")) for each in _bounded(found)]
            case {"resultType": "scalar", "result": found}:
                points = [_point(found)]
            case _:
                raise QueryError("the query gives no numbers")
        return tuple(point.value for point in points if point is not None)

    def over(self, query: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        """All series that a query has over a span, a point each `step`. Raises `MetricsError`."""
        asked = {
            "query": query,
            "start": _seconds(start),
            "end": _seconds(end),
            "step": f"{step.total_seconds():g}",
        }
        match self._ask("query_range", asked):
            case {"resultType": "matrix", "result": list(found)}:
                series = [[_point(value) for value in each.get("values", [])] for each in _bounded(found)]
            case _:
                raise QueryError("the query gives no numbers over time")
        return tuple(tuple(point for point in each if point is not None) for each in series)

    def _ask(self, what: str, asked: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        try:
            with (
                httpx.Client(timeout=timeout, headers=self._headers) as client,
                client.stream("POST", f"{self._address}/api/v1/{what}", data=dict(asked)) as answer,
            ):
                content = _read(answer)
        except httpx.TimeoutException as error:
            raise MetricsAwayError("Prometheus does not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise MetricsAwayError("Prometheus cannot be reached") from error
        return _data(answer, content)


def _read(answer: httpx.Response) -> bytes:
    content = bytearray()
    for part in answer.iter_bytes():
        content += part
        if len(content) > MOST_BYTES:
            raise QueryError("the query has an answer that is too long")
    return bytes(content)


def _data(answer: httpx.Response, content: bytes) -> Any:  # noqa: ANN401 - JSON
    """What an answer holds. 400 and 422 are about the query, as the API's documentation has them."""
    status = answer.status_code
    if status in {401, 403}:
        raise MetricsError("Prometheus refuses access")
    if status in {400, 422}:
        raise QueryError("Prometheus does not understand the query")
    if status != httpx.codes.OK:
        raise MetricsAwayError(f"Prometheus answers with HTTP {status}")
    try:
        body = httpx.Response(status, content=content).json()
    except ValueError as error:
        raise MetricsError("what answers is no Prometheus") from error
    if not isinstance(body, dict) or body.get("status") != "success":
        raise MetricsError("what answers is no Prometheus")
    return body.get("data")


def _bounded(found: list[Any]) -> list[Any]:
    if len(found) > MOST_SERIES:
        raise QueryError(f"the query gives {len(found)} series; it should give one")
    if not all(isinstance(each, dict) for each in found):
        raise QueryError("the query gives no numbers")
    return found


def _point(value: object) -> Point | None:
    """A point; None for NaN and the infinite, which mean that nothing was measured."""
    match value:
        case [int() | float() as at, str(text)]:
            try:
                number = float(text)
            except ValueError:
                raise QueryError("the query gives no numbers") from None
            return Point(datetime.fromtimestamp(at, UTC), number) if math.isfinite(number) else None
        case _:
            raise QueryError("the query gives no numbers")


def _seconds(moment: datetime) -> str:
    return f"{moment.timestamp():.3f}"
