"""Label and field selectors: in query strings, and in the selectors of workloads and services."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.cluster.errors import bad_request
from sandbox.cluster.objects import Json, labels_of
from sandbox.cluster.resources import EVENTS, NEW_EVENTS, NODES, PODS, Resource

_SET = re.compile(r"^(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^)]*)\)$")
_EQUAL = re.compile(r"^(?P<key>[^!=\s]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^!=\s]*)$")

_FIELDS: dict[str, tuple[str, ...]] = {
    PODS.qualified: (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
    ),
    NODES.qualified: ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "replicasets.apps": ("status.replicas",),
    "jobs.batch": ("status.successful",),
}
_EVENT_FIELDS = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


@dataclass(frozen=True)
class Selection:
    """Which objects a list or a watch is about."""

    labels: tuple[Callable[[dict[str, str]], bool], ...] = ()
    fields: tuple[Callable[[Json], bool], ...] = ()
    text: str = field(default="", compare=False)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.labels and not self.fields

    def matches(self, thing: Json) -> bool:
        """Say whether the object is meant."""
        labels = labels_of(thing)
        return all(wanted(labels) for wanted in self.labels) and all(wanted(thing) for wanted in self.fields)


def parse_selection(resource: Resource, labels: str, fields: str) -> Selection:
    """Read the labelSelector and fieldSelector parameters.

    Raises:
        ApiError: A selector that cannot be read, or a field that cannot be selected by (400).
    """
    return Selection(
        tuple(_label_requirement(part) for part in _split(labels)),
        tuple(_field_requirement(resource, part) for part in fields.split(",") if part.strip()),
        f"{labels}|{fields}",
    )


def matches_selector(selector: Json | None, labels: dict[str, str]) -> bool:
    """Say whether a workload's selector (matchLabels, matchExpressions) chooses these labels."""
    selector = selector or {}
    expressions = selector.get("matchExpressions") or []
    pairs = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in pairs.items()) and all(
        _requirement(e["key"], e["operator"].lower(), e.get("values") or [])(labels) for e in expressions
    )


def format_selector(selector: Json | None) -> str:
    """Write a workload's selector as one line, as tables show it."""
    selector = selector or {}
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for e in selector.get("matchExpressions") or []:
        operator = e["operator"].lower()
        values = ",".join(e.get("values") or [])
        parts.append(f"{e['key']} {operator} ({values})" if values else e["key"])
    return ",".join(parts) or "<none>"


def _split(text: str) -> list[str]:
    parts = re.split(r",(?![^(]*\))", text)
    return [part.strip() for part in parts if part.strip()]


def _label_requirement(part: str) -> Callable[[dict[str, str]], bool]:
    if found := _SET.match(part):
        values = [value.strip() for value in found["values"].split(",")]
        return _requirement(found["key"], found["operator"], values)
    if found := _EQUAL.match(part):
        return _requirement(found["key"], "notin" if found["operator"] == "!=" else "in", [found["value"]])
    if re.fullmatch(r"!?\s*[\w./-]+", part):
        return _requirement(part.lstrip("! "), "doesnotexist" if part.startswith("!") else "exists", [])
    raise bad_request(f"unable to parse requirement: {part!r} is not a label selector")


def _requirement(key: str, operator: str, values: list[str]) -> Callable[[dict[str, str]], bool]:
    match operator:
        case "in":
            return lambda labels: labels.get(key) in values
        case "notin":
            return lambda labels: labels.get(key) not in values
        case "exists":
            return lambda labels: key in labels
        case _:
            return lambda labels: key not in labels


def _field_requirement(resource: Resource, part: str) -> Callable[[Json], bool]:
    found = _EQUAL.match(part.strip())
    if not found:
        raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
    path, value, negated = found["key"], found["value"], found["operator"] == "!="
    if path not in _selectable(resource):
        if resource.qualified in _FIELDS or resource in {EVENTS, NEW_EVENTS}:
            raise bad_request(f"field label not supported: {path}")
        known = ", ".join(f'"{name}"' for name in _selectable(resource))
        raise bad_request(f'"{path}" is not a known field selector: only {known}')
    return lambda thing: (_field(thing, path) == value) != negated


def _selectable(resource: Resource) -> tuple[str, ...]:
    common = ("metadata.name", "metadata.namespace") if resource.namespaced else ("metadata.name",)
    if resource in {EVENTS, NEW_EVENTS}:
        prefix = "involvedObject" if resource is EVENTS else "regarding"
        own = ("reason", "type", "source", "reportingComponent", "reportingController")
        return (*common, *own, *(f"{prefix}.{name}" for name in _EVENT_FIELDS))
    return (*common, *_FIELDS.get(resource.qualified, ()))


def _field(thing: Json, path: str) -> str:
    if path == "source":
        return str(thing.get("source", {}).get("component", "")) or str(thing.get("reportingComponent", ""))
    if path == "status.successful":
        path = "status.succeeded"
    value: Any = thing
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
