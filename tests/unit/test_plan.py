"""The plan: its digest, its way back, and the diff that people read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.plan import EnsureConfiguration, Plan, RollOut, Template, Verify, template_diff, way_back


def template(version: str, **extra: Any) -> Template:  # noqa: ANN401 - any JSON
    """A pod template of one container."""
    image = f"buzzybuzz/buzzy-api:{version}"
    spec = {"spec": {"containers": [{"name": "buzzy-api", "image": image}], **extra}}
    return Template(image=image, version=version, revision=None, spec=spec)


def rollout(service: str = "buzzy-api", stable: str = "3.2.0", new: str = "3.2.1") -> RollOut:
    """A step from one version to another."""
    return RollOut(
        service=service,
        deployment=service,
        container=service,
        stable=template(stable),
        new=template(new),
        deadline_seconds=300,
    )


def plan(*steps: Any, **fields: Any) -> Plan:  # noqa: ANN401 - steps and fields as the plan has them
    """A plan for staging."""
    known = {
        "kind": "release",
        "application": "buzzy",
        "environment": "staging",
        "namespace": "buzzy-staging",
        "strategy": "rolling",
        "stable": "3.2.0",
        "new": "3.2.1",
    }
    return Plan(steps=steps, **{**known, **fields})


def test_same_content_has_the_same_digest_through_json() -> None:
    """A plan that went through the record and back is still the plan that was approved."""
    there = plan(EnsureConfiguration(name="c", data={"B": "2", "A": "1"}), rollout())
    back = Plan.model_validate_json(there.model_dump_json())
    assert back == there
    assert back.digest == there.digest
    assert there.short_digest == there.digest[:4]


@pytest.mark.parametrize(
    "other",
    [
        plan(rollout(new="3.2.2")),
        plan(rollout("buzzy-main")),
        plan(rollout(), namespace="buzzy-production"),
        plan(rollout(), warnings=("changed outside Buzzy",)),
        plan(rollout(), rollout("buzzy-main")),
        plan(),
    ],
    ids=["version", "service", "namespace", "warning", "one more step", "no step"],
)
def test_any_difference_gives_another_digest(other: Plan) -> None:
    """Whatever people could have decided differently on changes the digest."""
    assert plan(rollout()).digest != other.digest


def test_the_way_back_undoes_rollouts_in_reverse_and_verifies() -> None:
    """The way back of two services goes through them backwards, and looks at both at its end."""
    main, api = rollout("buzzy-main"), rollout("buzzy-api")
    back = way_back((EnsureConfiguration(name="c", data={}), main, api, Verify(deployments={}, names={})))
    assert [(s.service, s.stable.version, s.new.version) for s in back if isinstance(s, RollOut)] == [
        ("buzzy-api", "3.2.1", "3.2.0"),
        ("buzzy-main", "3.2.1", "3.2.0"),
    ]
    last = back[-1]
    assert isinstance(last, Verify)
    assert set(last.deployments) == {"buzzy-main", "buzzy-api"}
    assert last.deployments["buzzy-main"] == main.stable.digest


def test_nothing_done_needs_no_way_back() -> None:
    """Where nothing was changed there is nothing to undo and nothing to verify."""
    assert way_back(()) == ()
    assert way_back((EnsureConfiguration(name="c", data={}),)) == ()


def test_a_step_undone_twice_is_the_step() -> None:
    """Going back and going back again is going on: no information is lost on the way."""
    step = rollout()
    once = step.undo()
    assert isinstance(once, RollOut)
    assert once != step
    assert once.undo() == step


def test_the_diff_names_what_changes_and_nothing_else() -> None:
    """Containers are matched by name, so a diff line is one that a person can find in the manifest."""
    before = {
        "spec": {
            "containers": [{"name": "api", "image": "api:1", "env": [{"name": "A", "value": "1"}]}],
            "nodeSelector": {"disk": "ssd"},
        }
    }
    after = {
        "spec": {
            "containers": [
                {"name": "api", "image": "api:2", "env": [{"name": "A", "value": "1"}], "stdin": True}
            ]
        }
    }
    assert template_diff(before, after) == (
        "spec.containers[api].image: api:1 → api:2",
        "spec.containers[api].stdin: + true",
        "spec.nodeSelector.disk: - ssd",
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), JSON, max_size=4))
def test_equal_templates_have_no_diff(value: dict[str, Any]) -> None:
    """Whatever the template, it does not differ from itself."""
    assert template_diff(value, value) == ()
