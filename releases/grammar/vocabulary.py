"""The names that commands may use, and guesses at which of them was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names of one configuration, environments in the order of promotion, services in rollout order.

    `standbys` are those of the environments that follow another.
    """

    environments: tuple[str, ...]
    services: tuple[str, ...]
    strategies: tuple[str, ...] = ("rolling",)
    standbys: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.environments and self.services and self.strategies):
            raise ValueError("there must be an environment, a service and a strategy to speak of")

    @property
    def listed(self) -> str:
        """The environments, for the last line of an answer."""
        return f"Environments: {', '.join(self.environments)}"

    def fill(self, template: str) -> str:
        """A line in which `{environment}`, `{next}`, `{service}` and such stand for real names.

        `{environment}` is the first of the chain: the one where a line that is copied unread does least harm.
        """
        first, *others = self.environments
        return template.format(
            environment=first,
            next=others[0] if others else first,
            standby=[*self.environments, *self.standbys][-1],
            service=self.services[0],
            strategy=self.strategies[0],
            strategies=", ".join(self.strategies),
            suite=self.suites[0] if self.suites else "smoke",
        )


def shown(word: str) -> str:
    """A word in quotation marks, cut if it is long."""
    return f'"{word}"' if len(word) <= _SHOWN else f'"{word[: _SHOWN - 1]}…"'


def same(word: str, names: Iterable[str]) -> str | None:
    """The name that is this word, capitals or not."""
    return next((name for name in names if name.casefold() == word.casefold()), None)


def closest(word: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant, or None: its beginning, its initials, a part of it, or nearly it.

    For questions only ("did you mean …?"). No command acts on a guess.
    """
    word, names = word.casefold(), tuple(names)
    if not word:
        return None
    beginnings = [name for name in names if name.startswith(word)]
    initials = [name for name in names if "".join(part[:1] for part in name.split("-")) == word]
    parts = [name for name in names if word in name.split("-")]
    for found in (beginnings, initials, parts):
        if len(found) == 1:
            return found[0]
    return next(iter(difflib.get_close_matches(word, names, n=1)), None)
