"""The release notes of a version: fetched from where buzzy.yaml says, and read as plain text.

Whatever the page holds, what comes out is lines of text: nothing of it is ever markup of ours. A page that
does not come in time, is too long or is not there is no reason to stop anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from markdown_it import MarkdownIt

SECONDS = 5.0
BYTES = 512 * 1024
LINES, LINE = 14, 240
MOST_REDIRECTS = 3

_HTML = {"text/html", "application/xhtml+xml"}
_MARKDOWN = {"text/markdown", "text/x-markdown"}
_ASIDE = [
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "form",
    "nav",
    "header",
    "footer",
    "aside",
    "iframe",
]
_BLOCKS = {
    "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "li", "main", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul",
}  # fmt: skip


class NotesError(Exception):
    """The notes cannot be shown. Its text goes on after `the release notes`, without a full stop."""


def read_notes(url: str) -> tuple[str, ...]:
    """The first lines of the notes at an address. Raises `NotesError`."""
    kind, content = _fetch(url)
    text = content.decode("utf-8", errors="replace")
    if kind in _HTML:
        lines = html_lines(text)
    elif kind in _MARKDOWN or url.endswith((".md", ".markdown")):
        lines = markdown_lines(text)
    elif kind.startswith("text/"):
        lines = (" ".join(line.split()) for line in text.splitlines())
    else:
        raise NotesError("are no text")
    shown = excerpt(lines)
    if not shown:
        raise NotesError("are empty")
    return shown


def excerpt(lines: Iterator[str]) -> tuple[str, ...]:
    """The first lines that say something, each cut where it is too long."""
    shown: list[str] = []
    for line in lines:
        if not line:
            continue
        if len(shown) == LINES:
            return (*shown, "…")
        shown.append(line if len(line) <= LINE else line[: LINE - 1] + "…")
    return tuple(shown)


def markdown_lines(text: str) -> Iterator[str]:
    """Markdown as lines of text; HTML in it is read as HTML."""
    return html_lines(MarkdownIt("commonmark", {"html": True}).render(text))


def html_lines(text: str) -> Iterator[str]:
    """What a page says, without what stands around it: a line for each block of text."""
    page = BeautifulSoup(text, "html.parser")
    for aside in page.find_all(_ASIDE):
        aside.decompose()
    line: list[str] = []
    for piece in _pieces(page.find("main") or page.find("article") or page.body or page):
        if piece is not None:
            line.append(piece)
            continue
        yield " ".join("".join(line).split())
        line.clear()
    yield " ".join("".join(line).split())


def _pieces(tag: Tag) -> Iterator[str | None]:
    """The text of a tag, with None where a line ends."""
    for child in tag.children:
        if isinstance(child, Tag):
            block = child.name in _BLOCKS
            if block:
                yield None
            if child.name == "li":
                yield "• "
            yield from _pieces(child)
            if block:
                yield None
        elif type(child) is NavigableString:  # not a comment, nor another kind of it
            yield str(child)


def _fetch(url: str) -> tuple[str, bytes]:
    """The kind of a page, and what is in it."""
    until = time.monotonic() + SECONDS
    content = b""
    try:
        with (
            httpx.Client(timeout=SECONDS, follow_redirects=True, max_redirects=MOST_REDIRECTS) as client,
            client.stream("GET", url, headers={"Accept": "text/markdown, text/html, text/plain"}) as response,
        ):
            if response.status_code == 404:
                raise NotesError("are not there")
            if response.status_code != 200:
                raise NotesError(f"cannot be read (code {response.status_code})")
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) >= BYTES:
                    break
                if time.monotonic() >= until:
                    raise NotesError("do not come in time")
    except httpx.TimeoutException as error:
        raise NotesError("do not come in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotesError("cannot be reached") from error
    return response.headers.get("Content-Type", "text/plain").partition(";")[0].strip().lower(), content[
        :BYTES
    ]
