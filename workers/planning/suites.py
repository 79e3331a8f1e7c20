"""The suites of an environment in a plan: before anything is changed, and behind the services. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from releases.checklist import Item, Outcome
from releases.config import Config, Environment, Suite
from releases.monitoring import Monitor
from releases.plan import Keep, Plan, Switch
from releases.presets import PresetName
from releases.validation import HttpCheck, PersonCheck, Validate
from workers.planning.database import task_of
from workers.planning.scene import Scene

Images = Mapping[str, str]
"""Suite → the image of the version that it runs, where the configuration names none."""


def with_suites(scene: Scene, plan: Plan, images: Images) -> Plan:
    """The plan with its suites; of those before all it has the Jobs, the others are on its checklist.

    What a blue-green release prepares has suites of its own to pass before it gets traffic. Those behind the
    release come before it is watched, and what had the traffic is kept until they have passed.
    """
    config, environment = scene.config, scene.environment
    steps_for = partial(steps_of, config, environment, version=plan.new, images=images)
    before = [each for each in steps_for(environment.before) if each.job is not None]
    behind = steps_for(environment.validate_with)
    last = next((i for i, step in enumerate(plan.steps) if isinstance(step, Monitor | Keep)), len(plan.steps))
    first = next((i for i, step in enumerate(plan.steps) if isinstance(step, Switch)), None)
    served = plan.steps[:last]
    if first is not None:
        prepared = steps_for(environment.blue_green.validate_with)
        served = (*plan.steps[:first], *prepared, *plan.steps[first:last])
    steps = (*before, *served, *behind, *plan.steps[last:])
    return plan.model_copy(update={"steps": steps})


def gates(scene: Scene, version: str) -> dict[str, HttpCheck]:
    """The answers that have to be good before a release of this version starts."""
    wanted = steps_of(scene.config, scene.environment, scene.environment.before, version, {})
    return {each.suite: each.http for each in wanted if each.http is not None}


def steps_of(
    config: Config, environment: Environment, names: Iterable[str], version: str, images: Images
) -> tuple[Validate, ...]:
    """A step for each suite."""
    prometheus = config.prometheus_of(environment)
    queries = {} if prometheus is None else prometheus.queries
    return tuple(_step(name, config.suites[name], version, images, queries) for name in names)


def own_images(config: Config, names: Iterable[str]) -> dict[str, str]:
    """The repositories of suites whose image has the version as its tag, by suite."""
    found = {}
    for name in names:
        job = config.suites[name].job
        if job is not None and job.of_version:
            found[name] = job.image
    return found


def gate(name: str, good: bool, said: str) -> Item:  # noqa: FBT001 - it is what was found
    """Such an answer as an item of the checklist."""
    if good:
        return Item(name=f"suite {name}", outcome=Outcome.GREEN, evidence=said)
    return Item(
        name=f"suite {name}", outcome=Outcome.RED, evidence=said, fix="when it has passed, look again"
    )


def _step(
    name: str, suite: Suite, version: str, images: Images, queries: Mapping[PresetName, str]
) -> Validate:
    job, http, person = suite.job, suite.http, suite.person
    return Validate(
        suite=name,
        version=version,
        job=None if job is None else task_of(job, images.get(name, job.image)),
        http=None
        if http is None
        else HttpCheck(
            url=http.url.format(version=version),
            status=http.status,
            field=http.field,
            equals=http.equals,
            at_least=http.at_least,
            at_most=http.at_most,
            deadline_seconds=int(http.deadline.total_seconds()),
        ),
        person=None
        if person is None
        else PersonCheck(
            question=person.question.format(version=version),
            by=person.by,
            expires_seconds=int(person.expires.total_seconds()),
        ),
        metric=None if suite.metric is None else suite.metric.check(queries),
        backup=None if job is None else job.backup,
    )
