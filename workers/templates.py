"""Pod templates: which image a container has, and which ReplicaSet is of which template. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from releases.plan import Json, Template, digest_of
from workers.cluster import ReplicaSetSeen
from workers.images import Image


def containers(template: Json) -> dict[str, str]:
    """The containers of a template: name → image."""
    return {each["name"]: each.get("image", "") for each in template.get("spec", {}).get("containers", ())}


def read_template(template: Json, container: str, revision: int | None) -> Template:
    """A template as plans hold it; its version is the tag of that container's image."""
    image = containers(template).get(container, "")
    version = Image.parse(image).version
    return Template(
        image=image, version=None if version is None else str(version), revision=revision, spec=template
    )


def with_image(template: Json, container: str, image: str) -> Json:
    """The same template with another image in one container."""
    changed = copy.deepcopy(template)
    for each in changed["spec"]["containers"]:
        if each["name"] == container:
            each["image"] = image
    return changed


def with_configuration(template: Json, container: str, name: str, prefix: str) -> Json:
    """The same template whose container takes its environment variables from the ConfigMap `name`.

    A reference to one whose name begins with `prefix`, an earlier version's, gives its place to it.
    """
    changed = copy.deepcopy(template)
    for each in changed["spec"]["containers"]:
        if each["name"] == container:
            each["envFrom"] = _switched(each.get("envFrom") or [], name, prefix)
    return changed


VOLUME = "buzzy-version-files"


def with_files(template: Json, container: str, name: str, prefix: str, at: str) -> Json:
    """The same template whose container finds the files of the ConfigMap `name` in the folder `at`.

    A volume whose ConfigMap's name begins with `prefix`, an earlier version's, gives its place to it.
    """
    changed = copy.deepcopy(template)
    spec = changed["spec"]
    volumes = spec["volumes"] = list(spec.get("volumes") or [])
    volume = next((each for each in volumes if _is_of_files(each, prefix)), None)
    if volume is None:
        volume = {"name": VOLUME, "configMap": {}}
        volumes.append(volume)
    volume["configMap"]["name"] = name
    for each in spec["containers"]:
        if each["name"] == container:
            mounts = each["volumeMounts"] = list(each.get("volumeMounts") or [])
            mount = next((one for one in mounts if one["name"] == volume["name"]), None)
            if mount is None:
                mounts.append({"name": volume["name"], "mountPath": at, "readOnly": True})
            else:
                mount["mountPath"] = at
    return changed


def files_of(template: Json, prefix: str) -> str | None:
    """The ConfigMap from which a template has its version's files; None when it has none."""
    volumes = template.get("spec", {}).get("volumes") or ()
    return next((each["configMap"]["name"] for each in volumes if _is_of_files(each, prefix)), None)


def _is_of_files(volume: Json, prefix: str) -> bool:
    return str((volume.get("configMap") or {}).get("name", "")).startswith(prefix)


def _switched(sources: list[Json], name: str, prefix: str) -> list[Json]:
    for source in sources:
        reference = source.get("configMapRef", {})
        if reference.get("name", "").startswith(prefix):
            reference["name"] = name
            return sources
    return [*sources, {"configMapRef": {"name": name}}]


def config_maps(template: Json) -> list[str]:
    """The ConfigMaps without which pods of a template would not start."""
    spec = template.get("spec", {})
    containers = [*spec.get("containers", ()), *(spec.get("initContainers") or ())]
    sources = [source.get("configMapRef") for each in containers for source in each.get("envFrom") or ()]
    for each in containers:
        sources += [
            (variable.get("valueFrom") or {}).get("configMapKeyRef") for variable in each.get("env") or ()
        ]
    for volume in spec.get("volumes") or ():
        sources.append(volume.get("configMap"))
        sources += [each.get("configMap") for each in (volume.get("projected") or {}).get("sources") or ()]
    return [
        source["name"] for source in sources if source and source.get("name") and not source.get("optional")
    ]


def replica_set_of(template: Json, replica_sets: Iterable[ReplicaSetSeen]) -> ReplicaSetSeen | None:
    """The ReplicaSet that runs this template; None when there is none yet.

    Of several that have it, Kubernetes goes on with the oldest.
    """
    digest = digest_of(template)
    same = [each for each in replica_sets if digest_of(each.template) == digest]
    return min(same, key=lambda each: (each.created_at is None, each.created_at, each.name), default=None)
