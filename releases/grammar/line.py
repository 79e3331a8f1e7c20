"""The words of a line, sorted: which stand by themselves, and which are flags with their values."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from releases.grammar.errors import Mistake
from releases.grammar.text import Word
from releases.grammar.values import READERS
from releases.grammar.verbs import VERBS, Argument, Flag
from releases.grammar.vocabulary import Vocabulary

_SWITCHES = {flag.name for verb in VERBS.values() for flag in verb.flags if flag.switch}
_MANY = {flag.name for verb in VERBS.values() for flag in verb.flags if flag.many}


@dataclass(frozen=True, slots=True)
class GivenFlag:
    """A flag as it was given: where it stands, and where its value has ended."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Line:
    """The words, and by their indexes the ones that stand by themselves (the verb first) and the flags."""

    words: tuple[Word, ...]
    plain: tuple[int, ...]
    flags: tuple[GivenFlag, ...]

    @classmethod
    def of(cls, words: tuple[Word, ...]) -> Line:
        """Every flag but a switch takes the word behind it, or several with commas; others stand alone."""
        plain: list[int] = []
        flags: list[GivenFlag] = []
        index = 0
        while index < len(words):
            name, stop = words[index].flag, index + 1
            if name is None:
                plain.append(index)
            else:
                if name not in _SWITCHES:
                    stop = _end_of_value(words, stop, many=name in _MANY)
                flags.append(GivenFlag(name, index, stop))
            index = stop
        return cls(words, tuple(plain), tuple(flags))

    def text(self, index: int) -> str:
        """The text of one word."""
        return self.words[index].text

    def replaced(self, start: int, stop: int, *new: Word) -> tuple[Word, ...]:
        """The words, with those from `start` to before `stop` replaced."""
        return (*self.words[:start], *new, *self.words[stop:])

    def with_verb(self, verb: str) -> tuple[Word, ...]:
        """The words with another verb."""
        return self.replaced(self.plain[0], self.plain[0] + 1, Word(verb))

    def without(self, indexes: Container[int]) -> tuple[Word, ...]:
        """The words but for some."""
        return tuple(word for index, word in enumerate(self.words) if index not in indexes)

    def read(self, what: Argument | Flag, start: int, stop: int, vocabulary: Vocabulary) -> Any:  # noqa: ANN401 - what it is depends on its name
        """The words from `start` to before `stop` as a value. Raises `Mistake`.

        Without a guess at what was meant, the mended line has a sample in its place, if there is one.
        """
        try:
            return READERS[what.name]("".join(word.text for word in self.words[start:stop]), vocabulary)
        except Mistake as mistake:
            instead = mistake.instead or (what.sample and vocabulary.fill(what.sample))
            if instead is not None:
                mistake.mended = self.replaced(start, stop, Word(instead, quoted=True))
            raise


def _end_of_value(words: tuple[Word, ...], start: int, *, many: bool) -> int:
    stop = start
    while stop < len(words) and words[stop].flag is None:
        in_list = many and (words[stop - 1].text.endswith(",") or words[stop].text.startswith(","))
        if stop > start and not in_list:
            break
        stop += 1
    return stop
