"""The API server: from a request to an answer, through authentication, authorization and the journal."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from sandbox.cluster.access import User, Users, path_refusal, refusal
from sandbox.cluster.api import discovery, reviews, writing
from sandbox.cluster.api.faults import BrokenOffError, Faults, suffer
from sandbox.cluster.api.journal import Entry, Journal
from sandbox.cluster.api.logs import LogSource, pod_log
from sandbox.cluster.api.negotiation import view_for
from sandbox.cluster.api.reading import check_watch, list_objects, stored_resource, watch_objects
from sandbox.cluster.api.requests import Call, Target, parse_target
from sandbox.cluster.api.views import View
from sandbox.cluster.errors import ApiError, method_not_allowed, unknown_path
from sandbox.cluster.objects import Json
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import ACCESS_REVIEWS, NAMESPACES, RULES_REVIEWS, groups

KNOWN_GROUPS = ("/api/", *(f"/apis/{group}/" for group in groups()))
_WRITERS: dict[str, Callable[[Registry, Call], tuple[int, Json]]] = {
    "create": writing.create,
    "update": writing.update,
    "patch": writing.patch,
    "delete": writing.delete,
    "deletecollection": writing.delete_collection,
}


class ApiServer:
    """The ASGI application that speaks the Kubernetes API."""

    def __init__(self, registry: Registry, users: Users, logs: LogSource) -> None:
        self.registry = registry
        self.users = users
        self.journal = Journal()
        self.faults = Faults()
        self.git_version = "v1.37.2"
        self.bookmark_seconds = 10.0
        self.closing = asyncio.Event()
        self._logs = logs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or let it meet the fault that waits for it."""
        asked = f"{scope['path']}?{scope['query_string'].decode()}"
        fault = self.faults.take(scope["method"], asked)
        if fault is None:
            await self._serve(scope, receive, send)
            return
        if fault.kind == "status" and not fault.after_effect:
            self.journal.open(scope["method"], scope["path"], "").code = fault.status
        with suppress(BrokenOffError):
            await suffer(fault, self._serve, scope, receive, send, self.closing)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        entry = self.journal.open(request.method, scope["path"], request.headers.get("user-agent", ""))
        body = await request.body()
        try:
            response = self._answer(request, body, entry)
        except ApiError as error:
            response = JSONResponse(error.status(), error.code)
        entry.code = response.status_code
        response.headers["Audit-Id"] = str(uuid.uuid4())
        response.headers["Cache-Control"] = "no-cache, private"
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes, entry: Entry) -> Response:
        path = request.url.path
        query = dict(request.query_params)
        user = self.users.authenticate(request.headers.get("authorization", ""))
        entry.user = user.name
        is_resource = path.startswith("/api/v1/") or (path.count("/") > 3 and path.startswith("/apis/"))
        target = parse_target(request.method, path, query) if is_resource else None
        if target is None:
            return self._plain(request, user, path)
        _fill_in(entry, target)
        self._authorize(user, target)
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        accept = request.headers.get("accept", "")
        call = Call(target, user, query, accept, content_type, entry.agent, body)
        return self._resource(call, entry)

    def _plain(self, request: Request, user: User, path: str) -> Response:
        if not user.may_get_path(path):
            raise path_refusal(user, request.method, path)
        found = discovery.document(path, self.git_version, request.url.netloc)
        if found is None and path.startswith(KNOWN_GROUPS):
            raise unknown_path()
        if found is None:
            return PlainTextResponse("404 page not found\n", 404)
        return PlainTextResponse(found) if isinstance(found, str) else JSONResponse(found)

    def _authorize(self, user: User, target: Target) -> None:
        resource, sub = target.resource, target.subresource
        if resource in {ACCESS_REVIEWS, RULES_REVIEWS}:
            return
        full = f"{resource.plural}/{sub}" if sub else resource.plural
        # Where rules are concerned, a namespace belongs to itself.
        namespace = target.name if resource is NAMESPACES else target.namespace
        if not user.may(target.verb, resource.group, full, namespace, target.name):
            raise refusal(user, target.verb, resource, subresource=sub, place=(namespace, target.name))

    def _resource(self, call: Call, entry: Entry) -> Response:
        target = call.target
        if target.resource in {ACCESS_REVIEWS, RULES_REVIEWS}:
            return JSONResponse(reviews.review(call), 201)
        if target.subresource == "log":
            return self._log(call)
        if target.verb not in target.resource.verbs:
            raise method_not_allowed()
        view = view_for(target.resource, call.accept, call.query.get("includeObject", "Metadata"))
        if target.verb == "watch":
            return self._watch(call, view)
        if target.verb == "list":
            return JSONResponse(list_objects(self.registry.store, call, view))
        if target.verb == "get":
            return JSONResponse(self._get(call, view))
        before = self.registry.store.version
        code, answer = _WRITERS[target.verb](self.registry, call)
        entry.changed = self.registry.store.version != before
        shown = answer if answer.get("kind") != target.resource.kind else view.one(answer)
        return JSONResponse(shown, code)

    def _get(self, call: Call, view: View) -> Json:
        target = call.target
        thing = self.registry.get(stored_resource(target.resource), target.namespace, target.name)
        return writing.scale_of(thing) if target.subresource == "scale" else view.one(thing)

    def _watch(self, call: Call, view: View) -> Response:
        check_watch(call)
        store, seconds = self.registry.store, self.bookmark_seconds
        lines = watch_objects(store, call, view, bookmark_seconds=seconds, closing=self.closing)
        return StreamingResponse(lines, media_type="application/json")

    def _log(self, call: Call) -> Response:
        target = call.target
        pod = self.registry.get(target.resource, target.namespace, target.name)
        if not pod["spec"].get("nodeName"):
            return Response(status_code=HTTPStatus.NO_CONTENT)  # No kubelet could be asked.
        return PlainTextResponse(pod_log(pod, call, self._logs))


def _fill_in(entry: Entry, target: Target) -> None:
    entry.verb, entry.resource, entry.subresource = target.verb, target.resource.plural, target.subresource
    entry.namespace, entry.name = target.namespace, target.name
