"""What the record says of a version that somebody wants, before any worker looks: its type, and its proof."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from releases import grammar
from releases.config import Config, Environment
from releases.events import ServiceSeen
from releases.passing import Forward
from releases.policy import Refusal
from releases.promotion import Candidate, types_possible, unproven, version_of
from releases.proof import PAST, proof_of
from releases.record import Record
from releases.version import ReleaseType, Version


class Proving:
    """Looks things up in the record. A worker looks again, at the clusters as well."""

    def __init__(self, config: Config, record: Record, now: Callable[[], datetime]) -> None:
        """`now` gives aware UTC times."""
        self._config = config
        self._record = record
        self._now = now

    def types(self, command: Forward | grammar.Rollback, environment: Environment) -> tuple[ReleaseType, ...]:
        """The types that what is asked for may be of."""
        if isinstance(command, grammar.Rollback):
            return ()
        names = self._names(command, environment)
        version = self._version(command, names)
        if version is None:
            return tuple(ReleaseType)
        return types_possible(self._seen(environment.name, names), version, command.urgency)

    def unproven(self, command: Forward | grammar.Rollback, environment: Environment) -> Refusal | None:
        """Why the version may not go there yet; a rollback has to prove nothing."""
        if isinstance(command, grammar.Rollback):
            return None
        rule, names = environment.requires, self._names(command, environment)
        version = self._version(command, names)
        if rule is None or version is None:
            return None
        proof = proof_of(str(version), names, self._record.recent(rule.proven_in, PAST))
        types = self.types(command, environment)
        return unproven(Candidate(version, environment, types, proof), self._now())

    def _names(self, command: Forward, environment: Environment) -> tuple[str, ...]:
        return command.services or tuple(each.name for each in self._config.services_of(environment))

    def _version(self, command: Forward, names: tuple[str, ...]) -> Version | None:
        """The version that is wanted, if it is known without a look at the cluster."""
        if isinstance(command, grammar.Release):
            return command.version
        found = version_of(command.source, self._seen(command.source, names))
        return None if isinstance(found, Refusal) else found

    def _seen(self, name: str, services: tuple[str, ...]) -> tuple[ServiceSeen, ...]:
        """What was last seen of an environment's services."""
        seen = self._record.seen(name)
        return tuple(each for each in seen.services if each.service in services) if seen else ()
