"""Locks and freezes, and who waits in line for an environment, in Redis.

Each is one text, complete or not there. Whoever changes one says what it was when they looked: if anything on
the board has changed since, nothing is written, and they look again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from releases.closing import ALL, Closure, Kind, Unreadable, Waiter
from releases.notices import Notice, load_notice
from releases.plan import Frozen
from releases.record import closing_scripts as scripts
from releases.record.record import MovedError
from releases.record.store import Store

REFUSED_SECONDS = 3_600
"""How long it is remembered what somebody wanted when they were refused."""

_LINE: TypeAdapter[tuple[Waiter, ...]] = TypeAdapter(tuple[Waiter, ...])


class Called(Frozen):
    """Who was told that it is their turn, when, and at which epoch of the environment."""

    by: str
    at: AwareDatetime
    epoch: int


@dataclass(frozen=True)
class Board:
    """What closes a place and who waits there, as texts of one moment, by their keys."""

    place: str
    texts: Mapping[tuple[str, str], str]

    @property
    def made(self) -> tuple[Closure | Unreadable, ...]:
        """The locks and freezes that people made, of this place and of all."""
        kinds: tuple[Kind, ...] = ("lock", "freeze")
        places = dict.fromkeys((ALL, self.place))
        found = (self.closure(kind, place) for kind in kinds for place in places)
        return tuple(each for each in found if each is not None)

    def closure(self, kind: Kind, place: str) -> Closure | Unreadable | None:
        """One of them; None when there is none."""
        text = self.texts[kind, place]
        if not text:
            return None
        try:
            return Closure.model_validate_json(text)
        except ValidationError:
            return Unreadable(kind, place)

    @property
    def waiting(self) -> tuple[Waiter, ...]:
        """Who waits, the first first. A list that cannot be read is nobody's place any more."""
        try:
            return _LINE.validate_json(self.texts["waiting", self.place] or "[]")
        except ValidationError:
            return ()

    @property
    def called(self) -> Called | None:
        """Who was told last that it is their turn."""
        try:
            return Called.model_validate_json(self.texts["called", self.place])
        except ValidationError:
            return None


def line_text(waiting: Sequence[Waiter]) -> str:
    """The text of a line of people; nobody is no text."""
    return _LINE.dump_json(tuple(waiting)).decode() if waiting else ""


class Closures:
    """Locks and freezes. All methods raise `RecordUnavailableError` when Redis does not answer."""

    def __init__(self, store: Store) -> None:
        """The ones that live in this store."""
        self._store = store

    def board(self, place: str) -> Board:
        """All that there is about a place, of one moment."""
        names = [
            *((kind, each) for kind in ("lock", "freeze") for each in dict.fromkeys((ALL, place))),
            ("waiting", place),
            ("called", place),
        ]
        texts = self._store.call("MGET", *(self._key(name) for name in names))
        return Board(place, {name: text or "" for name, text in zip(names, texts, strict=True)})

    def write(
        self, board: Board, changes: Mapping[tuple[str, str], str], notices: Sequence[Notice] = ()
    ) -> None:
        """Change some of a board's texts ('' ends one), and have it told. Raises `MovedError`."""
        names = list(board.texts)
        arguments = [
            str(len(names)),
            *(board.texts[name] for name in names),
            *(changes.get(name, board.texts[name]) for name in names),
            *(notice.model_dump_json() for notice in notices),
        ]
        keys = [*self.outbox(), *(self._key(name) for name in names)]
        if not self._store.run(scripts.SWAP, keys, arguments):
            raise MovedError(f"what closes {board.place} has changed")

    def once(self, name: str, seconds: int, notices: Sequence[Notice]) -> None:
        """Have something told once, whoever notices it how often."""
        keys = [*self.outbox(), self._store.key("once", name)]
        self._store.run(scripts.ONCE, keys, [seconds, *(each.model_dump_json() for each in notices)])

    # -- what somebody wanted --------------------------------------------------------------------------

    def refused(self, environment: str, wanted: Waiter) -> None:
        """Remember what somebody wanted who was refused, for when they get in line or take the lock over."""
        key = self._store.key("refused", environment, wanted.by.id)
        self._store.call("SET", key, wanted.model_dump_json(), "EX", REFUSED_SECONDS)

    def wanted(self, environment: str, user: str) -> Waiter | None:
        """What somebody wanted; None when it was nothing, or long ago."""
        text = self._store.call("GET", self._store.key("refused", environment, user))
        return Waiter.model_validate_json(text) if text else None

    def forget(self, environment: str, user: str) -> None:
        """They have got what they wanted."""
        self._store.call("DEL", self._store.key("refused", environment, user))

    # -- what is to be told ----------------------------------------------------------------------------

    def outbox(self) -> list[str]:
        """The keys that a script needs to have something told."""
        key = self._store.key
        return [key("notices"), key("behind"), key("wake")]

    def notice(self, id_: str) -> Notice | None:
        """A notice, such as `N7`; None when a lost Redis has lost it."""
        text = self._store.call("LINDEX", self._store.key("notices"), int(id_[1:]) - 1)
        return load_notice(text) if text else None

    def notices(self) -> tuple[Notice, ...]:
        """All there were, in order."""
        return tuple(
            load_notice(text) for text in self._store.call("LRANGE", self._store.key("notices"), 0, -1)
        )

    def told(self, id_: str) -> None:
        """Say that a notice stands in its channel, or never can."""
        self._store.call("SREM", self._store.key("behind"), id_)

    def _key(self, name: tuple[str, str]) -> str:
        return self._store.key("closing", *name)
