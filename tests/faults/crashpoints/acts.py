"""What a call to Redis, Kubernetes or Slack does, in a few words; None when it only reads.

A kill between two reads is a kill right after the effect before them: others see the same. So what only
reads is no boundary. What is not known to only read counts as an effect.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs, urlsplit

from releases.chain import read_line
from releases.record import scripts

_SLACK_READS = re.compile(r"^(auth\.test|chat\.getPermalink|.*\.(info|list|get|history|replies))$")
_KUBE_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_NAMESPACED = re.compile(r"/namespaces/[^/]+/([^/]+)")
_CALL = re.compile(r"redis\.p?call\(\s*['\"](\w+)")
_TAKING = frozenset({"blpop", "blmove", "lmove", "lpop", "xreadgroup", "xautoclaim"})

_NAMES = {
    hashlib.sha1(text.encode()).hexdigest(): (name.lower(), text)  # noqa: S324 - as Redis names a script
    for name, text in vars(scripts).items()
    if name.isupper() and isinstance(text, str)
}


class Redis:
    """Tells what commands do, for a server that said which commands write."""

    def __init__(self, writing: Iterable[str]) -> None:
        """`writing` are the commands that the server flags so, in lower case."""
        self._writing = frozenset(writing)

    def command(self, arguments: Sequence[object]) -> str | None:
        """What one command does."""
        words = [_text(each) for each in arguments]
        name = words[0].lower()
        if name in {"evalsha", "eval"}:
            return self._script(words)
        return f"redis {name}" if name in self._writing else None

    def pipeline(self, commands: Iterable[Sequence[object]]) -> str | None:
        """What a transaction does: all of it happens or nothing."""
        names = [_text(each[0]).lower() for each in commands]
        writes = sorted({name for name in names if name in self._writing or name in {"evalsha", "eval"}})
        return f"redis transaction {' '.join(writes)}" if writes else None

    def _script(self, words: list[str]) -> str | None:
        name, text = _NAMES.get(words[1], ("script", ""))
        called = {each.lower() for each in _CALL.findall(text)}
        if text and not called & self._writing:
            return None
        return " ".join([f"redis {name}", *_events(words[2:])])


def took_nothing(act: str, answer: object) -> bool:
    """Whether a wait for something ended without it: then nothing has happened."""
    if act.removeprefix("redis ") not in _TAKING:
        return False
    if isinstance(answer, (list, tuple)) and len(answer) == 3:  # XAUTOCLAIM's cursor, entries, deleted ones
        return not answer[1]
    return not answer


def kubernetes(method: str, url: str) -> str | None:
    """What a request to the API server does."""
    address = urlsplit(url)
    if method.upper() in _KUBE_READS or "All" in parse_qs(address.query).get("dryRun", ()):
        return None
    named = _NAMESPACED.search(address.path)
    return f"cluster {method.lower()} {named[1] if named else address.path}"


def slack(method: str) -> str | None:
    """What a call of Slack's Web API does."""
    return None if _SLACK_READS.match(method) else f"slack {method}"


def _events(words: Iterable[str]) -> list[str]:
    """The names of the events among a script's arguments."""
    names = []
    for word in words:
        text = read_line(word).text  # events are stored with their hashes in front
        if text.startswith("{"):
            try:
                named = json.loads(text).get("event")
            except (ValueError, AttributeError):
                continue
            names += [named] if isinstance(named, str) else []
    return names


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
