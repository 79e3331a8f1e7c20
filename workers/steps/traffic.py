"""Services: the preview of what was prepared, and the switch of the traffic to it."""

from __future__ import annotations

from releases.blue_green import Look
from releases.plan import Follow, Preview, Switch, digest_of
from workers.cluster import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    TrafficSeen,
    TrafficWrite,
    despite_conflicts,
)
from workers.marks import RELEASE, TRAFFIC
from workers.steps.work import Done, Failed, Outcome, Work

MANAGED = {"app.kubernetes.io/managed-by": "buzzy"}


def preview(step: Preview, work: Work) -> Outcome:
    """Make each preview, or let it pick what was prepared now. A Service of somebody else's is left alone."""
    changed = False
    for look in step.looks:
        found = despite_conflicts(lambda look=look: _preview(look, work))  # type: ignore[misc]
        if isinstance(found, Failed):
            return found
        changed = changed or found
    return Done(changed)


def _preview(look: Look, work: Work) -> bool | Failed:
    try:
        there = work.cluster.traffic(work.namespace, look.name)
    except NotFoundError:
        like = work.cluster.traffic(work.namespace, look.like)
        work.before_write()
        try:
            write = TrafficWrite(like, look.selector)
            work.cluster.make_traffic(work.namespace, look.name, write, MANAGED)
        except AlreadyExistsError as error:
            raise ConflictError(str(error)) from error
        return True
    if not is_ours(there):
        return Failed(f"There is a Service {look.name} that is not Buzzy's")
    if dict(there.selector) == look.selector:
        return False
    work.before_write()
    work.cluster.write_traffic(work.namespace, TrafficWrite(there, look.selector))
    return True


def is_ours(service: TrafficSeen) -> bool:
    """Whether Buzzy made a Service."""
    return MANAGED.items() <= service.labels.items()


def follow(step: Follow, work: Work) -> Outcome:
    """Let the autoscaler scale what has the traffic; one that is gone, or scales another thing, is let be."""
    return Done(changed=despite_conflicts(lambda: _follow(step, work)))


def _follow(step: Follow, work: Work) -> bool:
    found = next((each for each in work.cluster.autoscalers(work.namespace) if each.name == step.name), None)
    if found is None or found.scales != step.leaves:
        return False
    work.before_write()
    work.cluster.write_autoscaler(work.namespace, found, step.to)
    return True


def switch(step: Switch, work: Work) -> Outcome:
    """Let the Service pick the other slot's pods, if they are there to answer."""
    return despite_conflicts(lambda: _switch(step, work))


def _switch(step: Switch, work: Work) -> Outcome:
    service = work.cluster.traffic(work.namespace, step.name)
    sent = service.annotations.get(TRAFFIC) == step.to.deployment
    ours = sent and service.annotations.get(RELEASE) == work.release
    if dict(service.selector) == step.to.selector:
        return Done(changed=ours)
    if dict(service.selector) != step.leaves.selector:
        return Failed(f"What the Service {step.name} picks was changed by somebody else meanwhile")
    if ours:  # it had the traffic already: whoever took it away is not fought
        return Failed(f"The traffic of {step.service} was sent back by somebody else meanwhile")
    there = work.cluster.deployment(work.namespace, step.to.deployment)
    if digest_of(there.template) != step.new.digest:
        return Failed(f"{step.to.deployment} was changed by somebody else meanwhile: the traffic stays")
    if there.wanted and not there.available:
        return Failed(f"No pod of {step.to.deployment} is ready: the traffic stays where it is")
    work.before_write()
    annotations = {RELEASE: work.release, TRAFFIC: step.to.deployment}
    work.cluster.write_traffic(work.namespace, TrafficWrite(service, step.to.selector, annotations))
    return Done(changed=True)
