"""Emoji by Slack's short names, from the same table as the page's."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

TABLE = Path(__file__).parent / "static" / "emoji.json"
SKIN_TONES = {f"skin-tone-{number}": chr(0x1F3F9 + number) for number in range(2, 7)}


@functools.cache
def emoji_by_name() -> dict[str, str]:
    """Short name to character, aliases included: `+1` and `thumbsup` alike."""
    table: dict[str, str] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def character(name: str) -> str:
    """The emoji of a name such as `white_check_mark` or `+1::skin-tone-3`; `:name:` if there is none."""
    base, _, tone = name.partition("::")
    found = emoji_by_name().get(base)
    return f":{name}:" if found is None else found + SKIN_TONES.get(tone, "")


def is_emoji(name: str) -> bool:
    """Whether a reaction may be called `name`."""
    base, separator, tone = name.partition("::")
    return base in emoji_by_name() and (not separator or tone in SKIN_TONES)


def with_characters(text: str) -> str:
    """`text` with each `:short_name:` that there is replaced by its emoji."""
    pattern = r":([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):"
    return re.sub(pattern, lambda match: character(match[1]) if is_emoji(match[1]) else match[0], text)
