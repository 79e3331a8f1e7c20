"""A plan to read: every step, the object diff, the way back. What a dry run and the Plan button show."""

from __future__ import annotations

from bot.messages import wording
from bot.messages.checklist import rows_of
from bot.messages.parts import (
    NAME,
    SENTENCE,
    Message,
    Piece,
    Row,
    bold,
    clip,
    code,
    count,
    lines,
    message,
    monospace,
)
from bot.messages.thread import NO_WAY_BACK, stays_piece, step_lines, step_statuses
from releases.database import Backup, Migrate, Migration, Restore, Task
from releases.lifecycle import Release
from releases.monitoring import amount
from releases.plan import (
    EnsureConfiguration,
    EnsureFiles,
    Follow,
    Plan,
    Prepare,
    RollOut,
    Switch,
    Template,
    template_diff,
)
from releases.validation import HttpCheck, MetricCheck, PersonCheck, Validate

STEPS, DIFF = 2_000, 2_800
MOST_WARNINGS = 8


def plan_message(plan: Plan, *, copy: str | None = None) -> Message:
    """A dry run's answer. `copy` is the line that would do it."""
    change = f"{clip(plan.stable, NAME)} → {clip(plan.new, NAME)}"
    title = f"{plan.application} {change} in {clip(plan.environment, NAME)}"
    return message(
        f"Plan: {title}",
        lines([bold(f"🗺️ Plan #{plan.short_digest}: {title}")], _about(plan)),
        monospace(step_lines(plan.steps), at_most=STEPS),
        *_details(plan),
        lines(["Nothing was changed. To do it:"], [code(clip(copy, SENTENCE))]) if copy else None,
    )


def release_plan_message(release: Release, plan: Plan) -> Message:
    """The plan of a release, with how far each of its steps has come."""
    return message(
        f"Plan of {release.id}",
        lines([bold(f"🗺️ Plan #{plan.short_digest} of {release.id}")], _about(plan)),
        monospace(step_statuses(release), at_most=STEPS),
        *_details(plan),
    )


def _about(plan: Plan) -> Row:
    kind = plan.type.value if plan.type else plan.kind
    return [
        f"{kind} · {plan.strategy} · {count(len(plan.steps), 'step')}",
        f" · namespace {clip(plan.namespace, NAME)}",
    ]


def _details(plan: Plan) -> list[Piece | None]:
    back = monospace(step_lines(plan.way_back()), at_most=STEPS)
    warnings: list[Row] = [[f"⚠️ {clip(warning, SENTENCE)}"] for warning in plan.warnings[:MOST_WARNINGS]]
    return [
        lines([bold("What changes")]),
        monospace(_diff(plan), at_most=DIFF)
        or lines(["nothing" if plan.kind == "drill" else "nothing: everything is so already"]),
        lines([bold("Way back"), wording.when_back(plan)]),
        back or lines([NO_WAY_BACK[plan.kind]]),
        stays_piece(plan),
        lines([bold("Checklist")], *rows_of(plan.checklist)) if plan.checklist else None,
        lines(*warnings) if warnings else None,
    ]


def _diff(plan: Plan) -> list[str]:
    """What each object changes. Values of the configuration are not shown: some are nobody's business."""
    rows: list[str] = []
    for step in plan.steps:
        match step:
            case EnsureConfiguration():
                rows += [
                    f"ConfigMap {step.name}: {count(len(step.data), 'variable')} ({', '.join(step.data)})"
                ]
            case EnsureFiles():
                what = "the same files as now" if not step.changes else count(len(step.files), "file")
                rows += [f"ConfigMap {step.name}: {what}, from {step.folder}"]
                rows += [f"  {change}" for change in step.changes]
            case Backup():
                rows.append(f"Database: a backup by {step.task.image}")
            case Migrate():
                rows.append(f"Database: {step.direction} by {step.task.image}")
                rows += [f"  {each}: {_undone(each)}" for each in step.migrations]
            case Restore():
                rows.append(f"Database: {step.title}, by {step.task.image}")
            case Validate():
                rows.append(f"Suite {step.suite}: {_how(step)}")
            case Prepare(stable=None):
                like = next(each for each in plan.rollouts() if each.service == step.service)
                changes = template_diff(like.stable.spec, step.new.spec)
                made = f"Deployment {step.deployment}: made like {step.like}, but for"
                rows += [made, *(f"  {change}" for change in changes)]
            case RollOut(stable=Template() as stable) | Prepare(stable=Template() as stable):
                changes = template_diff(stable.spec, step.new.spec)
                rows += [f"Deployment {step.deployment}", *(f"  {change}" for change in changes)]
            case Switch():
                labels = template_diff(step.leaves.selector, step.to.selector)
                rows += [f"Service {step.name}", *(f"  spec.selector.{label}" for label in labels)]
            case Follow():
                rows += [
                    f"HorizontalPodAutoscaler {step.name}",
                    f"  spec.scaleTargetRef.name: {step.leaves} → {step.to}",
                ]
    return rows


def _how(suite: Validate) -> str:
    """What a suite runs or asks."""
    match suite:
        case Validate(http=HttpCheck(url=url)):
            return url
        case Validate(metric=MetricCheck() as check):
            return f"{check.name}, {_within(check)}"
        case Validate(person=PersonCheck(question=question)):
            return f"a person answers: {question}"
        case Validate(job=Task(image=image)):
            return f"{image}, with the newest backup" if suite.backup is not None else image
        case _:
            return "nothing"


def _within(check: MetricCheck) -> str:
    if check.at_least is not None:
        return f"at least {amount(check.at_least, check.unit)}"
    return f"at most {amount(check.at_most, check.unit)}" if check.at_most is not None else "any value"


def _undone(migration: Migration) -> str:
    if migration.reversible:
        return "can be undone"
    return "cannot be undone" + (", the version before runs with it" if migration.compatible else "")
