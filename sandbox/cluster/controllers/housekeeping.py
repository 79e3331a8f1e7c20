"""Namespaces and the garbage collector: what comes with a namespace, and what goes with an owner."""

from collections.abc import Iterable

from sandbox.cluster.controllers.base import Controller, Key
from sandbox.cluster.deletion import FOREGROUND, ORPHAN, DeleteOptions
from sandbox.cluster.objects import Json, clone, is_deleting, name_of, namespace_of, uid_of
from sandbox.cluster.resources import (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    SERVICE_ACCOUNTS,
    STORED,
    Resource,
    resource_of_kind,
)
from sandbox.cluster.store import Change

MANAGER = "kube-controller-manager"
ROOT_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nthe sandbox speaks plain HTTP\n-----END CERTIFICATE-----\n"


class NamespaceController(Controller):
    """Furnishes new namespaces and empties those that are deleted."""

    resource = NAMESPACES

    def keys_for(self, change: Change) -> Iterable[Key]:
        """A namespace on its way out is concerned by everything in it."""
        if change.resource == NAMESPACES:
            return [("", name_of(change.object))]
        return [("", namespace_of(change.object))] if change.type == "DELETED" else []

    def sync(self, key: Key) -> None:
        """Furnish or empty one namespace."""
        namespace = self.store.get(NAMESPACES, *key)
        if namespace is None:
            return
        if is_deleting(namespace):
            self._empty(namespace)
            return
        place = {"namespace": name_of(namespace)}
        for resource, name, content in (
            (SERVICE_ACCOUNTS, "default", {}),
            (CONFIG_MAPS, "kube-root-ca.crt", {"data": {"ca.crt": ROOT_CERTIFICATE}}),
        ):
            if self.store.get(resource, name_of(namespace), name) is None:
                thing: Json = {"apiVersion": "v1", "kind": resource.kind, "metadata": {"name": name, **place}}
                self.registry.create(resource, thing | content, manager=MANAGER)

    def _empty(self, namespace: Json) -> None:
        left = [
            (r, thing) for r in STORED if r.namespaced for thing in self.store.listing(r, name_of(namespace))
        ]
        for resource, thing in left:
            if not is_deleting(thing):
                self.registry.delete(
                    resource, name_of(namespace), name_of(thing), DeleteOptions(propagation="Background")
                )
        if any(self.store.listing(r, name_of(namespace)) for r in STORED if r.namespaced):
            return
        self.store.remove(NAMESPACES, namespace)


class GarbageCollector(Controller):
    """Deletes what has lost its owners. Its keys are ("", uid of an owner)."""

    def keys_for(self, change: Change) -> Iterable[Key]:
        """An owner that went or is going concerns its dependents; so does a dependent born too late."""
        thing = change.object
        if change.resource == EVENTS:
            return []
        owners = [("", reference["uid"]) for reference in thing["metadata"].get("ownerReferences") or []]
        if change.type == "ADDED":
            return owners
        if change.type == "DELETED":
            return [("", uid_of(thing)), *owners]
        return [("", uid_of(thing))] if is_deleting(thing) and thing["metadata"].get("finalizers") else []

    def all_keys(self) -> Iterable[Key]:
        """Every owner that any object names."""
        return {
            ("", r["uid"]) for _, t in self._everything() for r in t["metadata"].get("ownerReferences") or []
        }

    def sync(self, key: Key) -> None:
        """Look at one owner and its dependents."""
        uid = key[1]
        everything = list(self._everything())
        owner = next(((r, t) for r, t in everything if uid_of(t) == uid), None)
        dependents = [(r, t) for r, t in everything if uid in _owner_uids(t)]
        if owner is None:
            alive = {uid_of(thing) for _, thing in everything}
            for resource, thing in dependents:
                if not alive & _owner_uids(thing):
                    self._delete(resource, thing)
            return
        resource, thing = owner
        finalizers = thing["metadata"].get("finalizers") or []
        if not is_deleting(thing):
            return
        if ORPHAN in finalizers:
            for kind, dependent in dependents:
                self._disown(kind, dependent, uid)
            self._finalize(resource, thing, ORPHAN)
        elif FOREGROUND in finalizers:
            blocking = [(r, t) for r, t in dependents if _blocks(t, uid)]
            for kind, dependent in dependents:
                self._delete(kind, dependent, "Foreground")
            if not blocking:
                self._finalize(resource, thing, FOREGROUND)

    def _everything(self) -> Iterable[tuple[Resource, Json]]:
        return ((r, thing) for r in STORED if r is not EVENTS for thing in self.store.listing(r))

    def _delete(self, resource: Resource, thing: Json, propagation: str = "Background") -> None:
        if not is_deleting(thing) and resource_of_kind(thing["apiVersion"], thing["kind"]):
            options = DeleteOptions(propagation=propagation, uid=uid_of(thing))
            self.registry.delete(resource, namespace_of(thing), name_of(thing), options)

    def _disown(self, resource: Resource, thing: Json, uid: str) -> None:
        def change(new: Json) -> None:
            new["metadata"]["ownerReferences"] = [
                r for r in new["metadata"]["ownerReferences"] if r["uid"] != uid
            ]

        self.registry.modify(resource, thing, change, manager=MANAGER)

    def _finalize(self, resource: Resource, thing: Json, finalizer: str) -> None:
        new = clone(thing)
        left = [name for name in new["metadata"]["finalizers"] if name != finalizer]
        new["metadata"]["finalizers"] = left
        if not left:
            del new["metadata"]["finalizers"]
        self.registry.commit(resource, new, thing)


def _owner_uids(thing: Json) -> set[str]:
    return {reference["uid"] for reference in thing["metadata"].get("ownerReferences") or []}


def _blocks(thing: Json, uid: str) -> bool:
    references = thing["metadata"].get("ownerReferences") or []
    return any(r["uid"] == uid and r.get("blockOwnerDeletion") for r in references)
