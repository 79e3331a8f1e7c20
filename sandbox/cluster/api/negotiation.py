"""In which form the client wants an answer: the object, a table, or only the metadata."""

from sandbox.cluster.api.tables import TableView
from sandbox.cluster.api.views import MetadataView, View
from sandbox.cluster.resources import Resource


def view_for(resource: Resource, accept: str, include: str) -> View:
    """Choose the first form in the Accept header that the server has."""
    for offer in accept.split(","):
        parts = [part.strip() for part in offer.split(";")]
        form = dict(part.partition("=")[::2] for part in parts[1:]).get("as", "")
        if parts[0] not in {"application/json", "*/*", ""}:
            continue
        if form == "Table":
            return TableView(resource, include)
        if form.startswith("PartialObjectMetadata"):
            return MetadataView(resource)
        if not form:
            break
    return View(resource)
