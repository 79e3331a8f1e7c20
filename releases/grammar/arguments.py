"""The words of a line that stand by their place: too many of them, too few, in the wrong order, or right."""

from __future__ import annotations

from typing import Any

from releases.grammar.errors import Mistake
from releases.grammar.line import Line
from releases.grammar.text import Word
from releases.grammar.values import READERS, suits
from releases.grammar.verbs import Argument, Verb
from releases.grammar.vocabulary import Vocabulary, same, shown


def read_arguments(verb: Verb, line: Line, vocabulary: Vocabulary) -> dict[str, Any]:
    """The arguments' values by name. Raises `Mistake`."""
    given = line.plain[1:]
    if verb.arguments and verb.arguments[-1].rest:
        line, given = _gathered(verb, line)
    if len(given) > len(verb.arguments):
        raise _too_many(verb, line, _superfluous(verb, line, vocabulary), vocabulary)
    required = [argument for argument in verb.arguments if argument.required]
    if len(given) < len(required):
        raise _too_few(required, line, vocabulary)
    if len(given) >= 2 and _swapped(verb, line, vocabulary):
        first, second = given[:2]
        mended = line.replaced(
            first, second + 1, line.words[second], *line.words[first + 1 : second], line.words[first]
        )
        raise Mistake(
            f"The {verb.arguments[0].title} comes first, then the {verb.arguments[1].title}.", mended=mended
        )
    values = {
        argument.name: line.read(argument, at, at + 1, vocabulary)
        for argument, at in zip(verb.arguments, given, strict=False)
    }
    alone = len(vocabulary.environments) == 1  # then nothing better can be said here, and policy refuses
    if "source" in values and values["source"] == values["environment"] and not alone:
        raise _to_itself(verb, values["source"], line, vocabulary)
    return values


def _to_itself(verb: Verb, name: str, line: Line, vocabulary: Vocabulary) -> Mistake:
    """The same environment twice: most likely the next one of the chain was meant."""
    chain = vocabulary.environments
    following = chain[chain.index(name) + 1 :] or tuple(each for each in chain if each != name)
    at = line.plain[2]
    mended = line.replaced(at, at + 1, Word(following[0]))
    problem = f"{name} {'does not differ from' if verb.name == 'diff' else 'cannot be promoted to'} itself."
    return Mistake(problem, mended=mended, names=vocabulary.listed)


def _gathered(verb: Verb, line: Line) -> tuple[Line, tuple[int, ...]]:
    """The line with the words that its last argument takes as one word, where there are several."""
    first = len(verb.arguments)
    if len(line.plain) - 1 <= first:
        return line, line.plain[1:]
    taken = line.plain[first:]
    text = " ".join(line.text(at) for at in taken)
    words = tuple(
        Word(text, quoted=True) if at == taken[0] else word
        for at, word in enumerate(line.words)
        if at not in taken[1:]
    )
    line = Line.of(words)
    return line, line.plain[1:]


def _swapped(verb: Verb, line: Line, vocabulary: Vocabulary) -> bool:
    kind = verb.arguments[0].name
    if READERS[kind] is READERS[verb.arguments[1].name]:
        return False  # nothing but its place tells one from the other
    first, second = (suits(kind, line.text(at), vocabulary, nearly=True) for at in line.plain[1:3])
    return second and not first


def _too_few(required: list[Argument], line: Line, vocabulary: Vocabulary) -> Mistake:
    """Of two arguments, a single word is the one that it could be."""
    absent, after = required, line.plain[0]
    if len(line.plain) > 1 and len(required) > 2:
        absent, after = required[len(line.plain) - 1 :], line.plain[-1]
    elif len(line.plain) > 1:
        at = line.plain[1]
        first, second = required
        is_first = suits(first.name, line.text(at), vocabulary, nearly=True) or any(
            map(str.isdigit, line.text(at))
        )
        absent, after = ([second], at) if is_first else ([first], at - 1)
    names = " and ".join(f"the {argument.title}" for argument in absent)
    samples = [argument.sample for argument in absent if argument.sample is not None]
    mended = None
    if len(samples) == len(absent):
        new = (Word(vocabulary.fill(sample), quoted=" " in sample) for sample in samples)
        mended = line.replaced(after + 1, after + 1, *new)
    return Mistake(
        f"{names[:1].upper()}{names[1:]} {'is' if len(absent) == 1 else 'are'} missing.",
        mended=mended,
        names=vocabulary.listed if any(argument.name == "environment" for argument in absent) else None,
    )


def _superfluous(verb: Verb, line: Line, vocabulary: Vocabulary) -> list[int]:
    """The words that are too much: those that fit nowhere, or else the last ones."""
    given = line.plain[1:]
    strangers = [
        at
        for at in given
        if not any(suits(each.name, line.text(at), vocabulary, nearly=True) for each in verb.arguments)
    ]
    return (strangers or list(given[len(verb.arguments) :]))[: len(given) - len(verb.arguments)]


def _too_many(verb: Verb, line: Line, extra: list[int], vocabulary: Vocabulary) -> Mistake:
    first, said = extra[0], " ".join(line.text(at) for at in extra)
    flags = {flag.name for flag in verb.flags}
    given = {flag.name for flag in line.flags}
    problem = f"{shown(said)} is {'one word too many' if len(extra) == 1 else 'too much'}."
    if (unquoted := _unquoted(verb, line, extra)) is not None:
        return unquoted
    if "services" in flags and all(suits("services", line.text(at), vocabulary) for at in extra):
        listed = ",".join(line.text(at) for at in extra)
        mended = (*line.without(extra), Word("--services"), Word(listed, quoted=True))
        return Mistake(problem, meant=f"--services {listed}", mended=mended)
    if (name := same(line.text(first).strip(":"), flags)) is not None:
        mended = line.replaced(first, first + 1, Word(f"--{name}"))
        return Mistake(problem, meant=f"--{name}", mended=mended)
    if "to" in flags - given and suits("to", line.text(first), vocabulary):
        mended = line.replaced(first, first, Word("--to"))
        return Mistake(problem, meant=f"--to {line.text(first)}", mended=mended)
    if "reason" in flags - given and len(extra) > 1:
        mended = (*line.without(extra), Word("--reason"), Word(said, quoted=True))
        return Mistake(problem, meant="it as the reason", mended=mended)
    return Mistake(problem, mended=line.without(extra))


def _unquoted(verb: Verb, line: Line, extra: list[int]) -> Mistake | None:
    """A reason or a time of several words without its quotation marks leaves all but its first word over."""
    free = {"reason", "until"}
    reason = next((flag for flag in line.flags if flag.name in free and flag.stop in extra), None)
    if reason is None or line.words[reason.start + 1].quoted:
        return None
    before = [at for at in line.plain[1:] if at < reason.start]
    belong = line.plain if len(before) >= len(verb.arguments) else extra
    stop = reason.stop
    while stop in belong:
        stop += 1
    said = " ".join(line.text(at) for at in range(reason.start + 1, stop))
    mended = line.replaced(reason.start + 1, stop, Word(said, quoted=True))
    what = "reason" if reason.name == "reason" else "time"
    return Mistake(f"A {what} of several words goes in quotation marks.", mended=mended)
