"""The record of who wrote which field: metadata.managedFields."""

from sandbox.cluster.objects import Json, stamp
from sandbox.cluster.patching.fields import Path, decode, encode, fields_of

Owner = tuple[str, str, str]
"""Who (manager), how (Update or Apply), and through which subresource."""


def record_update(old: Json | None, new: Json, manager: str, subresource: str = "") -> None:
    """Note in `new` that `manager` made it out of `old`: what it changed is its own now, nobody else's."""
    before = fields_of(old, with_parents=True) if old else {}
    after = fields_of(new, with_parents=True)
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    gone = before.keys() - after.keys()
    entries = list((old or {}).get("metadata", {}).get("managedFields") or [])
    if not changed and not gone:
        _set_entries(new, entries)
        return
    mine = (manager, "Update", subresource)
    sets = {identity(entry): decode(entry["fieldsV1"]) for entry in entries}
    times = {identity(entry): entry["time"] for entry in entries}
    for owner, fields in sets.items():
        fields.difference_update(gone)
        if owner != mine:
            fields.difference_update(changed)
    if changed:
        sets.setdefault(mine, set()).update(changed)
        times[mine] = stamp()
    _set_entries(new, written(sets, times, new["apiVersion"]))


def identity(entry: Json) -> Owner:
    """Return whose an entry is."""
    return entry.get("manager", ""), entry["operation"], entry.get("subresource", "")


def written(sets: dict[Owner, set[Path]], times: dict[Owner, str], api_version: str) -> list[Json]:
    """Write sets of fields as entries, applied ones first, then by age; owners of nothing are left out."""
    order = sorted(sets, key=lambda owner: (owner[1], times[owner], owner[0]))
    entries = []
    for owner in order:
        if not sets[owner]:
            continue
        entry: Json = {
            "manager": owner[0],
            "operation": owner[1],
            "apiVersion": api_version,
            "time": times[owner],
        }
        entry |= {"fieldsType": "FieldsV1", "fieldsV1": encode(sets[owner])}
        entries.append(entry | ({"subresource": owner[2]} if owner[2] else {}))
    return entries


def _set_entries(thing: Json, entries: list[Json]) -> None:
    if entries:
        thing["metadata"]["managedFields"] = entries
    else:
        thing["metadata"].pop("managedFields", None)
