"""How a blue-green release goes about it: the same change as in a rolling one, made beside what runs.

A service has two slots, each an ordinary Deployment: the one that buzzy.yaml names, and `<name>-green`, which
is made like it when it is first needed. One of them has the Service's traffic, the other is scaled to 0 or
stands by. Which is which, the Service's selector says, and nothing else: no colour is fixed to a name. The
pods differ in the value of one label that both the Deployment's and the Service's selector have (see
`workers.slots`), so neither Deployment picks the other's pods, what runs need not be changed to begin with,
and an environment may be rolling again at any time: then the Deployment that has the traffic is rolled out.

The steps, each of which looks before it writes and may be run again after a crash:

1. configuration, as ever;
2. *prepare* each service: its idle slot gets the new template and as many pods as the serving one has, and is
   waited for. It gets no requests. (Undone: it is scaled to 0 a little later.)
3. *preview*: a Service `<name>-preview` for each, which picks the pods that were prepared.
4. *validate*: all that was prepared is looked at once more, together, before it gets traffic. What else is to
   be tried first has its place here, between 3 and 5.
5. *switch* each service, in the declared order: one write of its Service's selector, which names the version
   that was read. (Undone: one write as well.)
   What else looks at the pods of a service goes along: its autoscaler *follows* the traffic.
6. *watch* all of it with its traffic for a while; where the environment has a monitor, that one watches. If
   anything fails from 2 to 6, the release turns back by itself.
7. *keep* what had the traffic, for the delay: the Deployment says until when. The release has ended then, and
   nothing is held; whoever looks after that time scales it to 0 (`workers.tidying`). Until then a rollback is
   the same plan the other way round, and finds its pods standing by.

A service without a Service has no traffic to switch: it is rolled out in place, after the others' switch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from releases.blue_green import Follow, Keep, Look, Prepare, Preview, Switch, VerifyGreen, Watch
from releases.plan import Change, RollOut, Step, verification
from workers.planning.monitoring import monitor
from workers.planning.scene import Ready, Refused, Scene, listed
from workers.slots import NoSlotsError, Slots, slots_of
from workers.templates import read_template

PREVIEW = "-preview"


@dataclass(frozen=True)
class Ways:
    """The steps that carry out a change, and what approvers should know about them."""

    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()


def blue_green(
    scene: Scene, services: Iterable[Ready], rollouts: list[RollOut], *, back: bool = False
) -> Ways | Refused:
    """The steps that do beside what runs what `rollouts` would do in its place, or why they cannot be.

    A rollback (`back`) needs no preview, and does not watch for long what has run before.
    """
    ready = {each.name: each for each in services}
    prepares: list[Prepare] = []
    switches: list[Switch] = []
    in_place: list[RollOut] = []
    follows: list[Follow] = []
    uncovered: list[str] = []
    for rollout in rollouts:
        service = ready[rollout.service]
        traffic = service.observed.traffic
        try:
            slots = slots_of(service.observed)
        except NoSlotsError as error:
            return Refused(str(error), error.hint)
        if slots is None or traffic is None:
            in_place.append(rollout)
            continue
        autoscaler = scene.autoscaler_of(slots.serving.deployment)
        if autoscaler is not None:
            follows.append(_follow(service.name, autoscaler.name, slots))
        least = 0 if autoscaler is None else autoscaler.at_least
        prepares.append(_prepare(service, slots, rollout, least))
        uncovered += _uncovered(scene, service, slots)
        switches.append(_switch(traffic.name, slots, rollout, prepares[-1]))
    if not switches:
        return Refused(
            f"There is no Service of {listed(list(ready))} in {scene.environment.namespace}: "
            "there is no traffic that could be switched.",
            "Release it with `--strategy rolling`, or name the Services in buzzy.yaml (service: …).",
        )
    how = scene.environment.blue_green
    changes: list[Change] = [*switches, *in_place]
    steps: list[Step] = [*prepares]
    if how.preview and not back:
        steps.append(Preview(looks=tuple(_look(step) for step in switches)))
    steps += [VerifyGreen(**_standing(prepares)), *changes, *follows]
    watched = None if back else monitor(scene, changes)
    if watched is not None:
        steps += [verification(changes), watched]
    elif back:
        steps.append(verification(changes))
    else:
        steps.append(Watch(seconds=int(how.monitor.total_seconds()), **_standing(changes)))
    delay = int(how.delay.total_seconds())
    for each in switches:
        steps.append(Keep(service=each.service, deployment=each.leaves.deployment, seconds=delay))
    return Ways(tuple(steps), (*_warnings(in_place), *uncovered))


def _standing(steps: Iterable[Prepare | Change]) -> _Standing:
    """What has to run when these steps are done, by service: the template's digest, the Deployment's name."""
    known = tuple(steps)
    return {
        "deployments": {step.service: step.new.digest for step in known},
        "names": {step.service: step.deployment for step in known},
    }


class _Standing(TypedDict):
    deployments: dict[str, str]
    names: dict[str, str]


def _prepare(ready: Ready, slots: Slots, rollout: RollOut, at_least: int) -> Prepare:
    beside, container = ready.observed.beside, rollout.container
    stable = None if beside is None else read_template(beside.template, container, beside.revision)
    new = read_template(slots.to_idle(rollout.new.spec), container, None)
    return Prepare(
        service=rollout.service,
        deployment=slots.idle.deployment,
        container=container,
        like=slots.serving.deployment,
        labels=dict(slots.match_labels),
        stable=stable,
        new=stable if stable is not None and stable.digest == new.digest else new,
        at_least=0 if ready.deployment.wanted == 0 else at_least,
        deadline_seconds=rollout.deadline_seconds,
    )


def _follow(service: str, autoscaler: str, slots: Slots) -> Follow:
    return Follow(service=service, name=autoscaler, leaves=slots.serving.deployment, to=slots.idle.deployment)


def _uncovered(scene: Scene, ready: Ready, slots: Slots) -> list[str]:
    """The budgets that protect what serves now, and would not protect what serves then."""
    here = (ready.deployment.template.get("metadata") or {}).get("labels") or {}
    there = (slots.to_idle(ready.deployment.template).get("metadata") or {}).get("labels") or {}
    return [
        f"The PodDisruptionBudget {each.name} does not protect the pods of {slots.idle.deployment}: "
        f"nodes may be drained without regard to it while they have the traffic."
        for each in scene.budgets
        if each.covers(here) and not each.covers(there)
    ]


def _switch(service: str, slots: Slots, rollout: RollOut, prepare: Prepare) -> Switch:
    return Switch(
        service=rollout.service,
        name=service,
        container=rollout.container,
        leaves=slots.serving,
        to=slots.idle,
        stable=rollout.stable,
        new=prepare.new,
        deadline_seconds=rollout.deadline_seconds,
    )


def _look(switch: Switch) -> Look:
    return Look(name=f"{switch.name}{PREVIEW}", like=switch.name, selector=switch.to.selector)


def _warnings(in_place: list[RollOut]) -> tuple[str, ...]:
    if not in_place:
        return ()
    names = [step.service for step in in_place]
    lack = f"{listed(names)} {'has' if len(names) == 1 else 'have'} no Service in the cluster"
    return (f"{lack}: rolled out in place, after the traffic of the others was switched.",)
