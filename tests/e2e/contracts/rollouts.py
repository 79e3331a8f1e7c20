"""A Deployment `web` on its way: rolled out, released again, and what there is of it then."""

from __future__ import annotations

from tests.e2e.contracts.things import CAUSE, REVISION, image
from tests.e2e.contracts.worlds import Json, Place, eventually


def settled(deployment: Json) -> bool:
    """Whether a Deployment's rollout is over, by the rule of `kubectl rollout status`."""
    spec, status = deployment["spec"], deployment["status"]
    counts = [status.get(f"{which}Replicas", 0) for which in ("updated", "available", "ready")]
    is_seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    whole = status.get("replicas", 0) == spec["replicas"] and not status.get("terminatingReplicas")
    return is_seen and whole and counts == [spec["replicas"]] * 3


def rolled_out(place: Place) -> Json:
    """The Deployment as soon as its rollout is over."""

    def settled_now() -> Json | None:
        found = place.get("deployments", "web")
        return found if settled(found) else None

    return eventually(settled_now)


def released(place: Place, tag: str, cause: str = "") -> Json:
    """Give it another tag, and wait until that is rolled out."""
    annotations = {"metadata": {"annotations": {CAUSE: cause}}} if cause else {}
    place.merge("deployments", "web", image(tag) | annotations)
    return rolled_out(place)


def revisions(place: Place) -> list[Json]:
    """The ReplicaSets by revision."""
    return sorted(place.items("replicasets"), key=lambda each: int(each["metadata"]["annotations"][REVISION]))


def image_of(thing: Json) -> str:
    """The image of the only container of its template."""
    return str(thing["spec"]["template"]["spec"]["containers"][0]["image"])


def conditions_of(thing: Json) -> dict[str, Json]:
    """Its conditions by type, without their times."""
    found = thing["status"].get("conditions", [])
    return {each["type"]: {k: v for k, v in each.items() if not k.startswith("last")} for each in found}
