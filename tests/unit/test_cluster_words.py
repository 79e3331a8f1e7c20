"""Quantities, selectors, ages and tags are read and written as Kubernetes does."""

import pytest

from sandbox.cluster.api.tables.column import human_duration
from sandbox.cluster.behaviour import Behaviours, tag_of
from sandbox.cluster.controllers.kubelet.status import full_name, image_id
from sandbox.cluster.errors import ApiError
from sandbox.cluster.kinds.podspec import pull_policy
from sandbox.cluster.quantities import canonical_quantity, int_or_percent
from sandbox.cluster.resources import EVENTS, PODS
from sandbox.cluster.selectors import parse_selection


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1.5", "1500m"),
        ("1024Mi", "1Gi"),
        ("1500Mi", "1500Mi"),
        ("1000000", "1M"),
        ("0", "0"),
        ("1e3", "1k"),
        (2, "2"),
    ],
)
def test_quantities_have_one_form(written: object, canonical: str) -> None:
    """What a client writes in many ways is given back in one."""
    assert canonical_quantity(written) == canonical


def test_what_is_no_quantity_is_refused() -> None:
    """The message is the API server's."""
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        canonical_quantity("abc")


@pytest.mark.parametrize(
    ("value", "round_up", "expected"),
    [(2, True, 2), ("25%", True, 3), ("25%", False, 2), ("0%", True, 0)],
)
def test_counts_can_be_percentages(value: object, round_up: bool, expected: int) -> None:  # noqa: FBT001 - a column of the table
    """A percentage of ten, rounded as asked."""
    assert int_or_percent(value, 10, round_up=round_up) == expected


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (11_100, "3h5m"),
        (100_000, "27h"),
        (180_000, "2d2h"),
        (864_000, "10d"),
        (86_400 * 800, "2y70d"),
    ],
)
def test_ages_are_short(seconds: float, shown: str) -> None:
    """Two units while it is short, one when it is long."""
    assert human_duration(seconds) == shown


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ("app=web", {"app": "web"}, True),
        ("app==web,tier!=db", {"app": "web"}, True),
        ("app in (web, api)", {"app": "api"}, True),
        ("app notin (web)", {}, True),
        ("app", {}, False),
        ("!app", {}, True),
        ("app in (web),tier", {"app": "web"}, False),
    ],
)
def test_label_selectors(selector: str, labels: dict[str, str], matches: bool) -> None:  # noqa: FBT001 - a column of the table
    """Equality, sets and presence."""
    chosen = parse_selection(PODS, selector, "").matches({"metadata": {"labels": labels}})
    assert chosen is matches


def test_field_selectors_are_few() -> None:
    """Fields that are known select; others are refused by name."""
    pod = {"metadata": {"name": "p"}, "spec": {}, "status": {"phase": "Running"}}
    assert parse_selection(PODS, "", "status.phase=Running,metadata.name!=q").matches(pod)
    event = {"metadata": {}, "involvedObject": {"name": "web", "kind": "Deployment"}, "type": "Warning"}
    assert parse_selection(EVENTS, "", "involvedObject.name=web,type=Warning").matches(event)
    with pytest.raises(ApiError, match=r"field label not supported: spec\.hostname"):
        parse_selection(PODS, "", "spec.hostname=x")


@pytest.mark.parametrize(
    ("image", "tag", "policy"),
    [
        ("buzzybuzz/buzzy-main:3.2.1", "3.2.1", "IfNotPresent"),
        ("registry.example.com:5000/buzzy", "latest", "Always"),
        ("buzzy:latest", "latest", "Always"),
        ("buzzy:3.2.1@sha256:abc", "3.2.1", "IfNotPresent"),
        ("buzzy@sha256:abc", "latest", "IfNotPresent"),
    ],
)
def test_tags_of_images(image: str, tag: str, policy: str) -> None:
    """A port of a registry is no tag; a digest never moves."""
    assert (tag_of(image), pull_policy(image)) == (tag, policy)


def test_identities_of_images() -> None:
    """A digest is kept, a made-up one is the same each time, and the registry is spelled out."""
    assert image_id("buzzybuzz/main:3.2.1@sha256:abc") == "docker.io/buzzybuzz/main@sha256:abc"
    assert image_id("a/b:1") == image_id("a/b:1") != image_id("a/b:2")
    assert full_name("nginx") == "docker.io/library/nginx"
    assert full_name("registry.example.com/a/b:1") == "registry.example.com/a/b:1"


@pytest.mark.parametrize(
    ("image", "once", "name"),
    [
        ("b/m:3.2.1", False, "ready"),
        ("b/m:3.2.2-never-ready", False, "never-ready"),
        ("b/m:3.2.2-crash", False, "crash"),
        ("b/m:fail", True, "fail"),
        ("b/m:3.3.0", False, "crash"),
        ("b/m:x@sha256:bad", False, "oom"),
        ("b/api:3.2.1", False, "slow"),
    ],
)
def test_behaviours_of_images(image: str, once: bool, name: str) -> None:  # noqa: FBT001 - a column of the table
    """The table is asked first, by image, digest and tag; then the tag speaks for itself."""
    table = {"3.3.0": "crash", "sha256:bad": "oom", "b/api:3.2.1": "slow"}
    assert Behaviours(table).of(image, runs_once=once).name == name


def test_what_runs_once_comes_to_an_end() -> None:
    """An ordinary image in a job ends well; one that is never ready never ends."""
    behaviours = Behaviours()
    assert behaviours.of("b/m:3.2.1", runs_once=True).ends_after is not None
    assert behaviours.of("b/m:3.2.1-never-ready", runs_once=True).ends_after is None
