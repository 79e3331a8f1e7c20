"""Which migrations a version brings: what the label of its migrations image says."""

from __future__ import annotations

from releases.config import MigrationsTask
from releases.database import LABEL, UnreadableMigrationsError, read_label
from releases.version import Version
from workers.images import Image
from workers.pinning import look_up
from workers.planning import Migrations, Refused
from workers.registry import Registry


def migrations_of(registry: Registry, task: MigrationsTask, version: Version) -> Migrations | Refused:
    """The migrations of a version, and their image by its digest. Raises `RegistryError`."""
    found = look_up(registry, {"migrations": task.image}, version)
    if isinstance(found, Refused):
        return found
    digest = found["migrations"]
    image = str(Image(task.image, str(version), digest))
    label = registry.configuration(task.image, digest).labels.get(LABEL)
    if label is None:
        return Refused(
            f"The image {task.image}:{version} does not say which migrations it has.",
            f"Build it with the label {LABEL}: a JSON list, empty if there are none. Nothing was changed.",
        )
    try:
        return Migrations(image, read_label(label))
    except UnreadableMigrationsError as error:
        return Refused(f"The label {LABEL} of {task.image}:{version} {error}.", "Nothing was changed.")


def before(registry: Registry, task: MigrationsTask, version: Version) -> Migrations | None:
    """Those of the version that runs; None when its image does not say. Raises `RegistryError`."""
    found = migrations_of(registry, task, version)
    return None if isinstance(found, Refused) else found
