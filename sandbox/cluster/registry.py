"""What the API server does with an object between the request and the store.

The HTTP side and the controllers both write through here, so that defaults, rules, generations, versions
and the record of field owners are the same whoever writes.
"""

import uuid
from collections.abc import Callable

from sandbox.cluster.admission import (
    SERVER_METADATA,
    admit_change,
    admit_new,
    carry_over,
    check_identity,
    check_open,
    fill_in,
)
from sandbox.cluster.deletion import DeleteOptions, begin_deletion, check_preconditions, holds_on
from sandbox.cluster.errors import already_exists, bad_request, not_found
from sandbox.cluster.kinds import Kind, new_kinds
from sandbox.cluster.objects import Json, clone, is_deleting, name_of, namespace_of, random_suffix, stamp
from sandbox.cluster.patching.apply import apply_patch, first_applied
from sandbox.cluster.patching.managers import record_update
from sandbox.cluster.resources import NAMESPACES, Resource
from sandbox.cluster.store import Store

LONGEST_GENERATED_BASE = 58


class Registry:
    """Creates, changes and deletes objects by the rules of their kinds; arguments are left as they are."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._kinds = new_kinds()
        self._plain = Kind()

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """Return the stored object, which must not be changed; an unknown one is a 404."""
        found = self.store.get(resource, namespace, name)
        if found is None:
            raise not_found(resource, name)
        return found

    def create(self, resource: Resource, thing: Json, *, manager: str, dry_run: bool = False) -> Json:
        """Store a new object."""
        new = clone(thing)
        metadata = new.setdefault("metadata", {})
        if metadata.get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        for field in (*SERVER_METADATA, "managedFields"):
            metadata.pop(field, None)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"][:LONGEST_GENERATED_BASE] + random_suffix()
        if resource.namespaced:
            check_open(resource, self.get(NAMESPACES, "", namespace_of(new)), name_of(new))
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": stamp()}
        if resource.counts_generations:
            metadata["generation"] = 1
        kind = self._kind(resource)
        fill_in(resource, kind, new)
        record_update(None, new, manager)  # what the server adds from here on is nobody's
        admit_new(resource, kind, new)
        known = self.store.get(resource, namespace_of(new), name_of(new))
        if known is not None:
            raise already_exists(resource, name_of(new), going=is_deleting(known))
        return new if dry_run else self.store.write(resource, new)

    def update(
        self, resource: Resource, thing: Json, *, manager: str, subresource: str = "", dry_run: bool = False
    ) -> Json:
        """Replace an object by a new state of it, as far as the subresource reaches."""
        old = self.get(resource, namespace_of(thing), name_of(thing))
        new = self._filled_in(resource, thing, old, subresource)
        record_update(old, new, manager, subresource)
        return self._finish(resource, new, old, subresource, dry_run=dry_run)

    def modify(
        self,
        resource: Resource,
        thing: Json,
        change: Callable[[Json], None],
        *,
        manager: str,
        subresource: str = "",
    ) -> Json:
        """Apply a function to a copy of the stored state of an object and store the result."""
        new = clone(self.get(resource, namespace_of(thing), name_of(thing)))
        change(new)
        return self.update(resource, new, manager=manager, subresource=subresource)

    def apply(  # noqa: PLR0913 - the parameters of an apply request
        self,
        resource: Resource,
        applied: Json,
        *,
        manager: str,
        force: bool,
        subresource: str = "",
        dry_run: bool = False,
    ) -> tuple[int, Json]:
        """Apply a configuration for a manager; returns 201 and the object when it was not there before."""
        if applied["metadata"].get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        live = self.store.get(resource, namespace_of(applied), name_of(applied))
        if live is None:
            if subresource:
                raise not_found(resource, name_of(applied))
            made = self.create(resource, applied, manager=manager, dry_run=True)
            made["metadata"]["managedFields"] = first_applied(applied, manager)
            return 201, made if dry_run else self.store.write(resource, made)
        merged = apply_patch(live, applied, manager, force=force, subresource=subresource)
        new = self._filled_in(resource, merged, live, subresource)
        return 200, self._finish(resource, new, live, subresource, dry_run=dry_run)

    def commit(self, resource: Resource, new: Json, old: Json, *, dry_run: bool = False) -> Json:
        """Store a prepared state, unless it changes nothing; one that lets go of a going object ends it."""
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        if new == old or dry_run:
            return old if new == old else new
        written = self.store.write(resource, new)
        if is_deleting(new) and not new["metadata"].get("finalizers") and not holds_on(resource, new):
            return self.store.remove(resource, new)
        return written

    def delete(
        self, resource: Resource, namespace: str, name: str, options: DeleteOptions, *, dry_run: bool = False
    ) -> tuple[Json, bool]:
        """Delete an object, or begin to; returns its last state and whether it is gone."""
        old = self.get(resource, namespace, name)
        check_preconditions(resource, old, options)
        new = clone(old)
        if begin_deletion(resource, new, options):
            if new != old and not dry_run:
                self.store.write(resource, new)
            return new, False
        return (new if dry_run else self.store.remove(resource, new)), True

    def _filled_in(self, resource: Resource, thing: Json, old: Json, subresource: str) -> Json:
        new = clone(thing)
        check_identity(resource, new, old)
        carry_over(resource, new, old, subresource)
        if subresource != "status":
            fill_in(resource, self._kind(resource), new)
        return new

    def _finish(self, resource: Resource, new: Json, old: Json, subresource: str, *, dry_run: bool) -> Json:
        if subresource != "status":
            admit_change(resource, self._kind(resource), new, old)
        return self.commit(resource, new, old, dry_run=dry_run)

    def _kind(self, resource: Resource) -> Kind:
        return self._kinds.get(resource.qualified, self._plain)
