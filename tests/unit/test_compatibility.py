"""The compatibility matrix: each row admitted and refused at its boundary; what is not known is neither."""

from __future__ import annotations

import pytest

from releases.checklist import Item, Outcome
from releases.compatibility import InvalidRange, Row, check_range, fits, row_of
from releases.version import Version
from workers.compatible import Found, judge, node_version
from workers.planning import Refused
from workers.registry import ImageConfiguration

MATRIX = (
    Row("3.2.x", {"mongodb": ">=4.4", "kubernetes": ">=1.18", "node": "14.x"}),
    Row("3.1.x", {"mongodb": ">=4.2", "kubernetes": ">=1.16", "node": "14.x"}),
    Row("3.0.x", {"mongodb": ">=4.2", "kubernetes": ">=1.16", "node": "12.x"}),
)
FITS = {"mongodb": "7.0.1", "kubernetes": "v1.29.4"}
NODE = {"3.2.1": "14.21.3", "3.1.4": "14.21.3", "3.0.9": "12.22.0"}


@pytest.mark.requirement("V6")
@pytest.mark.parametrize(
    ("version", "what", "admitted", "refused"),
    [
        ("3.2.1", "mongodb", "4.4", "4.3.9"),
        ("3.2.1", "kubernetes", "v1.18.0", "v1.17.17"),
        ("3.2.1", "node", "14.21", "16.0"),
        ("3.2.1", "node", "14.0.0", "13.14.0"),
        ("3.1.4", "mongodb", "4.2.0", "4.1.13"),
        ("3.1.4", "kubernetes", "v1.16.0-gke.3", "v1.15.12-gke.20"),
        ("3.1.4", "node", "v14.21.3", "v15.0.0"),
        ("3.0.9", "mongodb", "4.2.0", "4.2.0-rc.8"),
        ("3.0.9", "kubernetes", "v1.16.0", "v1.16.0-beta.2"),
        ("3.0.9", "node", "12.22.12", "14.0.0"),
    ],
)
def test_each_row_is_held_to_at_its_boundary(version: str, what: str, admitted: str, refused: str) -> None:
    """What does not fit is refused with the row, what it needs and what runs; the first that fits goes."""
    asked = Version.parse(version)
    row = row_of(MATRIX, asked)
    assert row is not None
    around = {**FITS, "node": NODE[version]}

    def found(changed: str) -> list[Found]:
        return [
            Found(each, changed if each == what else runs, where="main" if each == "node" else "")
            for each, runs in around.items()
        ]

    good = judge(asked, row, found(admitted), stops=True)
    assert isinstance(good, Item)
    assert good.outcome is Outcome.GREEN
    bad = judge(asked, row, found(refused), stops=False)
    assert isinstance(bad, Refused)
    assert row.needs[what] in bad.reason
    assert refused in bad.reason
    assert row.versions in bad.hint


@pytest.mark.requirement("V6")
@pytest.mark.parametrize("stops", [True, False])
def test_what_could_not_be_found_out_is_another_answer_than_a_mismatch(*, stops: bool) -> None:
    """It is shown with its reason; whether it stops the release is the environment's to say."""
    version = Version.parse("3.2.1")
    found = [Found("mongodb", why="MongoDB does not answer"), Found("kubernetes", "v1.29.4")]
    item = judge(version, MATRIX[0], found, stops=stops)
    assert isinstance(item, Item)
    assert (item.outcome, item.blocks) == (Outcome.UNKNOWN, stops)
    assert item.evidence == "MongoDB: MongoDB does not answer"
    odd = judge(version, MATRIX[0], [Found("mongodb", "latest")], stops=stops)
    assert isinstance(odd, Item)
    assert odd.outcome is Outcome.UNKNOWN
    # A mismatch beside it is still a mismatch.
    assert isinstance(
        judge(version, MATRIX[0], [*found, Found("node", "16.0.0", where="main")], stops=stops), Refused
    )


@pytest.mark.requirement("V6")
def test_a_version_without_a_row_is_not_known() -> None:
    """The matrix does not say what it needs."""
    version = Version.parse("4.0.0")
    assert row_of(MATRIX, version) is None
    item = judge(version, None, (), stops=True)
    assert isinstance(item, Item)
    assert item.blocks
    assert item.evidence == "the matrix of buzzy.yaml has no row for 4.0.0"


def test_a_pre_release_is_in_the_row_of_the_version_that_it_will_be() -> None:
    """3.2.0-rc.1 needs what 3.2.0 needs; of two rows, the first of the file counts."""
    assert row_of(MATRIX, Version.parse("3.2.0-rc.1")) is MATRIX[0]
    assert row_of((Row("3.x", {}), *MATRIX), Version.parse("3.2.0")) == Row("3.x", {})


@pytest.mark.parametrize(
    ("wanted", "running", "fit"),
    [
        (">= 4.4", "4.4.0", True),
        ("4.4+", "5.0", True),
        ("4.4+", "4.3.99", False),
        (">=4.4, <7", "6.0.9", True),
        (">=4.4 <7", "7.0.0", False),
        ("12.x || 14.x", "13.0.0", False),
        (">=1.18", "v1.19.0-alpha.1", True),
        (">=1.18", "v1.18.0-alpha.1", False),
        ("14.x", "14.0.0-rc.1", False),
        (">=1.18", "1.18+", True),
        (">=4.2", "4.2", True),
        (">=4.2.5", "4.2", None),
        ("14.x", "14", True),
        (">=4.4", "lts", None),
        (">=4.4", "", None),
    ],
)
def test_ranges_are_read_as_npm_writes_them(wanted: str, running: str, *, fit: bool | None) -> None:
    """And with the plus of the table that people know; what says no version is neither in nor out."""
    assert fits(wanted, running) is fit


@pytest.mark.parametrize("text", ["latest", ">=x.y", "4.4.4.4", "=>4"])
def test_what_is_no_range_is_refused(text: str) -> None:
    """When the configuration is read, not at a release."""
    with pytest.raises(InvalidRange):
        check_range(text)


@pytest.mark.requirement("V6")
@pytest.mark.parametrize(
    ("env", "labels", "version"),
    [
        ({"NODE_VERSION": "14.21.3"}, {}, "14.21.3"),
        ({}, {"org.nodejs.version": "14.21.3"}, "14.21.3"),
        ({}, {"org.opencontainers.image.base.name": "docker.io/library/node:14.21-alpine"}, "14.21"),
        ({}, {"org.opencontainers.image.base.name": "docker.io/library/debian:12"}, None),
        ({}, {}, None),
    ],
)
def test_an_image_says_which_node_it_has(
    env: dict[str, str], labels: dict[str, str], version: str | None
) -> None:
    """As Node's own images do, or by a label."""
    assert node_version(ImageConfiguration(env, labels)) == version
