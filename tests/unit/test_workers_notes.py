"""Release notes as plain text: whatever they are written in, whatever is in them, however long they take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.serving import serve
from workers.notes import LINE, LINES, NotesError, html_lines, markdown_lines, read_notes

PAGE = """<html><head><title>T</title><style>p {}</style></head><body><nav>All versions</nav><main>
<h1>Buzzy 3.2.1</h1><p>What is <b>new</b>:<br>a lot</p><!-- hidden -->
<ul><li>Exports &amp; files</li><li><a href="https://x">Faster</a> lists</li></ul>
<script>alert(1)</script></main><footer>©</footer></body></html>"""


@contextmanager
def page(answer: Callable[[Request], Response]) -> Iterator[str]:
    """A page that is answered so; its address."""

    async def any_path(request: Request) -> Response:
        return answer(request)

    with serve(Starlette(routes=[Route("/{path:path}", any_path)])) as served:
        yield f"{served.url}/3.2.1/notes"


@pytest.mark.requirement("V5")
def test_a_page_is_its_text_line_by_line() -> None:
    """What stands around it is left out; a line for each block."""
    wanted = ("Buzzy 3.2.1", "What is new:", "a lot", "• Exports & files", "• Faster lists")
    with page(lambda _: Response(PAGE, media_type="text/html")) as url:
        assert read_notes(url) == wanted


@pytest.mark.requirement("V5")
def test_markdown_is_read_as_markdown() -> None:
    """By its type, or by the end of its address."""
    text = "# Buzzy 3.2.1\n\n* Exports **no longer** time out\n* See [docs](https://x)\n\n`code`\n"
    wanted = ("Buzzy 3.2.1", "• Exports no longer time out", "• See docs", "code")
    with page(lambda _: Response(text, media_type="text/markdown; charset=utf-8")) as url:
        assert read_notes(url) == wanted
    with page(lambda _: Response(text, media_type="text/plain")) as url:
        assert read_notes(f"{url}.md") == wanted
        assert read_notes(url)[0] == "# Buzzy 3.2.1"


@pytest.mark.requirement("V5")
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda _: Response("?", 404), "are not there"),
        (lambda _: Response("?", 500), r"cannot be read \(code 500\)"),
        (lambda _: Response(b"\x00", media_type="application/pdf"), "are no text"),
        (
            lambda _: Response("<html><body><script>x</script></body></html>", media_type="text/html"),
            "are empty",
        ),
        (lambda request: RedirectResponse(str(request.url)), "cannot be reached"),
    ],
    ids=["404", "500", "pdf", "empty", "circle"],
)
def test_what_cannot_be_shown_says_why(answer: Callable[[Request], Response], says: str) -> None:
    """In a few words; nothing of the page is in them."""
    with page(answer) as url, pytest.raises(NotesError, match=says):
        read_notes(url)


@pytest.mark.requirement("V5")
def test_notes_are_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that does not come, or does not end, or is nowhere."""
    monkeypatch.setattr("workers.notes.SECONDS", 0.2)

    async def silent(_: Request) -> Response:
        await asyncio.sleep(30)
        return Response()

    with serve(Starlette(routes=[Route("/", silent)])) as served, pytest.raises(NotesError, match="in time"):
        read_notes(served.url)
    with pytest.raises(NotesError, match="cannot be reached"):
        read_notes(served.url)


@pytest.mark.requirement("V5")
def test_long_notes_are_cut() -> None:
    """After so many lines, characters and bytes."""
    long = "\n".join("x" * 1000 for _ in range(2000))
    with page(lambda _: Response(long, media_type="text/plain")) as url:
        shown = read_notes(url)
    assert len(shown) == LINES + 1
    assert shown[-1] == "…"
    assert {len(line) for line in shown[:-1]} == {LINE}


def test_broken_pages_are_read_as_far_as_they_go() -> None:
    """HTML that nobody closed, HTML within Markdown."""
    assert [line for line in html_lines("<p>a<p>b<li>c") if line] == ["a", "b", "• c"]
    assert [line for line in markdown_lines("a <script>x</script> b\n\n<nav>n</nav>\n") if line] == ["a b"]
