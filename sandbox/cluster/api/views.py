"""How objects are shown: as they are, or as the rows of a table for `kubectl get`."""

from dataclasses import dataclass

from sandbox.cluster.objects import Json
from sandbox.cluster.resources import NEW_EVENTS, Resource


@dataclass(frozen=True)
class View:
    """Objects as they are."""

    resource: Resource

    def one(self, thing: Json) -> Json:
        """Show a single object."""
        return as_new_event(thing) if self.resource == NEW_EVENTS else thing

    def event(self, thing: Json) -> Json:
        """Show the object of a watch event."""
        return self.one(thing)

    def listing(self, things: list[Json], metadata: Json) -> Json:
        """Show a list; its items do not repeat what they are."""
        items = [_without_type(self.one(thing)) for thing in things]
        kind = f"{self.resource.kind}List"
        return {"kind": kind, "apiVersion": self.resource.api_version, "metadata": metadata, "items": items}

    def bookmark(self, version: int) -> Json:
        """Show how far a watch has come."""
        metadata = {"resourceVersion": str(version)}
        return {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": metadata}


class MetadataView(View):
    """Only what an object is called and how it is labelled (PartialObjectMetadata)."""

    def one(self, thing: Json) -> Json:
        """Show the metadata of an object."""
        return partial_metadata(thing)

    def listing(self, things: list[Json], metadata: Json) -> Json:
        """Show the metadata of many objects."""
        items = [partial_metadata(thing) for thing in things]
        kind = "PartialObjectMetadataList"
        return {"kind": kind, "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items}


def partial_metadata(thing: Json) -> Json:
    """Return an object's metadata as an object of its own."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": thing["metadata"]}


def as_new_event(event: Json) -> Json:
    """Show a core event as events.k8s.io has it; both are one object in the store."""
    shown: Json = {"kind": "Event", "apiVersion": "events.k8s.io/v1", "metadata": event["metadata"]}
    shown |= {"regarding": event["involvedObject"], "note": event.get("message", "")}
    shown |= {
        name: event[name] for name in ("reason", "type", "action", "related", "series") if name in event
    }
    shown["eventTime"] = event.get("eventTime")
    for old, new in (
        ("reportingComponent", "reportingController"),
        ("reportingInstance", "reportingInstance"),
    ):
        if event.get(old):
            shown[new] = event[old]
    shown["deprecatedSource"] = event.get("source", {})
    for old, new in (
        ("firstTimestamp", "FirstTimestamp"),
        ("lastTimestamp", "LastTimestamp"),
        ("count", "Count"),
    ):
        if old in event:
            shown[f"deprecated{new}"] = event[old]
    return shown


def _without_type(thing: Json) -> Json:
    return {name: value for name, value in thing.items() if name not in {"kind", "apiVersion"}}
