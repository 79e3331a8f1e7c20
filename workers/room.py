"""Whether there is room for the pods that a rollout has beside the old ones, as far as quotas say. Pure.

Services roll out one after the other, so the largest surge of a single service is what has to fit. What a
blue-green release prepares is there all at once. What is free on the nodes is not looked at: to see nodes
takes a right in the whole cluster, which the workers do not have. No quota, no answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal

from releases.checklist import Item, Outcome
from releases.plan import Json, Plan, Prepare
from workers.cluster import DeploymentSeen, QuotaSeen, amounts
from workers.planning.scene import listed

NAME = "capacity"
_MIB = 1024 * 1024

# What a quota calls it → where a container says it. `cpu` and `memory` are short for the requests.
_COUNTED = {
    "requests.cpu": ("requests", "cpu"),
    "cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}
_PODS = {"pods", "count/pods"}


def room(plan: Plan, deployments: Iterable[DeploymentSeen], quotas: Iterable[QuotaSeen]) -> Item:
    """The item of the checklist."""
    seen = {each.name: each for each in deployments}
    counted = [(quota, resource) for quota in quotas if not quota.partial for resource in quota.hard]
    counted = [(quota, resource) for quota, resource in counted if resource in _COUNTED or resource in _PODS]
    if not counted:
        return Item(
            name=NAME,
            outcome=Outcome.UNKNOWN,
            evidence="there is no quota to go by, and what is free on the nodes is not for Buzzy to see",
        )
    short: list[str] = []
    enough: list[str] = []
    unclear: list[str] = []
    for quota, resource in counted:
        free = quota.hard[resource] - quota.used[resource]
        needs, together = _needs(plan, seen, resource)
        unclear += [
            f"{service} does not say its {resource}" for service, need in needs.items() if need is None
        ]
        known = {service: need for service, need in needs.items() if need is not None}
        if not known:
            continue
        who = max(known, key=lambda each: known[each])
        need = sum(known.values(), Decimal(0)) if together else known[who]
        what = "what is prepared" if together else who
        told = f"{resource}: {what} needs {_written(resource, need)} of {_written(resource, free)} free"
        (enough if need <= free else short).append(told)
    if short:
        fix = "raise the quota, or scale something down, and look again"
        return Item(name=NAME, outcome=Outcome.RED, evidence=listed(short), fix=fix)
    if unclear:
        return Item(name=NAME, outcome=Outcome.UNKNOWN, evidence=listed(unclear))
    return Item(name=NAME, outcome=Outcome.GREEN, evidence=listed(enough))


def _needs(
    plan: Plan, seen: Mapping[str, DeploymentSeen], resource: str
) -> tuple[dict[str, Decimal | None], bool]:
    """What each service needs besides what there is, and whether they need it at the same time."""
    prepares = [step for step in plan.steps if isinstance(step, Prepare) and step.like in seen]
    if prepares:
        more = {step.service: _more(seen[step.like], seen.get(step.deployment)) for step in prepares}
        return {step.service: _of(more[step.service], step.new.spec, resource) for step in prepares}, True
    rollouts = [(step, seen[step.deployment]) for step in plan.rollouts() if step.deployment in seen]
    return {step.service: needed(deployment, step.new.spec, resource) for step, deployment in rollouts}, False


def _more(serving: DeploymentSeen, beside: DeploymentSeen | None) -> int:
    """How many pods more there are while a slot is prepared; what is in it already gives its place."""
    if beside is None or not beside.wanted:
        return serving.wanted
    return max(0, serving.wanted - beside.wanted) + surge(beside)


def surge(deployment: DeploymentSeen) -> int:
    """How many pods more than it asks for a rollout may have; Kubernetes rounds shares up."""
    if deployment.strategy == "Recreate":
        return 0
    text = str(deployment.surge)
    if text.endswith("%"):
        return math.ceil(deployment.wanted * int(text[:-1]) / 100)
    return min(int(text), deployment.wanted)


def needed(deployment: DeploymentSeen, template: Json, resource: str) -> Decimal | None:
    """What a Deployment's surge needs of a resource; None when a container does not say."""
    return _of(surge(deployment), template, resource)


def _of(pods: int, template: Json, resource: str) -> Decimal | None:
    if resource in _PODS or not pods:
        return Decimal(pods)
    kind, name = _COUNTED[resource]
    spec = template.get("spec", {})
    each = [_asked(container, kind, name) for container in spec.get("containers", ())]
    first = [_asked(container, kind, name) or Decimal(0) for container in spec.get("initContainers") or ()]
    if any(amount is None for amount in each):
        return None
    together = sum((amount for amount in each if amount is not None), Decimal(0))
    return pods * max(together, *first, Decimal(0))


def _asked(container: Json, kind: str, name: str) -> Decimal | None:
    """What a container asks for; a limit without a request is a request, as Kubernetes has it."""
    resources = container.get("resources") or {}
    wanted = amounts(resources.get(kind) or {})
    if kind == "requests":
        wanted = amounts(resources.get("limits") or {}) | wanted
    return wanted.get(name)


def _written(resource: str, amount: Decimal) -> str:
    if "memory" in resource:
        return f"{float(amount / _MIB):.4g} MiB"
    return f"{float(amount):.4g}"
