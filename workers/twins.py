"""A standby and the environment that it follows, looked at together: how they differ, what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from releases.config import Config, Environment
from releases.lifecycle import MOVING
from releases.plan import Expected
from releases.proof import PAST, lead
from releases.record import Record
from releases.record.drifts import Drifts
from releases.standby import due
from releases.twins import Twin, differences, expected_of
from workers.cluster import Cluster, ClusterError, NotFoundError, TransientError
from workers.cluster.connections import Clusters
from workers.observe import Observed, observe, services_seen, snapshot
from workers.templates import config_maps

log = structlog.stdlib.get_logger(__name__)

GRACE = timedelta(minutes=5)
"""How long after its time a standby may take to follow before that counts as drift."""


def twins(cluster: Cluster, observed: Observed) -> tuple[Twin, ...]:
    """Each service with what its ConfigMaps hold. Raises `ClusterError`."""
    known: dict[str, frozenset[str] | None] = {}

    def held(name: str) -> frozenset[str] | None:
        if name not in known:
            try:
                kept = cluster.kept(observed.namespace, name)
                known[name] = frozenset({*kept.texts, *kept.parts})
            except NotFoundError:
                known[name] = None
        return known[name]

    made = []
    for each, seen in zip(observed.services, services_seen(observed), strict=True):
        names = [] if each.deployment is None else config_maps(each.deployment.template)
        found = {name: held(name) for name in dict.fromkeys(names)}
        keys = frozenset[str]().union(*(keys for keys in found.values() if keys is not None))
        made.append(Twin(seen, keys, tuple(name for name, keys in found.items() if keys is None)))
    return tuple(made)


@dataclass(frozen=True)
class Asked:
    """What is asked of a standby now. `soaking`: what the other runs is not asked for yet, in words."""

    follows: str
    expected: tuple[Expected, ...]
    soaking: str = ""


class Twins:
    """Looks at pairs of environments."""

    def __init__(
        self, record: Record, config: Config, clusters: Clusters, now: Callable[[], datetime]
    ) -> None:
        """`now` gives aware UTC times."""
        self._record = record
        self._config = config
        self._clusters = clusters
        self._now = now

    def look(self, name: str, drifts: Drifts) -> None:
        """See how a standby differs now, and let `drifts` remember it.

        Nothing is judged while either is being changed or cannot be seen: what was found before stays.
        """
        environment = self._config.environments.get(name)
        if environment is None or environment.follows is None:
            return
        if self._is_moving(name) or self._is_moving(environment.follows):
            return
        try:
            asked, own = self.asked(environment), self.own(environment)
        except ClusterError as error:
            log.info("drift is not judged", standby=name, why=str(error))
            return
        found = differences(asked.expected, own, asked.follows)
        drifts.note(name, environment.channel, asked.follows, found, self._now())

    def asked(self, environment: Environment) -> Asked:
        """What the environment that a standby follows asks of it. Raises `ClusterError`, naming that one."""
        assert environment.follows is not None  # noqa: S101 - it is a standby
        leading = self._config.environment(environment.follows)
        services = [service.name for service in self._config.services_of(environment)]
        soaking = self._soaking(environment, leading.name, services)
        try:
            seen = self.own(leading)
        except TransientError as error:
            raise TransientError(f"{leading.name} cannot be seen: {error}") from error
        except ClusterError as error:
            raise ClusterError(f"{leading.name} cannot be seen: {error}") from error
        expected = expected_of(seen, services, smaller=environment.smaller, soaking=bool(soaking))
        return Asked(leading.name, expected, soaking)

    def own(self, environment: Environment) -> tuple[Twin, ...]:
        """An environment as it is now, remembered for who asks. Raises `ClusterError`."""
        cluster = self._clusters(environment.cluster.context)
        observed = observe(cluster, self._config, environment, self._now())
        self._record.see(snapshot(observed))
        return twins(cluster, observed)

    def _soaking(self, environment: Environment, leading: str, services: list[str]) -> str:
        """Why a standby need not have yet what the other has; empty when it does."""
        past, now = self._record.recent(leading, PAST), self._now()
        newest = next((each for each in past if each.changed_services), None)
        found = lead(past, services)
        if found is None:  # never released by Buzzy: what runs is all that is known; or something broke off
            return "" if newest is None else f"{newest.id} has left {leading} unsettled"
        moment = due(environment, found)
        if moment is not None and now < moment:
            return f"{leading} has run {found.version} since {found.run.release}, and that has to soak"
        holder = self._record.holder(environment.name)
        if holder is not None and self._record.load(holder).release.request.follows is not None:
            return f"{holder} is on its way there"
        asked = any(
            each.request.follows == found.run.release for each in self._record.recent(environment.name, PAST)
        )
        if moment is not None and now < moment + GRACE and not asked:
            return f"it is about to follow {found.run.release}"
        return ""

    def _is_moving(self, name: str) -> bool:
        holder = self._record.holder(name)
        return holder is not None and self._record.load(holder).release.state in MOVING
