"""Names of images, pod templates, and the marks that tell whose they are."""

from __future__ import annotations

import pytest

from tests.unit.workers_things import T0, pod_template, replica_set, seconds, template
from workers import marks
from workers.images import Image
from workers.templates import read_template, replica_set_of


@pytest.mark.parametrize(
    ("text", "repository", "tag", "version"),
    [
        ("buzzybuzz/api:3.2.1", "buzzybuzz/api", "3.2.1", "3.2.1"),
        ("buzzybuzz/api:v3.2.1", "buzzybuzz/api", "v3.2.1", "3.2.1"),
        ("buzzybuzz/api:latest", "buzzybuzz/api", "latest", None),
        ("buzzybuzz/api", "buzzybuzz/api", None, None),
        ("host:5000/api", "host:5000/api", None, None),
        ("host:5000/api:3.2.1", "host:5000/api", "3.2.1", "3.2.1"),
        ("api:3.2.1@sha256:0123", "api", "3.2.1", "3.2.1"),
        ("api@sha256:0123", "api", None, None),
        ("", "", None, None),
    ],
)
def test_an_image_has_a_repository_and_perhaps_a_version(
    text: str, repository: str, tag: str | None, version: str | None
) -> None:
    """The colon of a port is none of a tag's, and a digest says nothing about the version."""
    image = Image.parse(text)
    assert (image.repository, image.tag) == (repository, tag)
    assert (None if image.version is None else str(image.version)) == version
    assert image.digest == (text.partition("@")[2] or None)
    assert str(image) == text


@pytest.mark.parametrize(
    ("image", "repository", "same"),
    [
        ("buzzybuzz/api:1.0.0", "buzzybuzz/api", True),
        ("docker.io/buzzybuzz/api:1.0.0", "buzzybuzz/api", True),
        ("nginx", "docker.io/library/nginx", True),
        ("ghcr.io/buzzybuzz/api:1.0.0", "buzzybuzz/api", False),
    ],
)
def test_repositories_are_the_same_however_long_they_are_written(
    image: str, repository: str, *, same: bool
) -> None:
    """Runtimes complete short names with the default registry's."""
    assert Image.parse(image).is_of(repository) is same


def test_a_template_without_the_container_has_no_version() -> None:
    """An old revision may have had its container under another name."""
    read = read_template(pod_template("web", "1.0.0"), "api", 3)
    assert (read.image, read.version, read.revision) == ("", None, 3)


def test_of_two_replica_sets_with_one_template_the_older_runs_it() -> None:
    """As Kubernetes' own controller chooses."""
    newer = replica_set("api", "3.2.0", 2, created_at=T0 + seconds(9))
    older = replica_set("api", "3.2.0", 4, created_at=T0)
    other = replica_set("api", "3.1.4", 1, created_at=T0 - seconds(9))
    assert replica_set_of(pod_template("api", "3.2.0"), [newer, older, other]) == older
    assert replica_set_of(pod_template("api", "9.9.9"), [newer, older, other]) is None


@pytest.mark.requirement("D4")
def test_a_mark_is_about_one_template() -> None:
    """Kubernetes copies annotations to whatever comes next; then the mark must not speak for it."""
    ours, others = pod_template("api", "3.2.0"), pod_template("api", "3.2.1")
    annotations = marks.marks("R42", template("api", "3.2.0"), "R42: 3.1.4 → 3.2.0 by alice")
    assert marks.made_by(annotations, ours) == "R42"
    assert marks.cause_of(annotations, ours) == "R42: 3.1.4 → 3.2.0 by alice"
    assert marks.made_by(annotations, others) is None
    assert marks.cause_of(annotations, others) is None


@pytest.mark.requirement("D4")
def test_what_a_person_says_about_a_change_is_kept() -> None:
    """`kubectl annotate … kubernetes.io/change-cause` is the team's own word, beside ours or without it."""
    said = {marks.CAUSE: "hotfix by hand"}
    assert marks.cause_of(said, pod_template("api", "3.2.1")) == "hotfix by hand"
    ours = marks.marks("R42", template("api", "3.2.0"), "R42: 3.1.4 → 3.2.0 by alice")
    assert marks.cause_of({**ours, **said}, pod_template("api", "3.2.1")) == "hotfix by hand"
