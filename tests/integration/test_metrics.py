"""Prometheus' API as the workers speak it: numbers are numbers, and whatever else comes is no measurement."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from releases.config import parse_config
from releases.presets import PRESETS
from sandbox.children import free_port
from sandbox.metrics.answers import metrics_app
from sandbox.metrics.numbers import WELL, WRONG, numbers_of
from sandbox.serving import serve
from workers.measuring import check
from workers.metrics import MetricsAwayError, MetricsError, PrometheusMetrics, QueryError
from workers.metrics import prometheus as speaking
from workers.steps.queries import Queries

NOW = datetime(2026, 11, 27, 14, 30, tzinfo=UTC)


@contextmanager
def answering(response: Response, heard: list[dict[str, Any]] | None = None) -> Iterator[PrometheusMetrics]:
    """A server that gives this answer to everything."""

    async def answer(request: Request) -> Response:
        if heard is not None:
            form = dict(parse_qsl((await request.body()).decode()))
            heard.append({**form, "path": request.url.path, "token": request.headers.get("authorization")})
        return response

    with serve(Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])) as served:
        yield PrometheusMetrics(f"{served.url}/prom/", "secret")


def vector(*values: str) -> Response:
    """A good answer."""
    result = [{"metric": {}, "value": [NOW.timestamp(), value]} for value in values]
    return JSONResponse({"status": "success", "data": {"resultType": "vector", "result": result}})


@pytest.mark.requirement("M1")
def test_what_is_asked_and_what_comes() -> None:
    """Under the address that was given, with the token; NaN and the infinite are nothing measured."""
    heard: list[dict[str, Any]] = []
    with answering(vector("0.5", "NaN", "+Inf", "-Inf", "3"), heard) as metrics:
        assert metrics.at("up", NOW) == (0.5, 3.0)
    asked = {"query": "up", "time": f"{NOW.timestamp():.3f}", "path": "/prom/api/v1/query"}
    assert heard == [{**asked, "token": "Bearer secret"}]


def test_series_over_time() -> None:
    """Each series by itself, without the points that are none."""
    values = [[NOW.timestamp() + index, value] for index, value in enumerate(("1", "NaN", "2"))]
    data = {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}
    with answering(JSONResponse({"status": "success", "data": data})) as metrics:
        (series,) = metrics.over("up", NOW, NOW + timedelta(seconds=2), timedelta(seconds=1))
    assert [(point.at, point.value) for point in series] == [(NOW, 1.0), (NOW + timedelta(seconds=2), 2.0)]


@pytest.mark.requirement("B2")
@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (JSONResponse({"status": "error"}, 400), QueryError),
        (JSONResponse({"status": "error"}, 422), QueryError),
        (JSONResponse({}, 401), MetricsError),
        (JSONResponse({}, 503), MetricsAwayError),
        (Response("<html>"), MetricsError),
        (JSONResponse([]), MetricsError),
        (JSONResponse({"status": "success", "data": {"resultType": "string", "result": "x"}}), QueryError),
        (JSONResponse({"status": "success", "data": {"resultType": "vector", "result": [3]}}), QueryError),
        (vector("what"), QueryError),
        (vector(*["1"] * 51), QueryError),
        (Response(b" " * (speaking.MOST_BYTES + 1)), QueryError),
    ],
    ids=[
        "bad query", "cannot be run", "no access", "away", "no JSON", "another JSON", "text", "no vector",
        "no number", "too many", "too long",
    ],
)  # fmt: skip
def test_what_is_no_measurement(response: Response, kind: type[MetricsError]) -> None:
    """An error that says what it is; never a value, and never what the server wrote."""
    with answering(response) as metrics, pytest.raises(MetricsError) as caught:
        metrics.at("up", NOW)
    assert type(caught.value) is kind
    assert "html" not in str(caught.value)


def test_nobody_there_and_nobody_who_hurries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both may be otherwise in a moment."""
    with pytest.raises(MetricsAwayError, match="cannot be reached"):
        PrometheusMetrics(f"http://127.0.0.1:{free_port()}").at("up", NOW)
    monkeypatch.setattr(speaking, "READ_SECONDS", 0.1)

    async def never(_request: Request) -> Response:
        await asyncio.Event().wait()
        return Response()

    with (
        serve(Starlette(routes=[Route("/{path:path}", never, methods=["POST"])])) as served,
        pytest.raises(MetricsAwayError, match="does not answer in time"),
    ):
        PrometheusMetrics(served.url).at("up", NOW)


def test_the_sandbox_answers_every_named_metric() -> None:
    """And says what it does not know, as Prometheus does with what it does not understand."""
    with serve(metrics_app(lambda *_: [WELL, WELL])) as served:
        metrics = PrometheusMetrics(served.url)
        queries = Queries("buzzy-staging", "(?:api-1)-[a-z0-9]+", "(?:api)-[a-z0-9]+", NOW)
        for preset in PRESETS.values():
            query = queries.filled(preset.query, queries.new, timedelta(seconds=10))
            assert metrics.at(query, NOW)
            assert metrics.over(query, NOW, NOW + timedelta(seconds=5), timedelta(seconds=1))
        counted = queries.filled(PRESETS["error_rate"].samples, queries.new, timedelta(seconds=10))
        assert metrics.at(counted, NOW) == (2 * WELL.requests * 10,)
        with pytest.raises(QueryError):
            metrics.at("sum(my_own)", NOW)


def test_versions_of_the_sandbox_go_wrong_after_a_while() -> None:
    """By their tags, or because a table says so of one that looks like any other."""
    assert numbers_of("b/api:3.2.3-errors", 5, {}, 1.0) is WELL
    assert numbers_of("b/api:3.2.3-errors", 7, {}, 1.0) is WRONG["errors"]
    assert numbers_of("b/api:3.2.2@sha256:1", 7, {"3.2.2": "hungry"}, 1.0) is WRONG["hungry"]
    assert numbers_of("b/main:3.2.2", 7, {"b/api:3.2.2": "hungry"}, 1.0) is WELL


@pytest.mark.requirement("M1")
def test_buzzy_check_looks_whether_metrics_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are needed only; a token that is not there is named before anybody is asked."""
    rule = "monitor: {triggers: [{error_rate: {above: 2%}}]}"

    def found(address: str, monitor: str = rule, token: str = "") -> list[str]:
        text = (
            f"services: [{{name: api, image: b/api}}]\nprometheus: {{address: '{address}'{token}}}\n"
            f"environments:\n  staging: {{namespace: s, channel: C0, {monitor}}}\n"
        )
        config = parse_config(text)
        return [str(each) for each in check(config, config.environment("staging"))]

    nobody = f"http://127.0.0.1:{free_port()}"
    assert found(nobody, "history: 5") == []
    assert "Prometheus cannot be reached" in found(nobody)[0]
    monkeypatch.delenv("SOME_TOKEN", raising=False)
    assert "SOME_TOKEN, is not set" in found(nobody, token=", token: SOME_TOKEN")[0]
    with serve(metrics_app(lambda *_: [])) as served:
        assert "Prometheus answers" in found(served.url)[0]
