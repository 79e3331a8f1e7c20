"""What was asked of the API, so that a test can count effects."""

from collections import deque
from dataclasses import asdict, dataclass

from sandbox.cluster.objects import Json

LONGEST_JOURNAL = 50_000


@dataclass
class Entry:
    """One request: who asked for what, what came of it, and whether anything changed."""

    method: str
    path: str
    user: str = ""
    verb: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    code: int = 0
    changed: bool = False
    agent: str = ""

    def as_json(self) -> Json:
        """Write the entry for the admin side."""
        return asdict(self)


class Journal:
    """The requests since the start, or since it was cleared."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=LONGEST_JOURNAL)

    def open(self, method: str, path: str, agent: str) -> Entry:
        """Begin the entry of a request; the server fills it in as it learns more."""
        entry = Entry(method, path, agent=agent)
        self.entries.append(entry)
        return entry

    def writes(self, **wanted: str) -> list[Entry]:
        """Return the requests that changed something, narrowed to those with these values."""
        return [entry for entry in self.entries if entry.changed and _matches(entry, wanted)]

    def requests(self, **wanted: str) -> list[Entry]:
        """Return all requests with these values, for instance `verb="patch", resource="deployments"`."""
        return [entry for entry in self.entries if _matches(entry, wanted)]


def _matches(entry: Entry, wanted: dict[str, str]) -> bool:
    return all(getattr(entry, name) == value for name, value in wanted.items())
