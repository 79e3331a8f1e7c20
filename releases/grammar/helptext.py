"""What can be said, as data for whoever renders it: from the same table as the parser's."""

from __future__ import annotations

from dataclasses import dataclass

from releases.grammar.verbs import VERBS
from releases.grammar.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class HelpFlag:
    """A flag: how it is written, and what it says."""

    usage: str
    about: str


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """One verb. `usage` and `examples` are lines to type, `/buzzy` included; every example is a command."""

    verb: str
    usage: str
    summary: str
    examples: tuple[str, ...]
    flags: tuple[HelpFlag, ...]


def help_text(verb: str | None, vocabulary: Vocabulary) -> tuple[HelpEntry, ...]:
    """The help about one verb, or about all of them in the order in which people need them.

    The verb is one that `parse` gave in a `Help`; any other raises `KeyError`.
    """
    verbs = VERBS.values() if verb is None else (VERBS[verb],)
    return tuple(
        HelpEntry(
            verb=each.name,
            usage=f"/buzzy {each.usage}",
            summary=each.summary,
            examples=tuple(f"/buzzy {vocabulary.fill(example)}" for example in each.examples),
            flags=tuple(HelpFlag(flag.usage, vocabulary.fill(flag.about)) for flag in each.flags),
        )
        for each in verbs
    )
