"""Events: what happened to an object, in words. The same thing again counts up instead of filling lists."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.cluster.objects import Json, clone, name_of, namespace_of, now, parse_time, stamp, uid_of
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import EVENTS, NAMESPACES

LIFETIME = timedelta(hours=1)
SWEEP = timedelta(minutes=1)
MOST_SIMILAR = 10
"""So many different things of one reason are told of an object one by one; the others are told as one."""
COMBINED = "(combined from similar events): "


@dataclass(frozen=True)
class Source:
    """The component that reports."""

    component: str
    host: str = ""

    def as_json(self) -> Json:
        """Write the source as an event names it."""
        return {"component": self.component} | ({"host": self.host} if self.host else {})


@dataclass(frozen=True)
class _Subject:
    """What makes events similar: all but their words."""

    uid: str
    kind: str
    reason: str
    component: str
    field: str


class Recorder:
    """Writes the events of all components, and forgets them after an hour."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[_Subject, dict[str, str]] = {}
        self._swept = now()

    def normal(self, thing: Json, reason: str, message: str, source: Source, field: str = "") -> None:
        """Report something that was to be expected."""
        subject = _Subject(uid_of(thing), "Normal", reason, source.component, field)
        self._record(thing, subject, message, source)

    def warning(self, thing: Json, reason: str, message: str, source: Source, field: str = "") -> None:
        """Report something that somebody should look at."""
        subject = _Subject(uid_of(thing), "Warning", reason, source.component, field)
        self._record(thing, subject, message, source)

    def once(self, thing: Json, what: tuple[str, str, str], message: str, source: Source) -> None:
        """Report something in the newer form of events, with a time to the microsecond instead of a count.

        Args:
            thing: What it is about.
            what: The type, the reason, and what was being done.
            message: What happened, for people.
            source: Who reports.
        """
        store, (kind, reason, action) = self._registry.store, what
        namespace = namespace_of(thing) or "default"
        if store.get(NAMESPACES, "", namespace) is None:
            return
        event = _event(thing, _Subject(uid_of(thing), kind, reason, "", ""), message, source, namespace)
        del event["count"]
        moment = now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        event |= {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "action": action}
        event |= {"eventTime": moment, "reportingInstance": f"{source.component}-sandbox"}
        store.write(EVENTS, event)

    def _record(self, thing: Json, subject: _Subject, message: str, source: Source) -> None:
        store, namespace = self._registry.store, namespace_of(thing) or "default"
        if store.get(NAMESPACES, "", namespace) is None:
            return
        if now() > self._swept + SWEEP:
            self._sweep()
        told = self._known.setdefault(subject, {})
        combined = message not in told and len(told) >= MOST_SIMILAR
        said = COMBINED + message if combined else message
        name = told.get(COMBINED if combined else message, "")
        known = store.get(EVENTS, namespace, name)
        if known is not None:
            again = clone(known)
            again |= {"count": known["count"] + 1, "lastTimestamp": stamp(), "message": said}
            store.write(EVENTS, again)
            return
        event = _event(thing, subject, said, source, namespace)
        told[COMBINED if combined else message] = name_of(event)
        store.write(EVENTS, event)

    def _sweep(self) -> None:
        """Forget old events, and what was remembered to count them."""
        store, oldest = self._registry.store, now() - LIFETIME
        self._swept = now()
        for event in store.listing(EVENTS):
            if _last_seen(event) < oldest:
                store.remove(EVENTS, event)
        alive = {name_of(event) for event in store.listing(EVENTS)}
        for subject, told in list(self._known.items()):
            self._known[subject] = {said: name for said, name in told.items() if name in alive}
            if not self._known[subject]:
                del self._known[subject]


def _last_seen(event: Json) -> datetime:
    times = (event.get("lastTimestamp"), event.get("eventTime"), event["metadata"]["creationTimestamp"])
    return parse_time(next(time for time in times if time))


def _event(thing: Json, subject: _Subject, message: str, source: Source, namespace: str) -> Json:
    about: Json = {"kind": thing["kind"], "apiVersion": thing["apiVersion"], "name": name_of(thing)}
    about |= {"uid": uid_of(thing), "resourceVersion": thing["metadata"].get("resourceVersion", "")}
    if namespace_of(thing):
        about["namespace"] = namespace
    if subject.field:
        about["fieldPath"] = subject.field
    moment = stamp()
    return {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {
            "name": f"{name_of(thing)}.{secrets.token_hex(8)}",
            "namespace": namespace,
            "uid": str(uuid.uuid4()),
            "creationTimestamp": moment,
        },
        "involvedObject": about,
        "reason": subject.reason,
        "message": message,
        "source": source.as_json(),
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
        "type": subject.kind,
        "eventTime": None,
        "reportingComponent": source.component,
        "reportingInstance": source.host,
    }
