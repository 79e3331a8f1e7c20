"""Events are counted, combined when there are many alike, and forgotten after an hour."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from sandbox.cluster.controllers.recorder import COMBINED, MOST_SIMILAR, Recorder, Source
from sandbox.cluster.registry import Registry
from sandbox.cluster.resources import CONFIG_MAPS, EVENTS, NAMESPACES
from sandbox.cluster.store import Store

SOURCE = Source("deployment-controller")
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def registry() -> Registry:
    """A registry with one namespace."""
    made = Registry(Store())
    made.create(NAMESPACES, {"kind": "Namespace", "metadata": {"name": "n"}, "apiVersion": "v1"}, manager="t")
    return made


@pytest.fixture
def thing(registry: Registry) -> dict[str, Any]:
    """Something to tell of."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"}}
    return registry.create(CONFIG_MAPS, body, manager="t")


def _told(registry: Registry) -> list[tuple[str, int]]:
    return sorted((event["message"], event["count"]) for event in registry.store.listing(EVENTS, "n"))


def test_the_same_again_is_counted(registry: Registry, thing: dict[str, Any]) -> None:
    """One event per thing that happens, with how often and when last."""
    recorder = Recorder(registry)
    for _ in range(3):
        recorder.warning(thing, "Unhealthy", "probe failed", SOURCE)
    recorder.normal(thing, "Scaled", "up", SOURCE)
    assert _told(registry) == [("probe failed", 3), ("up", 1)]


def test_many_of_a_kind_are_combined(registry: Registry, thing: dict[str, Any]) -> None:
    """Beyond ten different messages of one reason, the newest stands for all further ones."""
    recorder = Recorder(registry)
    for number in range(MOST_SIMILAR + 3):
        recorder.normal(thing, "Scaled", f"to {number:02}", SOURCE)
    told = _told(registry)
    assert len(told) == MOST_SIMILAR + 1
    assert told[0] == (f"{COMBINED}to {MOST_SIMILAR + 2}", 3)


def test_events_are_forgotten(registry: Registry, thing: dict[str, Any]) -> None:
    """After an hour an event goes, and the same thing is told anew."""
    with time_machine.travel(START, tick=False) as clock:
        recorder = Recorder(registry)
        recorder.normal(thing, "Scaled", "up", SOURCE)
        clock.shift(timedelta(minutes=50))
        recorder.normal(thing, "Scaled", "down", SOURCE)
        clock.shift(timedelta(minutes=50))
        recorder.normal(thing, "Scaled", "up", SOURCE)
    assert _told(registry) == [("down", 1), ("up", 1)]


def test_nothing_is_told_in_a_namespace_that_is_gone(registry: Registry, thing: dict[str, Any]) -> None:
    """An event would bring a deleted namespace back to life."""
    registry.store.remove(NAMESPACES, {"metadata": {"name": "n"}})
    Recorder(registry).normal(thing, "Scaled", "up", SOURCE)
    assert _told(registry) == []
