"""What is said about a line that is no command."""

from __future__ import annotations

from releases.grammar.text import Word


class GrammarError(ValueError):
    """A line that is no command, in the three lines that a person sees.

    `problem` says what is wrong, `meant` asks "Did you mean …?" if there is a good guess, `copy` is a line
    that `parse` takes, and `footer` lists the names that could have been used.
    """

    def __init__(self, problem: str, meant: str | None, copy: str | None, footer: str) -> None:
        first = f"{problem} {meant}" if meant else problem
        super().__init__("\n".join([first, *([f"    {copy}"] if copy else []), footer]))
        self.problem = problem
        self.meant = meant
        self.copy = copy
        self.footer = footer


class Mistake(Exception):  # noqa: N818 - it never leaves the grammar: `parse` makes a `GrammarError` of it
    """One thing that is wrong with a line, and how the line goes without it.

    `instead` replaces the value that is wrong, `mended` is the whole line without the mistake; both are
    None without a good guess. `names` lists what could have been said, such as "Environments: …".
    """

    def __init__(
        self,
        problem: str,
        *,
        meant: str | None = None,
        instead: str | None = None,
        mended: tuple[Word, ...] | None = None,
        names: str | None = None,
    ) -> None:
        super().__init__(problem)
        guess = meant or instead
        self.problem = problem
        self.meant = f"Did you mean {guess}?" if guess else None
        self.instead = instead
        self.mended = mended
        self.names = names
