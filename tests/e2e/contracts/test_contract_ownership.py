"""Who owns which field: server-side apply, and what is recorded of who wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.contracts.things import deployment, image
from tests.e2e.contracts.worlds import APPLY, STRATEGIC, Place, eventually

Seen = Callable[[Any], Any]


def test_owned_field_conflicts(place: Place, seen: Seen) -> None:
    """Server-side apply of a field that another manager owns is a 409 that names both."""
    body = deployment(paused=True)
    assert place.ask("PATCH", "deployments", "web", body, content_type=APPLY, fieldManager="one").code == 201
    claim = image("9.9.9") | {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    answer = place.ask("PATCH", "deployments", "web", claim, content_type=APPLY, fieldManager="two")
    assert answer.code == 409
    status = seen(answer.body)
    assert status["reason"] == "Conflict"
    assert status["message"] == (
        'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.containers[name="app"].image'
    )
    assert status["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "one"',
            "field": '.spec.template.spec.containers[name="app"].image',
        }
    ]
    forced = place.ask(
        "PATCH", "deployments", "web", claim, content_type=APPLY, fieldManager="two", force="true"
    )
    assert forced.code == 200
    assert forced.body["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":9.9.9")


def test_applied_field_conflicts_with_its_patcher(place: Place, seen: Seen) -> None:
    """A field that somebody patched after it was applied conflicts, with the API version of the patch."""
    place.ask("PATCH", "deployments", "web", deployment(paused=True), content_type=APPLY, fieldManager="one")
    place.ask("PATCH", "deployments", "web", image("9.9.9"), content_type=STRATEGIC, fieldManager="buzzy")
    answer = place.ask(
        "PATCH", "deployments", "web", deployment(paused=True), content_type=APPLY, fieldManager="one"
    )
    assert answer.code == 409
    assert 'conflict with "buzzy" using apps/v1' in seen(answer.body)["message"]


def test_managers_are_recorded(place: Place, seen: Seen) -> None:
    """The managedFields name who wrote: the field manager, the operation, and the subresource."""
    place.ask("PATCH", "deployments", "web", deployment(), content_type=APPLY, fieldManager="one")
    place.ask("PATCH", "deployments", "web", image("3.2.1"), content_type=STRATEGIC, fieldManager="buzzy")

    def managers() -> list[tuple[str, str, str]]:
        fields = place.get("deployments", "web")["metadata"]["managedFields"]
        return sorted((f["manager"], f["operation"], f.get("subresource", "")) for f in fields)

    eventually(lambda: any(where == "status" for *_, where in managers()))
    by_people = [each for each in managers() if each[0] in {"one", "buzzy"}]
    assert seen(by_people) == [["buzzy", "Update", ""], ["one", "Apply", ""]]
