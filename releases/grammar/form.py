"""A form's fields as the command that somebody could have typed, read by the same readers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from releases.grammar.commands import Release
from releases.grammar.errors import Mistake
from releases.grammar.text import normalise
from releases.grammar.values import READERS
from releases.grammar.vocabulary import Vocabulary

REQUIRED = ("version", "environment")
OPTIONAL = ("services", "strategy", "reason")
HURRY = {"hotfix": "A hotfix", "security": "A security release"}


class FormError(ValueError):
    """Fields that are not filled in as they must be; `problems` says by field what is wrong."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


def read_form(fields: Mapping[str, str], vocabulary: Vocabulary) -> Release:
    """The release that a form asks for; Raises `FormError`.

    `hurry` is `hotfix` or `security`; anything else is no hurry.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name in (*REQUIRED, *OPTIONAL):
        text = normalise(fields.get(name, ""))
        if not text:
            if name in REQUIRED:
                problems[name] = f"The {name} is missing."
            continue
        try:
            values[name] = READERS[name](text, vocabulary)
        except Mistake as mistake:
            problems[name] = f"{mistake.problem} {mistake.meant}" if mistake.meant else mistake.problem
    hurry = fields.get("hurry", "")
    if hurry in HURRY:
        values[hurry] = True
        if "reason" not in values and "reason" not in problems:
            problems["reason"] = f"{HURRY[hurry]} needs a reason."
    if problems:
        raise FormError(problems)
    return Release(**values)
