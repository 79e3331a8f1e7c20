"""The flags of a line: known to the verb, each with a value, each once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from releases.grammar.errors import Mistake
from releases.grammar.line import GivenFlag, Line
from releases.grammar.text import Word
from releases.grammar.verbs import Verb
from releases.grammar.vocabulary import Vocabulary, closest, shown

_MEANT = {"because": "reason", "message": "reason", "m": "reason", "why": "reason", "only": "services"}
"""What people say instead of a flag."""

_BY_PLACE = {"version", "tag", "environment", "env", "from", "to", "on", "in"}
"""What people write as a flag although it stands by its place."""

_IN_A_HURRY = ("hotfix", "security")

_DRY_RUN = {"dry-run", "dryrun", "plan", "diff"}


def read_flags(verb: Verb, line: Line, vocabulary: Vocabulary) -> dict[str, Any]:
    """The flags' values by name. Raises `Mistake`."""
    known = {flag.name: flag for flag in verb.flags}
    seen: dict[str, GivenFlag] = {}
    values: dict[str, Any] = {}
    for given in line.flags:
        flag = known.get(given.name)
        if flag is None:
            raise _unknown(verb, line, given)
        if given.stop == given.start + 1 and not flag.switch:
            sample = Word(vocabulary.fill(flag.sample), quoted=True)
            raise Mistake(
                f"There is nothing behind --{flag.name}.",
                mended=line.replaced(given.stop, given.stop, sample),
            )
        if flag.name in seen and not flag.many:
            first = seen[flag.name]
            raise Mistake(f"--{flag.name} is there twice.", mended=line.replaced(first.start, first.stop))
        seen[flag.name] = given
        value: Any = True
        if not flag.switch:
            value = line.read(flag, given.start + 1, given.stop, vocabulary)
        name = flag.keyword
        values[name] = tuple(dict.fromkeys((*values.get(name, ()), *value))) if flag.many else value
    _check(verb, line, seen, vocabulary)
    _check_urgency(line, seen)
    _check_database(line, seen)
    return values


def _check(verb: Verb, line: Line, seen: Mapping[str, GivenFlag], vocabulary: Vocabulary) -> None:
    """What one flag by itself does not show: one that is missing, two that say the same."""
    if "for" in seen and "until" in seen:
        second = max(seen["for"], seen["until"], key=lambda given: given.start)
        mended = line.replaced(second.start, second.stop)
        raise Mistake("--for and --until both say when it ends: one is enough.", mended=mended)
    if verb.needs and not any(name in seen for name in verb.needs):
        flag = next(flag for flag in verb.flags if flag.name == verb.needs[0])
        new = (Word(f"--{flag.name}"), Word(vocabulary.fill(flag.sample), quoted=True))
        names = " or ".join(f"--{name}" for name in verb.needs)
        raise Mistake(f"It does not say until when: {names} does.", mended=(*line.words, *new))
    for flag in verb.flags:
        if flag.required and flag.name not in seen:
            new = (Word(f"--{flag.name}"), Word(vocabulary.fill(flag.sample), quoted=True))
            raise Mistake(f"The {flag.name} is missing.", mended=(*line.words, *new))


def _check_urgency(line: Line, seen: Mapping[str, GivenFlag]) -> None:
    """Whoever is in a hurry says why, and which kind of hurry it is."""
    given = [seen[name] for name in _IN_A_HURRY if name in seen]
    if len(given) > 1:
        second = max(given, key=lambda flag: flag.start)
        raise Mistake(
            "A release is a hotfix or a security release, not both.",
            mended=line.replaced(second.start, second.stop),
        )
    if given and "reason" not in seen:
        end = (Word("--reason"), Word("what it is for", quoted=True))
        raise Mistake(f"--{given[0].name} needs a reason.", mended=(*line.words, *end))


def _check_database(line: Line, seen: Mapping[str, GivenFlag]) -> None:
    """A database is put back or left alone."""
    if "restore" in seen and "keep-database" in seen:
        mended = line.replaced(seen["restore"].start, seen["restore"].stop)
        raise Mistake("--restore and --keep-database are one or the other.", mended=mended)


def _unknown(verb: Verb, line: Line, given: GivenFlag) -> Mistake:
    meant, mended = _instead(verb, line, given)
    names = ", ".join(f"--{flag.name}" for flag in verb.flags)
    return Mistake(
        f"{verb.name} has no {shown(f'--{given.name}')}.",
        meant=meant,
        mended=mended,
        names=f"Options: {names}" if names else None,
    )


def _instead(verb: Verb, line: Line, given: GivenFlag) -> tuple[str | None, tuple[Word, ...] | None]:
    """What was probably meant by a flag, and the line with that.

    A flag that nobody can guess at is never dropped from a command that changes something: whoever
    copied the line would do more than they had asked for.
    """
    value = line.words[given.start + 1 : given.stop]
    names = tuple(flag.name for flag in verb.flags)
    if given.name in _BY_PLACE and len(line.plain) <= len(verb.arguments):
        return None, line.replaced(given.start, given.stop, *value)
    if given.name in _DRY_RUN and verb.name == "release":
        return "plan", Line.of(line.replaced(given.start, given.start + 1)).with_verb("plan")
    meant = _MEANT.get(given.name)
    if meant not in names:
        meant = closest(given.name, names)
    if meant is not None:
        return f"--{meant}", line.replaced(given.start, given.stop, Word(f"--{meant}"), *value)
    return None, None if verb.changes else line.replaced(given.start, given.stop)
