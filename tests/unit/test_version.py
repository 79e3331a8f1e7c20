"""Versions: which texts are one, in which order they come, and what a release of one is called."""

from __future__ import annotations

import copy
import itertools
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from releases.version import InvalidVersion, ReleaseType, Urgency, Version, is_downgrade, release_type

# Lowest first: the example of Semantic Versioning 2.0.0, §11, between the numbers that it names before.
IN_ORDER = (
    "0.9.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
    "2.1.10",
)

identifiers = st.from_regex(r"(0|[1-9][0-9]{0,3}|[0-9]{0,2}[a-zA-Z-][0-9a-zA-Z-]{0,4})", fullmatch=True)
numbers = st.integers(min_value=0, max_value=12)
versions = st.builds(
    lambda core, pre: Version.parse(".".join(map(str, core)) + (f"-{'.'.join(pre)}" if pre else "")),
    st.tuples(numbers, numbers, numbers),
    st.lists(identifiers, max_size=3),
)


class Holder(BaseModel):
    """A model with a version in it."""

    version: Version


@pytest.mark.requirement("V1")
@pytest.mark.parametrize(
    ("lower", "higher"), list(itertools.combinations(IN_ORDER, 2)), ids=lambda text: text.replace(".", "_")
)
def test_precedence_is_that_of_the_specification(lower: str, higher: str) -> None:
    """Every pair of the specification's list is in its order, whichever way it is asked."""
    first, second = Version.parse(lower), Version.parse(higher)
    assert first < second
    assert second > first
    assert first != second
    assert is_downgrade(second, first)
    assert not is_downgrade(first, second)


@pytest.mark.requirement("V1")
@given(versions, versions, versions)
def test_order_is_total(a: Version, b: Version, c: Version) -> None:
    """Of two versions exactly one relation holds, and order carries over from one pair to the next."""
    assert [a < b, a == b, a > b].count(True) == 1
    assert (a <= b) == (not b < a)
    if a <= b <= c:
        assert a <= c
    if a == b:
        assert hash(a) == hash(b)


@given(versions)
def test_text_round_trips(version: Version) -> None:
    """A version's text names the same version, also behind a `v` and between spaces."""
    assert Version.parse(str(version)) == version
    assert Version.parse(f" v{version}\n") == version


@pytest.mark.parametrize(
    "text", ["3.2.1", "0.0.0", "3.3.0-rc.1", "1.0.0-0A.is.legal", "1.0.0--", "10.20.30-x-y.0"]
)
def test_versions_are_kept_as_written(text: str) -> None:
    """What the specification allows is accepted and keeps its spelling, which is the tag's."""
    assert str(Version.parse(text)) == text


@pytest.mark.requirement("V1")
@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("3.2", "3.2.0"),
        ("3", "3.0.0"),
        ("v3.2", "3.2.0"),
        ("03.2.1", "3.2.1"),
        ("3.2.1rc1", "3.2.1-rc1"),
        ("3.2.1-rc.01", "3.2.1-rc.1"),
        ("3.2-rc.1", "3.2.0-rc.1"),
        ("3.2.1-rc..1", "3.2.1-rc.1"),
        ("3.2.1+build.5", "3.2.1"),
        ("3.3.0-rc.1+5", "3.3.0-rc.1"),
        ("buzzybuzz/buzzy-main:3.2.1", "3.2.1"),
        ("release-3.2.1", "3.2.1"),
        ("latest", ""),
        ("", ""),
        ("3.2.x", ""),
        ("3.2.1.4", ""),
        ("2026-01-31", ""),
        ("3.2.1-", ""),
        ("\u0663.2.1", ""),
        ("3.2.1 3.2.2", "3.2.2"),
        ("3.2.1-ü", ""),
        ("9" * 200, ""),
    ],
    ids=lambda text: text[:30] or "empty",
)
def test_what_is_no_version_is_refused_with_a_guess(text: str, hint: str) -> None:
    """A text that is no tag of ours is refused, and the version that was meant is offered where it shows."""
    with pytest.raises(InvalidVersion) as caught:
        Version.parse(text)
    assert caught.value.hint == hint
    assert caught.value.problem
    assert (hint in str(caught.value)) or not hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latest", "tags must be versions"),
        ("3.2.1+build.5", "container tag cannot hold"),
        ("3.2", "needs three numbers"),
        ("", "missing"),
        ("1.0.0-" + "a" * 130, "longer than the 128 characters"),
    ],
    ids=["word", "build metadata", "two numbers", "nothing", "too long"],
)
def test_refusals_say_why(text: str, said: str) -> None:
    """Each kind of refusal has its own reason, and repeats no more of a long text than a line holds."""
    with pytest.raises(InvalidVersion) as caught:
        Version.parse(text)
    assert said in caught.value.problem
    assert len(caught.value.problem) < 140


