"""The plan of a release: each service from the version that it runs to the one asked for."""

from __future__ import annotations

from collections.abc import Mapping

from releases import grammar
from releases.filesets import changes
from releases.holding import because, went_back
from releases.plan import EnsureConfiguration, EnsureFiles, Plan, RollOut, Template, digest_of
from releases.version import ReleaseType, Version, is_downgrade, release_type
from workers.images import Image
from workers.lineage import label
from workers.observe import services_seen
from workers.planning.carrying_out import carried_out
from workers.planning.scene import (
    Ready,
    Refused,
    Scene,
    Wanted,
    joined,
    listed,
    ready_services,
    strangers,
    traits,
)
from workers.templates import read_template, with_configuration, with_files, with_image


def plan_release(
    scene: Scene,
    version: Version,
    wanted: Wanted,
    digests: Mapping[str, str] | None = None,
    files: EnsureFiles | None = None,
) -> Plan | Refused:
    """What a release of `version` would do, or why there is nothing that it could do.

    `digests` has, by service, what the registry has under the version's tag: those images are pinned to it;
    `files` are those of the version.
    """
    services = ready_services(scene, wanted.services)
    if isinstance(services, Refused):
        return services
    refused = _unstable(scene, version) or _downgrade(scene, version, wanted, services)
    if refused is not None:
        return refused
    moving = tuple(each for each in services if each.stable.version != str(version))
    if not moving:
        return _runs_already(scene, version, wanted)
    configuration = _configuration(scene, version)
    pinned = digests or {}
    before = [step for step in (configuration, files) if step is not None]
    rollouts = [_roll_out(scene, each, version, before, pinned.get(each.name)) for each in moving]
    running = [Version.parse(each.stable.version) for each in moving if each.stable.version is not None]
    type_ = release_type(min(running, default=None), version, urgency=wanted.urgency)  # the largest step
    ways = carried_out(scene, wanted.strategy, moving, rollouts)
    if isinstance(ways, Refused):
        return ways
    return Plan(
        kind="release",
        application=scene.config.application,
        environment=scene.environment.name,
        namespace=scene.environment.namespace,
        strategy=wanted.strategy,
        stable=joined([label(each.stable) for each in moving]),
        new=str(version),
        type=type_,
        steps=(*before, *ways.steps),
        warnings=(
            *_went_back(scene, version),
            *_warnings(scene, moving),
            *_no_smaller(type_, wanted),
            *ways.warnings,
        ),
        on_failure="rollback" if scene.environment.goes_back else None,
    )


def _no_smaller(type_: ReleaseType, wanted: Wanted) -> list[str]:
    if wanted.urgency is None or type_ == wanted.urgency:
        return []
    named = "a hotfix" if wanted.urgency == "hotfix" else "a security release"
    return [f"It was asked for as {named}, but is a {type_} release: the rules for those hold."]


def _unstable(scene: Scene, version: Version) -> Refused | None:
    if not version.is_prerelease or scene.environment.prerelease:
        return None
    takers = [name for name, each in scene.config.environments.items() if each.prerelease]
    return Refused(
        f"{version} is a pre-release, and {scene.environment.name} takes stable versions only.",
        f"`/buzzy {grammar.Release(version, takers[0]).line()}`" if takers else "",
    )


def _downgrade(scene: Scene, version: Version, wanted: Wanted, services: tuple[Ready, ...]) -> Refused | None:
    newer: dict[str, list[str]] = {}
    for each in services:
        running = each.stable.version
        if running is not None and is_downgrade(Version.parse(running), version):
            newer.setdefault(running, []).append(each.name)
    if not newer:
        return None
    runs = "; ".join(
        f"{listed(names)} {'runs' if len(names) == 1 else 'run'} {running}"
        for running, names in newer.items()
    )
    back = grammar.Rollback(scene.environment.name, grammar.ToVersion(version), wanted.services)
    return Refused(
        f"{version} is older than what runs in {scene.environment.name}: {runs}.",
        f"Going back is a rollback: `/buzzy {back.line()}`",
    )


def _runs_already(scene: Scene, version: Version, wanted: Wanted) -> Refused:
    name = scene.environment.name
    ill = [
        f"{each.service}: {each.state}"
        for each in services_seen(scene.observed)
        if not each.healthy and (not wanted.services or each.service in wanted.services)
    ]
    if not ill:
        return Refused(f"{version} already runs in {name}.")
    return Refused(
        f"{name} has {version} already, but not all of it is healthy ({'; '.join(ill)}).",
        f"To go back: `/buzzy {grammar.Rollback(name).line()}`",
    )


def _configuration(scene: Scene, version: Version) -> EnsureConfiguration | None:
    data = dict(scene.environment.configuration)
    if not data:
        return None
    return EnsureConfiguration(name=f"{_prefix(scene)}{_named(version, data)}", data=data)


def files_step(
    scene: Scene, version: Version, folder: str, files: dict[str, str], before: Mapping[str, str]
) -> EnsureFiles:
    """The step that makes the ConfigMap of a version's files, by their digests; `before` are those now."""
    name = f"{files_prefix(scene)}{_named(version, files)}"
    return EnsureFiles(name=name, folder=folder, files=files, changes=changes(before, files))


def files_prefix(scene: Scene) -> str:
    """How the names of ConfigMaps with files of versions begin."""
    return f"{scene.config.application}-version-files-"


def _named(version: Version, content: dict[str, str]) -> str:
    """The end of a ConfigMap's name: lower-case letters, and no dash at the ends of its dotted parts."""
    named = ".".join(part.strip("-") or "0" for part in str(version).lower().split("."))
    return f"{named}-{digest_of(content)[:8]}"


def _prefix(scene: Scene) -> str:
    return f"{scene.config.application}-configuration-"


def _roll_out(
    scene: Scene,
    ready: Ready,
    version: Version,
    before: list[EnsureConfiguration | EnsureFiles],
    digest: str | None,
) -> RollOut:
    service = ready.observed.service
    image = Image(service.image, str(version), digest)
    template = with_image(ready.stable.spec, service.container, str(image))
    for step in before:
        match step:
            case EnsureConfiguration(name=name):
                template = with_configuration(template, service.container, name, _prefix(scene))
            case EnsureFiles(name=name) if scene.environment.files is not None:
                at = scene.environment.files.at
                template = with_files(template, service.container, name, files_prefix(scene), at)
    new: Template = read_template(template, service.container, None)
    return RollOut(
        service=service.name,
        deployment=ready.deployment.name,
        container=service.container,
        stable=ready.stable,
        new=new,
        deadline_seconds=int(service.deadline.total_seconds()),
    )


def _went_back(scene: Scene, version: Version) -> list[str]:
    last = went_back(str(version), scene.past)
    if last is None:
        return []
    return [f"{version} went back by itself here before, in {last.id}: {because(last)}."]


def _warnings(scene: Scene, moving: tuple[Ready, ...]) -> list[str]:
    warnings = []
    for each in moving:
        configured = each.observed.service.image
        if not Image.parse(each.stable.image).is_of(configured):
            warnings.append(
                f"{each.name} runs {each.stable.image}; it will run the image {configured} instead."
            )
    changed = strangers(scene, moving)
    if changed is not None:
        warnings.append(f"{changed}; the release keeps that, but for the image.")
    return warnings + traits(moving)
