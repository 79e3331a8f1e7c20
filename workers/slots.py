"""The two slots of a service, and how a pod template moves from one to the other. Pure.

Both Deployments are ordinary ones, and neither picks the other's pods: in one label that the Deployment's own
selector and the Service's selector have in common, the second slot has another value. So the Service never
picks pods of both, and an environment that was rolling becomes blue-green without a change to what runs.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from releases.blue_green import Slot
from releases.plan import Json
from workers.cluster import DeploymentSeen, TrafficSeen
from workers.observe import ServiceObserved

LABEL = "buzzy/slot"
"""The label that tells slots apart where both selectors have it; else one that they have does."""

SECOND = "-green"


class NoSlotsError(Exception):
    """A service cannot have two slots. Its text is a sentence, `hint` says what to do."""

    def __init__(self, reason: str, hint: str = "") -> None:
        """Both are for people."""
        super().__init__(reason)
        self.hint = hint


@dataclass(frozen=True)
class Slots:
    """Which label tells a service's slots apart, who has its traffic, and who would get it."""

    label: str
    serving: Slot
    idle: Slot
    match_labels: Mapping[str, str]
    """What the idle slot's Deployment selects its pods by, if it has to be made."""

    def to_idle(self, template: Json) -> Json:
        """A template of the serving slot, for the other."""
        return moved(template, self.label, self.serving.selector[self.label], self.idle.selector[self.label])

    def to_serving(self, template: Json) -> Json:
        """The way back."""
        return moved(template, self.label, self.idle.selector[self.label], self.serving.selector[self.label])


def slots_of(observed: ServiceObserved) -> Slots | None:
    """A service's slots; None when it has no Service, and so no traffic. Raises `NoSlotsError`."""
    traffic, deployment = observed.traffic, observed.deployment
    if traffic is None or deployment is None:
        return None
    if not traffic.picks(deployment.template):
        raise NoSlotsError(
            f"The Service {traffic.name} sends nothing to the pods of {deployment.name}.",
            f"Mend its selector, or name {observed.service.name}'s own in buzzy.yaml (service: …).",
        )
    label = _label(observed, deployment, traffic)
    name = observed.service.deployment
    first = deployment.name == name
    other = observed.service.beside if first else name
    value = deployment.match_labels[label]
    others = f"{value}{SECOND}" if first else value.removesuffix(SECOND)
    if observed.beside is not None:
        others = observed.beside.match_labels.get(label, value)
    if others == value:
        raise NoSlotsError(
            f"The Deployments {deployment.name} and {other} pick the same pods (by {label}).",
            f"Delete {observed.service.beside}, if it has no traffic: the next release makes it anew.",
        )
    return Slots(
        label,
        serving=Slot(deployment=deployment.name, selector=dict(traffic.selector)),
        idle=Slot(deployment=other, selector={**traffic.selector, label: others}),
        match_labels={**deployment.match_labels, label: others},
    )


def moved(template: Json, label: str, value: str, others: str) -> Json:
    """A template whose pods have another value of a label, and look for each other by it."""
    changed = copy.deepcopy(template)
    _exchange(changed, label, value, others)
    return changed


def _exchange(thing: object, label: str, value: str, others: str) -> None:
    match thing:
        case dict():
            for key, inner in thing.items():
                if key in {"labels", "matchLabels"} and isinstance(inner, dict) and inner.get(label) == value:
                    inner[label] = others
                else:
                    _exchange(inner, label, value, others)
        case list():
            for inner in thing:
                _exchange(inner, label, value, others)


def _label(observed: ServiceObserved, deployment: DeploymentSeen, traffic: TrafficSeen) -> str:
    common = sorted(traffic.selector.keys() & deployment.match_labels.keys())
    if not common:
        raise NoSlotsError(
            f"The Service {traffic.name} and the Deployment {deployment.name} pick pods by different labels.",
            "Give the Service's selector a label of the Deployment's selector: slots are told apart by it.",
        )
    labels, beside = deployment.match_labels, observed.beside
    if beside is not None and (
        differ := [key for key in common if beside.match_labels.get(key) != labels[key]]
    ):
        return differ[0]
    named = [key for key in common if labels[key] == deployment.name]
    return LABEL if LABEL in common else (named or common)[0]
