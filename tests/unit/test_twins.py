"""What is asked of a standby, and how it is found to differ."""

from __future__ import annotations

import pytest

from releases.plan import Expected
from releases.twins import Twin, differences, expected_of
from tests.unit.bot_tales import seen

SERVICES = ("main", "api")
ONE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def twin(service: str = "main", image: str = "buzzy/main:3.2.1", pods: int = 3, *names: str) -> Twin:
    """A service as it runs."""
    return Twin(seen(service, pods, total=pods).model_copy(update={"image": image}), frozenset(names))


def asked(*leading: Twin, smaller: bool = False, soaking: bool = False) -> tuple[Expected, ...]:
    """What production asks of its standby."""
    return expected_of(leading, SERVICES, smaller=smaller, soaking=soaking)


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    ("own", "lacks"),
    [
        (twin(), ()),
        (twin(image="mirror.example.com/buzzy/main:3.2.1"), ()),
        (twin(image="buzzy/main:3.2.0"), ("main has 3.2.0, production has 3.2.1",)),
        (twin(image="buzzy/main"), ("main has no version, production has 3.2.1",)),
        (twin(pods=1), ("main asks for 1 pod, production for 3",)),
        (twin(pods=5), ()),
        (twin(image=""), ("main is not there",)),
    ],
    ids=["the same", "from a mirror", "older", "untagged", "smaller", "larger", "missing"],
)
def test_versions_and_pods_are_compared(own: Twin, lacks: tuple[str, ...]) -> None:
    """Each difference in words of its own; more pods than asked are no lack."""
    assert differences(asked(twin()), [own], "production") == lacks


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    ("own", "other", "says"), [(ONE, ONE, 0), (OTHER, ONE, 1), ("", ONE, 0), (ONE, "", 0)]
)
def test_the_same_tag_may_be_another_image(own: str, other: str, says: int) -> None:
    """Digests count where both have one: an image that nobody pinned says nothing."""
    image = "buzzy/main:3.2.1"
    ours, theirs = (twin(image=f"{image}@{digest}".rstrip("@")) for digest in (own, other))
    found = differences(asked(theirs), [ours], "production")
    assert len(found) == says
    assert all("another image of 3.2.1" in each for each in found)


@pytest.mark.requirement("S3")
def test_names_of_the_configuration_are_compared_and_values_are_not() -> None:
    """The standby has a database of its own; but it has to be told of one."""
    leading = asked(twin("main", "buzzy/main:3.2.1", 3, "DATABASE", "LOG_LEVEL"))
    full = twin("main", "buzzy/main:3.2.1", 3, "LOG_LEVEL", "DATABASE", "REGION")
    part = twin("main", "buzzy/main:3.2.1", 3, "LOG_LEVEL")
    assert differences(leading, [full], "production") == ()
    assert differences(leading, [part], "production") == ("main has no DATABASE, which production has",)
    lost = Twin(part.seen, frozenset(), ("buzzy-configuration-1",))
    assert differences(leading, [lost], "production") == (
        "the ConfigMap buzzy-configuration-1 of main is not there",
    )


@pytest.mark.requirement("S3")
def test_what_soaks_and_what_may_be_smaller_is_not_asked() -> None:
    """While a version soaks its images and configuration are no drift; pods are asked for all the same."""
    leading = twin("main", "buzzy/main:3.2.1", 3, "DATABASE")
    behind = twin("main", "buzzy/main:3.2.0", 1)
    soaking = asked(leading, soaking=True)
    assert differences(soaking, [behind], "production") == ("main asks for 1 pod, production for 3",)
    small = asked(leading, soaking=True, smaller=True)
    assert differences(small, [behind], "production") == ()


def test_what_the_standby_is_not_to_have_is_not_asked() -> None:
    """A standby may have some of the services; one that production lacks is not production's to ask."""
    leading = asked(twin("main"), twin("worker"), twin("api", image=""))
    assert [each.service for each in leading] == ["main"]
