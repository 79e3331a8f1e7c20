"""A job's hold on its environment: both leases, and nothing of an earlier worker's still under way.

A worker makes sure of both leases right before it writes. It may be paused right after that, and its write
arrive much later, when another has gone on, gone back or ended. Every write of a Deployment names the
`resourceVersion` that was read before it was made sure of; so whoever takes over gives the Deployment
another one first, and the late write fails with a conflict. That is the fence. It is owed as well when an
answer to a write did not come: that it failed is not known.

What is owed is remembered in the record until it is paid, by whichever job or release of the environment
comes to it. A ConfigMap needs no fence: its name says what is in it, and one too many hurts nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Literal
from uuid import uuid4

from releases.config import Config, Environment
from releases.lifecycle import MOVING, StepStatus
from releases.plan import Follow, Keep, Prepare, RollOut, Step, Switch
from releases.record import Record
from workers.cluster import Cluster, NotFoundError, despite_conflicts
from workers.cluster.connections import Clusters
from workers.tenant import tenant
from workers.tenure import Tenure
from workers.writer import Writer

WRITES = RollOut | Prepare | Switch | Follow | Keep
"""The steps whose writes have to be fenced. A preview may be late: nobody's traffic goes through it."""


Fenced = Literal["deployment", "traffic", "autoscaler"]
"""What can be fenced."""


class Hold:
    """Both leases of one job's release. Methods raise `ClusterError` and `HeldError`."""

    def __init__(
        self, record: Record, config: Config, clusters: Clusters, writer: Writer, now: Callable[[], datetime]
    ) -> None:
        """`writer` has the record's lease; nobody is asked for the cluster's yet."""
        self._record = record
        self._config = config
        self._clusters = clusters
        self._writer = writer
        self._now = now

    def take(self) -> None:
        """Take the environment for a release that has not started."""
        self._tenure().take(fence=self._fence)
        self._pay()

    def resume(self) -> None:
        """Have it for a release that has started, at the first call; what is owed is paid at each."""
        tenure = self._tenure()
        if not tenure.held:
            tenure.resume()
        self._pay()

    def _tenure(self) -> Tenure:
        if self._writer.tenure is not None:
            return self._writer.tenure
        own = tenant(self._writer.release, self._record.who_we_are())
        cluster, namespace = self._place()
        made = Tenure(cluster, namespace, own, self._writer.id, self._now)
        self._writer.keep(made)
        return made

    def _pay(self) -> None:
        if self._writer.unfenced:
            self._fence()
            self._writer.note_unfenced(is_so=False)

    def _fence(self) -> None:
        cluster, namespace = self._place()
        mark = f"{self._writer.epoch}-{uuid4().hex[:8]}"  # the same label once more would change nothing
        fences = {
            "deployment": cluster.fence,
            "traffic": cluster.fence_traffic,
            "autoscaler": cluster.fence_autoscaler,
        }
        for kind, name in self._in_question():
            with suppress(NotFoundError):  # then there is nothing that a late write could change
                despite_conflicts(partial(fences[kind], namespace, name, mark))

    def _in_question(self) -> list[tuple[Fenced, str]]:
        """The objects that something may be under way to.

        While a release runs that is what it is at; before it starts it may be what any other was at.
        """
        release = self._writer.release
        if release.state not in MOVING:
            return self._all(self._config.environment(release.environment))
        begun = [
            each.step for each in release.steps if each.status in {StepStatus.RUNNING, StepStatus.FAILED}
        ]
        return list(dict.fromkeys(fenced for step in begun if (fenced := _fenced(step)) is not None))

    def _all(self, environment: Environment) -> list[tuple[Fenced, str]]:
        services = self._config.services_of(environment)
        found: list[tuple[Fenced, str]] = [("deployment", service.deployment) for service in services]
        if "blue-green" in environment.may_go_by:
            found += [("deployment", service.beside) for service in services]
            found += [("traffic", service.service) for service in services]
            cluster, namespace = self._place()
            found += [("autoscaler", each.name) for each in cluster.autoscalers(namespace)]
        return found

    def _place(self) -> tuple[Cluster, str]:
        environment = self._config.environment(self._writer.release.environment)
        return self._clusters(environment.cluster.context), environment.namespace


def _fenced(step: Step) -> tuple[Fenced, str] | None:
    """What a step writes that has to be fenced."""
    match step:
        case RollOut() | Prepare() | Keep():
            return "deployment", step.deployment
        case Switch():
            return "traffic", step.name
        case Follow():
            return "autoscaler", step.name
        case _:
            return None
