"""Observations without what differs from one cluster, and one run, to the next: names, times, versions."""

import re
from typing import Any

_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
_PATTERNS = (
    (re.compile(r"contract-[0-9a-f]{8}"), "<namespace>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(rf"-{_RANDOM}{{6,10}}-{_RANDOM}{{5}}\b"), "-<hash>-<pod>"),
    (re.compile(rf"-{_RANDOM}{{8,10}}(?![\w])"), "-<hash>"),
    (re.compile(rf"pod-template-hash={_RANDOM}{{8,10}}"), "pod-template-hash=<hash>"),
    (re.compile(r"\.[0-9a-f]{16}\b"), ".<event>"),
    (re.compile(r"\bdocker\.io/"), ""),
    (re.compile(r"\b\d+\.\d+\.\d+\.\d+\b"), "<ip>"),
    (re.compile(r"containerd://[0-9a-f]{64}"), "<container>"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "<digest>"),
)
_SAID_OTHERWISE = {
    "resourceVersion": "<version>",
    "nodeName": "<node>",
    "host": "<node>",
    "reportingInstance": "<node>",
    "pod-template-hash": "<hash>",
}


def normal(thing: Any) -> Any:  # noqa: ANN401 - JSON
    """The observation, comparable."""
    if isinstance(thing, dict):
        kept = {key: value for key, value in thing.items() if key != "managedFields"}
        return {
            normal(key): _SAID_OTHERWISE[key] if value and key in _SAID_OTHERWISE else normal(value)
            for key, value in kept.items()
        }
    if isinstance(thing, list | tuple):
        return [normal(each) for each in thing]
    if isinstance(thing, str):
        for pattern, instead in _PATTERNS:
            thing = pattern.sub(instead, thing)
    return thing


def differences(left: Any, right: Any, path: str = "") -> list[str]:  # noqa: ANN401 - JSON
    """Where two observations are not the same, a line for each field."""
    if isinstance(left, dict) and isinstance(right, dict):
        return [
            line
            for key in sorted(left.keys() | right.keys())
            for line in differences(left.get(key, "(absent)"), right.get(key, "(absent)"), f"{path}.{key}")
        ]
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        return [line for index, pair in pairs for line in differences(*pair, f"{path}[{index}]")]
    return [] if left == right else [f"{path}: {left!r} in the sandbox, {right!r} in truth"]
