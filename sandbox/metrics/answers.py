"""Prometheus' query API for the named metrics that Buzzy asks for, and for one of the application's own."""

from __future__ import annotations

import math
import re
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from releases.presets import PRESETS, PresetName
from sandbox.metrics.numbers import Numbers

Json = dict[str, Any]
Pods = Callable[[str, re.Pattern[str], float], Sequence[Numbers]]
"""The numbers of the pods of a namespace whose names match, at a moment in seconds since 1970."""

Value = Callable[[Sequence[Numbers]], float]

MOST_POINTS = 11_000
"""As Prometheus has it."""

_VALUES: dict[PresetName, Value] = {
    "latency_p50": lambda pods: max(each.p50 for each in pods),
    "latency_p95": lambda pods: max(each.p95 for each in pods),
    "latency_p99": lambda pods: max(each.p99 for each in pods),
    "throughput": lambda pods: sum(each.requests for each in pods),
    "error_rate": lambda pods: statistics.fmean(each.errors for each in pods),
    "cpu": lambda pods: statistics.fmean(each.cpu for each in pods),
    "memory": lambda pods: max(each.memory for each in pods),
    "storage": lambda pods: max(each.storage for each in pods),
    "user_activity": lambda pods: sum(each.users for each in pods),
    "user_experience": lambda pods: statistics.fmean(each.content for each in pods),
}


CHECKOUTS = "sum(rate(checkout_failures_total{$labels}[$range]))"
"""What somebody may write into buzzy.yaml as PromQL of their own."""

_KNOWN: tuple[tuple[str, Value], ...] = (
    *((preset.query, _VALUES[name]) for name, preset in PRESETS.items()),
    (CHECKOUTS, lambda pods: sum(each.failed_checkouts for each in pods)),
)


def metrics_app(pods: Pods) -> Starlette:
    """The API over what is known of pods."""

    async def instant(request: Request) -> Response:
        asked = await _asked(request)
        moment = float(asked.get("time", time.time()))
        value = _value(asked.get("query", ""), pods, moment)
        if isinstance(value, str):
            return _bad(value)
        result = [] if value is None else [{"metric": {}, "value": [moment, _text(value)]}]
        return _good("vector", result)

    async def over(request: Request) -> Response:
        asked = await _asked(request)
        start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
        count = int((end - start) / step) + 1
        if not 0 < count <= MOST_POINTS:
            return _bad("exceeded maximum resolution of 11,000 points per timeseries")
        values = []
        for moment in (start + index * step for index in range(count)):
            value = _value(asked.get("query", ""), pods, moment)
            if isinstance(value, str):
                return _bad(value)
            if value is not None:
                values.append([moment, _text(value)])
        return _good("matrix", [{"metric": {}, "values": values}] if values else [])

    methods = ["GET", "POST"]
    return Starlette(
        routes=[
            Route("/api/v1/query", instant, methods=methods),
            Route("/api/v1/query_range", over, methods=methods),
        ]
    )


async def _asked(request: Request) -> dict[str, str]:
    form = (await request.body()).decode() if request.method == "POST" else ""
    return {**request.query_params, **dict(parse_qsl(form))}


def _value(query: str, pods: Pods, moment: float) -> float | str | None:
    """The value of a query; why it cannot be answered; or None when nothing is measured."""
    for template, value in _KNOWN:
        if found := _pattern(template).fullmatch(query):
            matching = _matching(found, pods, moment)
            return value(matching) * (1 + 0.02 * math.sin(moment)) if matching else None
    for template in {preset.samples for preset in PRESETS.values()} - {""}:
        if found := _pattern(template).fullmatch(query):
            matching = _matching(found, pods, moment)
            return sum(each.requests for each in matching) * float(found["range"]) if matching else None
    return f"the sandbox knows the named metrics of Buzzy and, of one's own PromQL, {CHECKOUTS}"


def _matching(found: re.Match[str], pods: Pods, moment: float) -> Sequence[Numbers]:
    known = found.groupdict()
    return pods(known["namespace"], re.compile(known.get("pods") or ".*"), moment)


def _pattern(template: str) -> re.Pattern[str]:
    """A template as a regular expression; what is filled in several times is read at the first."""
    text = (
        re.escape(template)
        .replace(r"\$labels", r'namespace="\$namespace",pod=\~"\$pods"')
        .replace(r"\~", "~")
    )
    for name, form in (("namespace", "[a-z0-9-]+"), ("pods", r'[^"]+'), ("range", "[0-9]+")):
        unit = "s" if name == "range" else ""
        text = text.replace(rf"\${name}", f"(?P<{name}>{form}){unit}", 1).replace(
            rf"\${name}", f"{form}{unit}"
        )
    return re.compile(text)


def _text(value: float) -> str:
    return repr(float(value))


def _good(kind: str, result: list[Json]) -> Response:
    return JSONResponse({"status": "success", "data": {"resultType": kind, "result": result}})


def _bad(why: str) -> Response:
    return JSONResponse({"status": "error", "errorType": "bad_data", "error": why}, status_code=400)
