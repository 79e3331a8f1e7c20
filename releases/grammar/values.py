"""How each word of a command is read. A reader raises `Mistake`, with what was probably meant instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from releases.config.durations import parse_duration
from releases.grammar.commands import Target, ToRelease, ToRevision, ToVersion
from releases.grammar.errors import Mistake
from releases.grammar.verbs import SYNONYMS, VERBS
from releases.grammar.vocabulary import Vocabulary, closest, same, shown
from releases.version import InvalidVersion, Version

LONGEST_REASON = 300
"""Characters; a reason stands on the release's message, beside everything else."""

LONGEST_TIME = 80
"""Characters of a time that somebody types."""

ALL = "all"
"""The place that is every environment."""

# Kubernetes counts revisions, and the record counts releases, from 1; nine digits last for any of them.
_COUNTED = r"0*([1-9][0-9]{0,8})"


def read_verb(word: str, _: Vocabulary) -> str:
    """A verb of the table."""
    found = same(word, VERBS)
    if found is None:
        meant = SYNONYMS.get(word.casefold()) or closest(word, VERBS)
        names = f"Commands: {', '.join(VERBS)}"
        raise Mistake(f"There is no command {shown(word)}.", instead=meant, names=names)
    return found


def read_version(word: str, _: Vocabulary) -> Version:
    """A version that can be released."""
    try:
        return Version.parse(word)
    except InvalidVersion as error:
        raise Mistake(f"{error.problem}.", instead=error.hint or None) from None


def read_environment(word: str, vocabulary: Vocabulary) -> str:
    """An environment by its whole name: no abbreviation ever means production."""
    return _named(word, vocabulary.environments, "environment", vocabulary.listed)


def read_place(word: str, vocabulary: Vocabulary) -> str:
    """An environment, or `all` of them."""
    names = (*vocabulary.environments, ALL)
    return _named(word, names, "environment", f"{vocabulary.listed}, or {ALL}")


def read_length(word: str, _: Vocabulary) -> timedelta:
    """A length of time, such as `2h`."""
    try:
        return parse_duration(word)
    except ValueError as error:
        raise Mistake(f"{shown(word)} {error}.") from None


def read_time(text: str, _: Vocabulary) -> str:
    """A time as people type it: what it means is known where their time zone is."""
    if not text or len(text) > LONGEST_TIME:
        raise Mistake(f"A time has 1 to {LONGEST_TIME} characters, such as tomorrow 10:00.")
    return text


def read_schedule(word: str, _: Vocabulary) -> str:
    """The id of a scheduled release, such as `S3`; `s3` and `3` will do."""
    found = re.fullmatch(rf"[sS]?{_COUNTED}", word)
    if found is None:
        raise Mistake(f"A scheduled release has a name such as S3; {shown(word)} is not one.")
    return f"S{found[1]}"


def read_strategy(word: str, vocabulary: Vocabulary) -> str:
    """A strategy."""
    names = vocabulary.strategies
    return _named(word, names, "strategy", f"Strategies: {', '.join(names)}")


def read_suite(word: str, vocabulary: Vocabulary) -> str:
    """A validation suite."""
    names = vocabulary.suites
    return _named(word, names, "suite", f"Suites: {', '.join(names) or 'none in buzzy.yaml'}")


def read_services(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Services with commas between them, each once, in the order given."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise Mistake("There is no service in the list.", instead=vocabulary.services[0])
    found: list[str] = []
    guesses = [same(word, vocabulary.services) or closest(word, vocabulary.services) for word in words]
    names = f"Services: {', '.join(vocabulary.services)}"
    for word in words:
        try:
            found.append(_named(word, vocabulary.services, "service", names))
        except Mistake as mistake:
            mended = ",".join(guess for guess in guesses if guess) if all(guesses) else None
            raise Mistake(mistake.problem, meant=mistake.instead, instead=mended, names=names) from None
    return tuple(dict.fromkeys(found))


def read_release(word: str, _: Vocabulary) -> str:
    """The id of a release, such as `R42`; `r42` and `42` will do."""
    found = re.fullmatch(rf"[rR]?{_COUNTED}", word)
    if found is None:
        raise Mistake(f"A release has a name such as R42; {shown(word)} is not one.")
    return f"R{found[1]}"


def read_target(word: str, _: Vocabulary) -> Target:
    """Where a rollback goes: a version has dots, a release has its R, a revision is a bare number."""
    if found := re.fullmatch(rf"[rR]{_COUNTED}", word):
        return ToRelease(f"R{found[1]}")
    if found := re.fullmatch(_COUNTED, word):
        return ToRevision(int(found[1]))
    try:
        return ToVersion(Version.parse(word))
    except InvalidVersion as error:
        problem = (
            f"--to takes a version, a revision or a release (3.2.0, 4 or R37); {shown(word)} is none of them."
        )
        raise Mistake(problem, instead=error.hint if "." in word and error.hint else None) from None


def read_reason(text: str, _: Vocabulary) -> str:
    """Any text that is not too long."""
    if not text:
        raise Mistake("The reason is empty.")
    if len(text) > LONGEST_REASON:
        problem = f"A reason may have {LONGEST_REASON} characters; this one has {len(text)}."
        raise Mistake(problem, meant="to cut it here", instead=f"{text[: LONGEST_REASON - 1].rstrip()}…")
    return text


def _named(word: str, names: tuple[str, ...], kind: str, listed: str) -> str:
    found = same(word, names)
    if found is None:
        raise Mistake(f"There is no {kind} {shown(word)}.", instead=closest(word, names), names=listed)
    return found


READERS: dict[str, Callable[[str, Vocabulary], object]] = {
    "verb": read_verb,
    "version": read_version,
    "environment": read_environment,
    "source": read_environment,
    "strategy": read_strategy,
    "services": read_services,
    "suite": read_suite,
    "release": read_release,
    "to": read_target,
    "reason": read_reason,
    "place": read_place,
    "for": read_length,
    "until": read_time,
    "when": read_time,
    "schedule": read_schedule,
}
"""By the name of the argument or flag."""


def suits(name: str, word: str, vocabulary: Vocabulary, *, nearly: bool = False) -> bool:
    """Whether a word can be read as what is named, or would be but for a slip."""
    try:
        READERS[name](word, vocabulary)
    except Mistake as mistake:
        return nearly and mistake.instead is not None
    return True
