"""Waiting for a rollout: each picture is judged, until it has ended, time is up, or others come first."""

from __future__ import annotations

from workers.cluster import DeploymentSeen, RolloutSeen
from workers.describe import pods_of
from workers.steps.evidence import evidence
from workers.steps.work import Failed, Unfinished, Work
from workers.verdict import Converged, Progressing, Standing, Verdict, judge
from workers.verdict import Failed as Judged


def wait(step: Standing, deployment: DeploymentSeen, work: Work) -> Failed | Unfinished | None:
    """None when the rollout has come to its end; else why it has not.

    Pictures from before `deployment`, which was read last, are not believed.
    """
    with work.cluster.follow(work.namespace, deployment) as pictures:
        for seen in pictures:
            work.silence(seen.trouble)
            verdict = _verdict(step, seen, deployment.generation, work)
            if isinstance(verdict, Converged | Progressing | Judged):
                work.show(verdict.seen)
            match verdict:
                case Converged():
                    return None
                case Judged():
                    return _failed(step, seen, verdict, work)
                case Failed():
                    return verdict
            if not work.go_on():
                break
    return Unfinished()


def _verdict(step: Standing, seen: RolloutSeen, generation: int, work: Work) -> Verdict | Failed | None:
    """What the picture means; None while there is none that could be judged."""
    if seen.trouble is not None:
        if work.now() < work.deadline:
            return None
        return Failed(f"Whether {step.service} is healthy could not be seen: {seen.trouble}")
    if not seen.complete:
        return None
    if seen.deployment is None:
        return Failed(f"The Deployment {step.deployment} was deleted meanwhile")
    if seen.deployment.generation < generation:
        return None
    return judge(step, seen, since=work.since, now=work.now(), deadline=work.deadline, again=work.again)


def _failed(step: Standing, seen: RolloutSeen, verdict: Judged, work: Work) -> Failed:
    pods = () if seen.deployment is None else pods_of(seen.deployment, seen)
    unready = tuple(pod for pod in pods if not pod.ready)
    return Failed(
        verdict.reason,
        evidence(work.cluster, work.namespace, step.service, verdict.troubles, unready),
        ill=verdict.ill,
    )
