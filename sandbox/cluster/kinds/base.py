"""What a kind of object may say about itself: its defaults, its rules and what the server owns of it."""

from sandbox.cluster.errors import Cause
from sandbox.cluster.objects import Json


class Kind:
    """The rules of a kind that has none of its own; the others are subclasses."""

    def default(self, thing: Json) -> None:
        """Fill in what the client left out, as the API server does on every write."""

    def prepare_create(self, thing: Json) -> None:
        """Set what only the server decides about a new object."""

    def prepare_update(self, new: Json, old: Json) -> None:
        """Carry over what a client's update cannot change."""

    def validate(self, thing: Json) -> list[Cause]:
        """Return what is wrong with an object."""
        del thing
        return []

    def validate_update(self, new: Json, old: Json) -> list[Cause]:
        """Return what may not be changed in the way it was."""
        del new, old
        return []
