"""The newest build: which one it is, and that it is asked for once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from releases.config import Environment, parse_config
from releases.events import BUZZY, PlanRefused
from releases.latest import ask, newest
from releases.lifecycle import Release, State, apply, begin
from releases.standby import Follow
from releases.version import Version
from tests.unit.test_proof import at, newest_first, went


def development(**rules: str) -> Environment:
    """An environment that has the newest 3.x."""
    more = "".join(f", {key}: {value}" for key, value in rules.items())
    text = f"""
    registry: https://registry.example.com
    services: [{{name: main, image: buzzybuzz/main}}, {{name: api, image: buzzybuzz/api}}]
    environments:
      development: {{namespace: a, channel: C0A, latest: 3.x{more}}}
    """
    return parse_config(text).environment("development")


DEVELOPMENT = development()


def wanted(
    version: str, *own: Release, has: tuple[str, ...] = ("3.2.0",), hours: float = 50
) -> Follow | None:
    """What Buzzy asks for when that version is the newest."""
    running = frozenset(map(Version.parse, has))
    return ask(DEVELOPMENT, Version.parse(version), newest_first(*own), running, at(hours))


@pytest.mark.requirement("S3", "V1")
@pytest.mark.parametrize(
    ("rule", "prerelease", "found"),
    [
        ("3.x", False, "3.10.0"),
        ("3.x", True, "3.11.0-rc.2"),
        ("3.2.x", False, "3.2.9"),
        ("*", False, "4.0.0"),
        ("5.x", True, None),
        (">=3.2 <3.10", False, "3.9.0"),
    ],
)
def test_the_newest_is_by_the_order_of_versions(rule: str, prerelease: bool, found: str | None) -> None:  # noqa: FBT001 - a column of the table
    """Of what all have; tags that are no versions, or are written another way, count for nothing."""
    tags = [
        "3.2.0", "3.2.9", "3.9.0", "3.10.0", "3.11.0-rc.2", "3.11.0-rc.1", "4.0.0", "latest", "v9.0.0",
    ]  # fmt: skip
    assert newest([tags, [*tags, "3.99.0"]], rule, prerelease=prerelease) == (
        None if found is None else Version.parse(found)
    )
    assert newest([], rule, prerelease=True) is None


@pytest.mark.requirement("S3")
def test_it_is_asked_for_by_buzzy_with_the_rules_of_the_environment() -> None:
    """As the standby's are: nobody's word is needed, unless the file says so."""
    asked = wanted("3.2.1")
    assert asked is not None
    request = asked.request
    assert (request.kind, request.version, request.by, request.latest) == ("release", "3.2.1", BUZZY, "3.x")
    assert request.reason == "3.2.1 is the newest build of 3.x in the registry"
    assert request.approval is None
    strict = development(approval="{quorum: 1, from: [S0A]}")
    agreed = ask(strict, Version.parse("3.2.1"), (), frozenset(), at(50))
    assert agreed is not None
    assert agreed.request.approval is not None


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    ("has", "asks"),
    [
        (("3.2.1",), False),
        (("3.2.2",), False),
        (("3.2.0", "3.2.1"), True),
        ((), True),
        (("3.2.1", "4.0.0"), False),
    ],
    ids=["has it", "has a newer one", "has it in part", "nothing is known", "is ahead in part"],
)
def test_what_it_has_or_is_ahead_of_is_not_asked_for(has: tuple[str, ...], asks: bool) -> None:  # noqa: FBT001 - a column of the table
    """Whoever put it there; nothing is ever taken back."""
    assert (wanted("3.2.1", has=has) is not None) is asks


@pytest.mark.requirement("S3", "Q1")
@pytest.mark.parametrize("end", ["released", "failed", "rolled back", ""])
def test_a_version_is_tried_once_and_the_next_one_is_tried(end: str) -> None:
    """Whoever asked for it first, and however that ended: people may have gone back from it."""
    tried = went(8, 5, "3.2.1", end=end)
    assert wanted("3.2.1", tried) is None
    assert wanted("3.2.2", tried) is not None


@pytest.mark.requirement("Q1")
def test_what_could_not_be_planned_is_asked_for_again_after_longer_and_longer() -> None:
    """Nothing was touched: after an hour, two hours, …; each time under another name."""
    asked = wanted("3.2.1", hours=0)
    assert asked is not None
    names, own, hours = {asked.delivery}, [], 0.0
    for number, pause in enumerate((1, 2, 4, 8, 16, 24, 24), 1):
        request = asked.request.model_copy(update={"at": at(hours)})
        impossible = apply(begin(f"R{number}", request), PlanRefused(at=at(hours), reason="no room"))
        assert impossible.state is State.IMPOSSIBLE
        own.append(impossible)
        assert wanted("3.2.1", *own, hours=hours + pause - 0.1) is None
        hours += pause + 0.1
        again = wanted("3.2.1", *own, hours=hours)
        assert again is not None
        assert again.request.at - own[-1].request.at > timedelta(hours=pause)
        names.add(again.delivery)
    assert len(names) == 8
