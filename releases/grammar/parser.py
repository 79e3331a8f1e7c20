"""A line of text as a command, or what is wrong with it and how it would go.

Every mistake knows how the line goes without it. So the line to copy is found by reading the mended line
again until nothing is wrong with it: what people are given to copy is a command, always.
"""

from __future__ import annotations

import re

from releases.grammar.arguments import read_arguments
from releases.grammar.commands import Command, Help
from releases.grammar.errors import GrammarError, Mistake
from releases.grammar.flags import read_flags
from releases.grammar.line import Line
from releases.grammar.text import Word, normalise, split
from releases.grammar.values import suits
from releases.grammar.verbs import VERBS, Argument, Verb
from releases.grammar.vocabulary import Vocabulary, same

LONGEST_LINE = 2_000
"""Characters, Slack's markup included."""

_MENDED = 12
"""So many mistakes in one line are mended for the line to copy."""

_NAME = re.compile(r"[/@]?buzzy[,:]?(?: |$)", re.IGNORECASE)
_HELP = {"help", "h"}


def parse(text: str, vocabulary: Vocabulary) -> Command:
    """The command that a line asks for: what follows `/buzzy`, or the line with it.

    Raises `GrammarError` for everything that is no command, and nothing else.
    """
    words, mistake = _words(text)
    if mistake is None:
        try:
            return _command(words, vocabulary)
        except Mistake as found:
            mistake = found
    raise _error(mistake, words, vocabulary)


def asks_for_form(text: str) -> bool:
    """Whether a line is `release` and nothing else: where there are forms, that asks for one."""
    if len(text) > LONGEST_LINE:
        return False
    words, _ = split(_without_name(normalise(text)))
    return [word.text.casefold() for word in words] == ["release"]


def _words(text: str) -> tuple[tuple[Word, ...], Mistake | None]:
    if len(text) > LONGEST_LINE:
        return (), Mistake(f"A command may have {LONGEST_LINE} characters; this one has {len(text)}.")
    words, balanced = split(_without_name(normalise(text)))
    return words, None if balanced else Mistake("A quotation mark has no partner.", mended=words)


def _without_name(text: str) -> str:
    """The line without Buzzy's name, and without the backticks that come along when a line is copied."""
    text = text.strip("` ")
    name = _NAME.match(text)
    return text[name.end() :] if name else text


def _command(words: tuple[Word, ...], vocabulary: Vocabulary) -> Command:
    if any(word.flag in _HELP for word in words):
        others = (word.text for word in words if word.flag is None)
        return Help(same(next(others, ""), VERBS))
    line = Line.of(words)
    if not words:
        return Help()
    verb = _verb(line, vocabulary)
    flags = read_flags(verb, line, vocabulary)
    return verb.command(**read_arguments(verb, line, vocabulary), **flags)


def _verb(line: Line, vocabulary: Vocabulary) -> Verb:
    names = f"Commands: {', '.join(VERBS)}"
    if not line.plain:
        raise Mistake("The command is missing.", names=names)
    at = line.plain[0]
    if suits("version", line.text(at), vocabulary):
        mended = line.replaced(at, at, Word("release"))
        raise Mistake("The command is missing.", meant="release", mended=mended, names=names)
    return VERBS[line.read(Argument("verb"), at, at + 1, vocabulary)]


def _error(mistake: Mistake, words: tuple[Word, ...], vocabulary: Vocabulary) -> GrammarError:
    verb = _known_verb(words)
    if verb is None or verb.name == "help":
        names, topic = mistake.names or f"Commands: {', '.join(VERBS)}", ""
    else:
        names, topic = mistake.names or f"/buzzy {verb.usage}", f" {verb.name}"
    return GrammarError(
        mistake.problem,
        mistake.meant,
        f"/buzzy {_line_to_copy(mistake, words, vocabulary)}",
        f"{names} · /buzzy help{topic}",
    )


def _line_to_copy(mistake: Mistake, words: tuple[Word, ...], vocabulary: Vocabulary) -> str:
    for _ in range(_MENDED):
        if mistake.mended is None:
            break
        words = mistake.mended
        try:
            return _command(words, vocabulary).line()
        except Mistake as another:
            mistake = another
    verb = _known_verb(words)
    if verb is None:
        return Help().line()
    return verb.otherwise.format(verb=verb.name)


def _known_verb(words: tuple[Word, ...]) -> Verb | None:
    plain = Line.of(words).plain
    name = same(words[plain[0]].text, VERBS) if plain else None
    return None if name is None else VERBS[name]
