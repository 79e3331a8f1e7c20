"""Objects as the rows of a table."""

from dataclasses import dataclass

from sandbox.cluster.api.tables import cluster_kinds, workload_kinds
from sandbox.cluster.api.tables.column import Column, age
from sandbox.cluster.api.views import View, partial_metadata
from sandbox.cluster.objects import Json, name_of

_PLAIN = (Column("Name", name_of, format="name"), Column("Age", age))
_COLUMNS = workload_kinds.COLUMNS | cluster_kinds.COLUMNS


@dataclass(frozen=True)
class TableView(View):
    """A table, each row with as much of its object as the client asked for (None, Metadata or Object)."""

    include: str = "Metadata"

    def one(self, thing: Json) -> Json:
        """Show a single object as a table of one row."""
        return self.listing([thing], {"resourceVersion": thing["metadata"].get("resourceVersion", "")})

    def listing(self, things: list[Json], metadata: Json) -> Json:
        """Show many objects as rows."""
        columns = _COLUMNS.get(self.resource.plural, _PLAIN)
        rows = [
            {"cells": [column.cell(thing) for column in columns], **self._object(thing)} for thing in things
        ]
        return {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "columnDefinitions": [column.definition() for column in columns],
            "rows": rows,
        }

    def _object(self, thing: Json) -> Json:
        match self.include:
            case "None":
                return {}
            case "Object":
                return {"object": thing}
            case _:
                return {"object": partial_metadata(thing)}
