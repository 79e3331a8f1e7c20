"""Help: what one can say, from the grammar's own table."""

from __future__ import annotations

from bot.messages.bars import table
from bot.messages.parts import Message, Piece, bold, code, lines, message, monospace, phrase
from releases.grammar import HelpEntry


def help_message(entries: tuple[HelpEntry, ...]) -> Message:
    """One verb with its flags and examples, or all verbs with an example each."""
    if len(entries) == 1:
        return _about(entries[0])
    return message(
        "What you can say to Buzzy",
        lines(
            [bold("What you can say")],
            *(phrase(code(entry.examples[0]), f"  {entry.summary}") for entry in entries),
            phrase(code("release"), "  alone opens a form, in Slack."),
            phrase("More about one of them: ", code("/buzzy help release")),
            phrase("React with ✅ or ❌ to a release's message, or press its buttons, to approve or refuse."),
        ),
    )


def _about(entry: HelpEntry) -> Message:
    flags: Piece | None = (
        monospace(table((flag.usage, flag.about) for flag in entry.flags)) if entry.flags else None
    )
    return message(
        f"{entry.usage}: {entry.summary}",
        lines([bold(entry.summary)], [code(entry.usage)]),
        flags,
        lines(["For example"]),
        monospace(entry.examples),
    )
