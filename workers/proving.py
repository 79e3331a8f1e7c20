"""What a version has shown elsewhere, looked at anew: which one is promoted, and whether it may go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from releases.checklist import Item
from releases.config import Config, Environment
from releases.events import ReleaseRequested, ServiceSeen
from releases.plan import Plan
from releases.policy import Refusal
from releases.promotion import Candidate, unproven, version_of, went_back
from releases.proof import PAST, proof_of
from releases.record import Record
from releases.version import ReleaseType, Version
from workers import checklist
from workers.cluster import ClusterError, TransientError
from workers.observe import Observed, services_seen
from workers.planning import Refused, Scene, Wanted


class Proving:
    """Reads the record, and looks at the environments that releases come from."""

    def __init__(
        self,
        record: Record,
        config: Config,
        look: Callable[[Environment], Observed],
        clock: Callable[[], datetime],
    ) -> None:
        """`look` raises `ClusterError`."""
        self._record = record
        self._config = config
        self._look = look
        self._clock = clock

    def promoted(
        self, request: ReleaseRequested, source: str, wanted: Wanted, before: Plan | None
    ) -> Version | Refused:
        """The version that another environment runs and that is to be released.

        Which one that is, is settled when it is planned for the first time: people approve that one. Later
        it may have been replaced there, but not given up.
        """
        seen = self._looked_at(source, self._names(request.environment, wanted))
        found: Version | Refusal
        if before is not None:
            found = Version.parse(before.new)
            found = went_back(source, found, seen) or found
        else:
            found = version_of(source, seen)
        if isinstance(found, Version) and request.version not in {None, str(found)}:
            found = Refusal(f"{source} runs {found} now, not {request.version}.", "Nothing was changed.")
        return Refused.of(found) if isinstance(found, Refusal) else found

    def proven(self, scene: Scene, plan: Plan, wanted: Wanted) -> Item | Refused:
        """That the plan's version has shown what it has to, as an item of the checklist; or why not yet."""
        rule, version = scene.environment.requires, Version.parse(plan.new)
        if rule is None:
            return checklist.proven_nowhere()
        names = self._names(scene.environment.name, wanted)
        proof = proof_of(str(version), names, self._record.recent(rule.proven_in, PAST))
        seen = None if proof.run is None else self._looked_at(rule.proven_in, names)
        types = (plan.type,) if plan.type is not None else tuple(ReleaseType)
        now = self._clock()
        refusal = unproven(Candidate(version, scene.environment, types, proof, seen), now)
        return checklist.proven(rule.proven_in, proof, now) if refusal is None else Refused.of(refusal)

    def _names(self, environment: str, wanted: Wanted) -> tuple[str, ...]:
        """The services that a release to an environment is about."""
        services = self._config.services_of(self._config.environment(environment))
        return wanted.services or tuple(service.name for service in services)

    def _looked_at(self, name: str, services: tuple[str, ...]) -> tuple[ServiceSeen, ...]:
        """What runs now in the environment that a release comes from. Raises `ClusterError`, naming it."""
        try:
            seen = services_seen(self._look(self._config.environment(name)))
        except TransientError as error:
            raise TransientError(f"{name} cannot be seen: {error}") from error
        except ClusterError as error:
            raise ClusterError(f"{name} cannot be seen: {error}") from error
        return tuple(each for each in seen if each.service in services)
