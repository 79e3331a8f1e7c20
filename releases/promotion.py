"""Which version a promotion releases, and what a version has to have shown before it may go on. Pure.

Asked twice: when somebody asks, from the record alone, and whenever a worker plans or starts, with a fresh
look at the clusters. What was proven at noon may have been rolled back by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from releases import grammar
from releases.config import Config, Environment, Requires, format_duration
from releases.events import ServiceSeen
from releases.holding import because
from releases.lifecycle import Release
from releases.policy import Refusal
from releases.proof import Proof, lead, proof_of
from releases.version import ReleaseType, Urgency, Version, release_type

_NOTHING = "Nothing was changed."


def version_of(name: str, services: Iterable[ServiceSeen]) -> Version | Refusal:
    """The one version that an environment runs, whole and healthy; or what was seen instead."""
    seen = tuple(services)
    versions = {each.version for each in seen}
    found = next(iter(versions), None)
    if len(versions) != 1 or found is None:
        return Refusal(f"{name} does not run one version: {_runs(seen) or 'nothing runs there'}.", _NOTHING)
    ill = _ill(seen)
    if ill:
        return Refusal(f"{name} runs {found}, but not all of it is healthy: {ill}.", _NOTHING)
    return Version.parse(found)


def went_back(name: str, promoted: Version, services: Iterable[ServiceSeen]) -> Refusal | None:
    """Why a version that was to be promoted is not any more: its environment has gone back from it since."""
    seen = tuple(services)
    older = [each for each in seen if each.version is None or Version.parse(each.version) < promoted]
    if not older:
        return None
    return Refusal(f"{name} does not run {promoted} any more: {_runs(seen)}.", _NOTHING)


def types_possible(
    services: Iterable[ServiceSeen], version: Version, urgency: Urgency | None
) -> tuple[ReleaseType, ...]:
    """The type that a release would have where this was seen; where nothing was, all that it may have."""
    versions = [Version.parse(each.version) for each in services if each.version is not None]
    if not versions:
        return (ReleaseType.MAJOR, ReleaseType.MINOR, ReleaseType(urgency or "patch"))
    return (release_type(min(versions), version, urgency=urgency),)


@dataclass(frozen=True)
class Candidate:
    """A version that is to go to an environment, and what is known of it where it has to be proven.

    `types` are those that its release may have: one, once it is known; until then the least that any of
    them asks counts. `seen` is what runs in the proving environment now, looked at where the version should
    still run there; None: nobody has looked.
    """

    version: Version
    environment: Environment
    types: tuple[ReleaseType, ...]
    proof: Proof
    seen: tuple[ServiceSeen, ...] | None = None


def unproven(candidate: Candidate, now: datetime) -> Refusal | None:
    """Why a version may not go to an environment yet, by its `requires`; None when it may."""
    rule = candidate.environment.requires
    if rule is None:
        return None
    return _unreleased(candidate, rule) or _unwell(candidate, rule) or _unsoaked(candidate, rule, now)


def _unreleased(candidate: Candidate, rule: Requires) -> Refusal | None:
    version, there, proof = candidate.version, rule.proven_in, candidate.proof
    line = f"/buzzy {grammar.Release(version, there).line()}"
    if proof.given_up is not None:
        back = proof.given_up
        alone = f" by itself ({because(back)})" if back.by_itself else ""
        return Refusal(
            f"{version} was given up in {there}: {back.id}, asked for by {back.request.by.name}, "
            f"went back{alone}.",
            f"It has to be released there again first ({_named(candidate)}).",
            copy=line,
        )
    if not proof.released:
        return Refusal(
            f"{version} is not proven in {there}: no release of it has come to its end there.",
            f"It has to be released there first ({_named(candidate)}).",
            copy=line,
        )
    return None


def _unwell(candidate: Candidate, rule: Requires) -> Refusal | None:
    """All services have it and are well now, or a later release has come to its end since."""
    version, there, proof = candidate.version, rule.proven_in, candidate.proof
    if proof.unsettled is not None:
        doing = "has left it unsettled" if proof.unsettled.ended else "is changing it just now"
        return Refusal(
            f"{version} is not proven in {there}: {proof.unsettled.id} {doing}.",
            f"Once all of {there} is well, or a later release has come to its end there, it can go on "
            f"({_named(candidate)}).",
        )
    ill = "" if proof.run is None or candidate.seen is None else _ill(candidate.seen, version)
    if not ill:
        return None
    return Refusal(
        f"{version} is not proven in {there}, not all of it is well now: {ill}.",
        f"Once all of {there} is well, it can go on ({_named(candidate)}).",
    )


def _unsoaked(candidate: Candidate, rule: Requires, now: datetime) -> Refusal | None:
    proof, asked = candidate.proof, min(map(rule.soak_of, candidate.types))
    lacking = asked - proof.soaked(now)
    if lacking <= timedelta(0):
        return None
    problem = (
        f"{candidate.version} has run in {rule.proven_in} for {format_duration(proof.soaked(now))} of the "
        f"{format_duration(asked)} that {candidate.environment.name} asks for."
    )
    sooner, who = _sooner(candidate, rule)
    if proof.run is None:
        newest = proof.newest.id if proof.newest is not None else "something else"
        gone = f"It runs there no more, {newest} took its place ({_named(candidate)})."
        return Refusal(problem, f"{gone} {sooner}".rstrip(), who=who)
    hint = sooner or f"Then it can be asked for again ({_named(candidate)})."
    return Refusal(problem, hint, who, ready_at=now + lacking)


def soaking(config: Config, name: str, past: Sequence[Release], now: datetime) -> tuple[str, ...]:
    """For which environments what runs in this one has soaked, or when it will have, as for a patch."""
    words = []
    for environment in config.environments.values():
        rule = environment.requires
        if rule is None or rule.proven_in != name:
            continue
        services = [service.name for service in config.services_of(environment)]
        leading = lead(past, services)
        proof = proof_of(str(leading.version), services, past) if leading is not None else None
        if proof is None or not proof.released:
            continue
        lacking = rule.soak_of(ReleaseType.PATCH) - proof.soaked(now)
        ready = lacking <= timedelta(0)
        words.append(f"ready for {environment.name}{'' if ready else f' in {format_duration(lacking)}'}")
    return tuple(words)


def _named(candidate: Candidate) -> str:
    return f"`requires` of {candidate.environment.name} in buzzy.yaml"


def _sooner(candidate: Candidate, rule: Requires) -> tuple[str, tuple[str, ...]]:
    """How it could go on sooner, and who may ask for that: where less is asked of a patch in a hurry."""
    permissions = candidate.environment.permissions
    if ReleaseType.PATCH not in candidate.types:
        return "", ()
    for hurry in (ReleaseType.HOTFIX, ReleaseType.SECURITY):
        if rule.soak_of(hurry) < rule.soak_of(ReleaseType.PATCH):
            allowed = None if permissions is None else getattr(permissions, hurry.value)
            hint = f"With `--{hurry}` and a `--reason`, {format_duration(rule.soak_of(hurry))} would do."
            return hint, () if allowed is None else allowed.people
    return "", ()


def _ill(seen: tuple[ServiceSeen, ...], version: Version | None = None) -> str:
    """The services that are not well, or run something else than the version."""
    return "; ".join(
        f"{each.service} {each.state or 'not healthy'}"
        if not each.healthy
        else f"{each.service} runs {each.version or each.image}"
        for each in seen
        if not each.healthy or (version is not None and each.version != str(version))
    )


def _runs(seen: tuple[ServiceSeen, ...]) -> str:
    by_version: dict[str, list[str]] = {}
    for each in seen:
        by_version.setdefault(each.version or each.image or "nothing", []).append(each.service)
    return "; ".join(f"{', '.join(names)} {version}" for version, names in by_version.items())
