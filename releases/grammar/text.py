"""What people and their phones type, as plain words.

Slack escapes and marks up what it sends (https://docs.slack.dev/messaging/formatting-message-text), phones
make quotation marks round and pull dashes together, and what is copied from documents brings invisible
characters along. None of it changes what was meant.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
_DOUBLE = '"“”„‟«»'
_SINGLE = "'\u2018\u2019\u201a\u201b"
_QUOTES = _DOUBLE + _SINGLE
_PARTNERS = {
    "“": "”",
    "„": "“",
    "«": "»",
    "»": "«",
    "\u2018": "\u2019",
    "\u201a": "\u2018",
}

# In words outside of quotation marks every dash is a plain one, and a stray quotation mark is dropped.
_TO_ASCII = str.maketrans(dict.fromkeys(_DASHES, "-") | dict.fromkeys(_DOUBLE, ""))

# A mention, a channel, a group, a link or a date: `<…>` or `<…|what people see>`.
_MARKUP = re.compile(
    r"<(?P<kind>[@#!]|(?=[a-zA-Z][a-zA-Z+.-]*:))(?P<target>[^<>|]*)(?:\|(?P<label>[^<>]*))?>"
)
_NEXT_FLAG = re.compile(rf" (?:--|[{_DASHES[1:]}])[{_DASHES}]*\w")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command. One that was quoted, or follows an `=`, is a value and never a flag."""

    text: str
    quoted: bool = False

    @property
    def flag(self) -> str | None:
        """The flag's name without its dashes, or None if the word is no flag."""
        return self.text[2:].casefold() if not self.quoted and self.text.startswith("--") else None


def normalise(text: str) -> str:
    """Text on one line, without Slack's markup and without what cannot be seen.

    Quotation marks and dashes stay as typed: inside a quoted reason they are somebody's words. Doing it
    twice changes nothing more.
    """
    text = "".join(_visible(character) for character in text)
    before = None
    while text != before:  # Behind one escape or markup there may be another; each round shortens the text.
        before, text = text, _MARKUP.sub(_readable, text)
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return " ".join(text.split())


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    if "\uff01" <= character <= "\uff5e":  # full-width forms of ASCII, which Asian keyboards type
        return chr(ord(character) - 0xFEE0)
    # Control and format characters, and halves of surrogate pairs, which cannot be sent on.
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs"} else character


def _readable(found: re.Match[str]) -> str:
    kind, target, label = found["kind"], found["target"], found["label"]
    if not kind:
        return label or target.removeprefix("mailto:")
    if target.startswith("date^"):
        return label or ""
    sign = "#" if kind == "#" else "@"
    return sign + (label or target.removeprefix("subteam^")).removeprefix(sign)


def split(text: str) -> tuple[tuple[Word, ...], bool]:
    """The words of a normalised text, and whether every quotation mark has its partner.

    A quotation mark opens at the start of a word or behind an `=`, and closes where a word ends, so that
    the apostrophe of "don't" does neither. One without a partner quotes what follows up to the next flag.
    """
    words: list[Word] = []
    balanced, position = True, 0
    while position < len(text):
        if text[position] == " ":
            position += 1
        elif text[position] in _QUOTES:
            end = _closing(text, position)
            balanced = balanced and end is not None
            if end is None:
                flag = _NEXT_FLAG.search(text, position)
                end = flag.start() if flag else len(text)
            words.append(Word(_unescaped(text[position + 1 : end]), quoted=True))
            position = end + 1
        else:
            end = _end_of_word(text, position)
            balanced = balanced and not any(mark in _DOUBLE for mark in text[position:end])
            words.extend(_flag_and_value(text[position:end].translate(_TO_ASCII)))
            position = end
    return tuple(words), balanced


def _closing(text: str, start: int) -> int | None:
    """Where the quotation that opens at `start` closes; one quotation may stand inside another."""
    opening = text[start]
    partner = _PARTNERS.get(opening, opening)
    depth, position = 1, start + 1
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1  # What it escapes closes nothing.
        elif character == partner and _ends_word(text, position):
            depth -= 1
            if depth == 0:
                return position
        elif character == opening and text[position - 1] == " ":
            depth += 1
        position += 1
    return _closing_of_another_kind(text, start, partner)


def _closing_of_another_kind(text: str, start: int, partner: str) -> int | None:
    """Keyboards mix them: what opens round may close straight.

    It never closes behind a flag, which would become a part of the text without anybody noticing.
    """
    flag = _NEXT_FLAG.search(text, start)
    stop = flag.start() if flag else len(text)
    kinds = (_DOUBLE if text[start] in _DOUBLE else _SINGLE).replace(partner, "").replace(text[start], "")
    ends = (i for i in range(start + 1, stop) if text[i] in kinds and _ends_word(text, i))
    return next(ends, None)


def _ends_word(text: str, position: int) -> bool:
    while position < len(text) and text[position] in _QUOTES:
        position += 1
    return position == len(text) or text[position] == " "


def _unescaped(text: str) -> str:
    return re.sub(rf"\\([\\{_QUOTES}])", r"\1", text).strip()


def _end_of_word(text: str, start: int) -> int:
    """The next space, or the `=` of a flag that a quoted value follows."""
    for position in range(start, len(text)):
        if text[position] == " ":
            return position
        if (
            text[position - 1] == "="
            and position > start
            and text[position] in _QUOTES
            and text[start] in _DASHES
        ):
            return position
    return len(text)


def _flag_and_value(word: str) -> Iterator[Word]:
    """A word with dashes in front, however many, is a flag; its value may follow an `=`."""
    if not word.strip("-"):
        return  # A dash by itself parts words, as a space does.
    if not re.match(r"-+\w", word):
        yield Word(word)
        return
    name, _, value = word.lstrip("-").partition("=")
    yield Word(f"--{name}")
    if value:
        yield Word(value, quoted=True)