@given(st.text() | st.from_regex(r"[v0-9.+\-a-z]{1,30}", fullmatch=True))
def test_every_text_is_a_version_or_refused(text: str) -> None:
    """No text does anything else than parse or raise `InvalidVersion`, and every hint parses."""
    hint = ""
    try:
        Version.parse(text)
    except InvalidVersion as refusal:
        hint = refusal.hint
    assert not hint or str(Version.parse(hint)) == hint


def test_parts_of_a_version() -> None:
    """The numbers and the pre-release can be asked for."""
    version = Version.parse("3.4.5-rc.1")
    assert (version.major, version.minor, version.patch, version.prerelease) == (3, 4, 5, "rc.1")
    assert version.is_prerelease
    assert Version.parse("3.4.5").prerelease is None
    assert not Version.parse("3.4.5").is_prerelease


def test_a_version_is_a_value() -> None:
    """It is hashed by what it is, survives copies and pickles, and shows itself readably."""
    version = Version.parse("3.2.1")
    assert {version: 1}[Version.parse("v3.2.1")] == 1
    assert copy.deepcopy(version) == version
    assert pickle.loads(pickle.dumps(version)) == version  # noqa: S301 - our own bytes
    assert repr(version) == "Version('3.2.1')"
    with pytest.raises(AttributeError):
        version._semver = Version.parse("3.2.2")._semver  # type: ignore[misc]  # that it cannot be is the point


def test_a_version_is_not_ordered_against_text() -> None:
    """Comparing with text is an error rather than a surprise: as text, 3.10.0 comes before 3.9.0."""
    with pytest.raises(TypeError):
        _ = Version.parse("3.2.1") < "3.2.2"


def test_models_read_and_write_versions_as_text() -> None:
    """A model takes text or a version, writes text, and its schema says what text it takes."""
    holder = Holder.model_validate({"version": "v3.2.1"})
    assert holder == Holder(version=Version.parse("3.2.1"))
    assert holder.model_dump_json() == '{"version":"3.2.1"}'
    assert Holder.model_validate_json(holder.model_dump_json()) == holder
    assert TypeAdapter(Version).json_schema()["type"] == "string"


@pytest.mark.parametrize("value", ["3.2", 3.2, None, b"3.2.1"], ids=str)
def test_models_refuse_what_is_no_version(value: object) -> None:
    """A number is refused as well: whoever wrote 3.10 without quotes meant no 3.1."""
    with pytest.raises(ValidationError):
        Holder.model_validate({"version": value})


@pytest.mark.requirement("S1")
@pytest.mark.parametrize(
    ("stable", "new", "urgency", "expected"),
    [
        (None, "0.1.0", None, ReleaseType.MAJOR),
        (None, "3.2.1", "hotfix", ReleaseType.MAJOR),
        ("3.2.1", "4.0.0", None, ReleaseType.MAJOR),
        ("3.2.1", "4.0.0", "hotfix", ReleaseType.MAJOR),
        ("3.2.1", "3.3.0", None, ReleaseType.MINOR),
        ("3.2.1", "3.3.0-rc.1", None, ReleaseType.MINOR),
        ("3.2.1", "3.3.0", "hotfix", ReleaseType.MINOR),
        ("3.2.1", "3.2.2", None, ReleaseType.PATCH),
        ("3.3.0-rc.1", "3.3.0-rc.2", None, ReleaseType.PATCH),
        ("3.3.0-rc.2", "3.3.0", None, ReleaseType.PATCH),
        ("3.2.1", "3.2.1", None, ReleaseType.PATCH),
        ("3.2.1", "3.2.2", "hotfix", ReleaseType.HOTFIX),
        ("3.2.1", "3.2.2", "security", ReleaseType.SECURITY),
        ("3.2.1", "3.3.0", "security", ReleaseType.MINOR),
    ],
)
def test_release_type(stable: str | None, new: str, urgency: Urgency | None, expected: ReleaseType) -> None:
    """The first number that differs gives the type; calling it a hotfix makes no release smaller."""
    before = None if stable is None else Version.parse(stable)
    assert release_type(before, Version.parse(new), urgency=urgency) is expected


@pytest.mark.requirement("S1")
@pytest.mark.parametrize(
    ("stable", "new", "expected"),
    [
        (None, "1.0.0", False),
        ("3.2.1", "3.2.1", False),
        ("3.2.1", "3.2.0", True),
        ("3.2.1", "3.2.1-rc.1", True),
        ("3.2.1-rc.1", "3.2.1", False),
        ("3.9.0", "3.10.0", False),
    ],
)
def test_downgrade(stable: str | None, new: str, expected: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """What precedes the running version is a downgrade; the same version again is none."""
    assert is_downgrade(None if stable is None else Version.parse(stable), Version.parse(new)) is expected
