"""The sandbox's own side door, under /sandbox: behaviours, faults, compaction, outages and the journal."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.cluster.api.faults import fault_from
from sandbox.cluster.api.server import ApiServer
from sandbox.cluster.behaviour import BEHAVIOURS, Behaviours
from sandbox.cluster.store import Store


class Administered(Protocol):
    """What the side door needs of a cluster."""

    api: ApiServer
    store: Store
    behaviours: Behaviours

    def leave_for(self, seconds: float) -> None:
        """Make the API unreachable for a while."""


def admin_routes(cluster: Administered) -> list[Route]:
    """Return the routes; each answers with JSON."""

    async def behaviours(request: Request) -> Response:
        """GET the table; PUT adds to it: `{"3.3.0": "crash"}`; DELETE empties it."""
        if request.method == "PUT":
            cluster.behaviours.set(await request.json())
        elif request.method == "DELETE":
            cluster.behaviours.forget()
        return JSONResponse({"table": cluster.behaviours.table, "known": sorted(BEHAVIOURS)})

    async def faults(request: Request) -> Response:
        """GET what is set; POST one: `{"kind": "status", "status": 429, "count": 3}`; DELETE all."""
        if request.method == "POST":
            cluster.api.faults.add(fault_from(await request.body()))
        elif request.method == "DELETE":
            cluster.api.faults.clear()
        return JSONResponse({"faults": [vars(fault) for fault in cluster.api.faults.waiting]})

    async def compact(request: Request) -> Response:
        """POST forgets all history."""
        del request
        return JSONResponse({"compacted": cluster.store.compact()})

    async def requests(request: Request) -> Response:
        """GET the journal, narrowed by the query: `?verb=patch&user=bot`; DELETE empties it."""
        if request.method == "DELETE":
            cluster.api.journal.entries.clear()
        found = cluster.api.journal.requests(**request.query_params)
        changed = sum(entry.changed for entry in found)
        return JSONResponse({"writes": changed, "requests": [entry.as_json() for entry in found]})

    async def outage(request: Request) -> Response:
        """POST `{"seconds": 5}` makes the API unreachable for that long, beginning after the answer."""
        seconds = float((await request.json()).get("seconds", 1))
        asyncio.get_running_loop().call_later(0.1, cluster.leave_for, seconds)
        return JSONResponse({"seconds": seconds})

    return [
        Route("/behaviours", _guarded(behaviours), methods=["GET", "PUT", "DELETE"]),
        Route("/faults", _guarded(faults), methods=["GET", "POST", "DELETE"]),
        Route("/compact", _guarded(compact), methods=["POST"]),
        Route("/requests", _guarded(requests), methods=["GET", "DELETE"]),
        Route("/outage", _guarded(outage), methods=["POST"]),
    ]


def _guarded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except (ValueError, AttributeError, TypeError, json.JSONDecodeError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return guarded
