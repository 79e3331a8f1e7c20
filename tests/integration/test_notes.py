"""Release notes from the page into the thread."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from releases import events as e
from releases.lifecycle import State
from releases.record import Store
from sandbox.serving import serve
from tests.integration.bot_house import STAGING, now, open_house
from tests.integration.workers_world import CONFIG, world

URL = "https://docs.example.com/3.2.1/notes"


@pytest.mark.requirement("V5")
def test_a_worker_reads_them_beside_the_release(store: Store, tmp_path: Path) -> None:
    """Once a release, from the address of its version; a page that is not there stops nothing."""
    asked: list[str] = []

    async def notes(request: Request) -> Response:
        asked.append(request.url.path)
        return HTMLResponse(
            "<h1>New</h1>" if "3.2.1" in request.url.path else "", 200 if len(asked) == 1 else 404
        )

    with serve(Starlette(routes=[Route("/{path:path}", notes)])) as served:
        config = f"documentation: {served.url}/{{version}}/notes\n{CONFIG}"
        with world(store, tmp_path, config=config) as stage:
            first = stage.release("3.2.1")
            second = stage.release("3.2.2")
            stage.queue.put("validation", "notes", second.id)
            stage.work()
            told = [
                [each for each in stage.events(release.id) if isinstance(each, e.NotesRead)]
                for release in (first, second)
            ]
    assert first.state is second.state is State.RELEASED
    assert asked == ["/3.2.1/notes", "/3.2.2/notes"]
    assert [(each.lines, each.problem) for each in told[0]] == [(("New",), "")]
    assert [(each.lines, each.problem) for each in told[1]] == [((), "are not there")]


@pytest.mark.requirement("V5")
def test_they_stand_in_the_thread_as_text(redis_url: str) -> None:
    """Linked from the message; what somebody wrote into them mentions nobody and links nowhere."""
    with open_house(redis_url) as house:
        message = house.ask("/buzzy release 3.2.1 staging", STAGING)
        plan = house.planned("R1")
        replanned = plan.model_copy(update={"notes": URL})
        house.append("R1", e.ReplanRequested(at=now(), because="?"), e.PlanProposed(at=now(), plan=replanned))
        lines = ("Exports <!channel> no longer time out", "*bold* <https://evil.example|click>")
        house.append("R1", e.NotesRead(at=now(), url=URL, lines=lines))
        alice = house.person("alice")
        reply = alice.wait_for_reply(message, "Release notes")
        for line in lines:
            assert line in reply.shown
        texts = [
            each
            for block in reply.data["blocks"]
            for section in block["elements"]
            for each in section["elements"]
        ]
        assert {each["type"] for each in texts} == {"text", "link"}
        assert [each["url"] for each in texts if each["type"] == "link"] == [URL]
        assert "release notes" in house.until(message, "release notes").shown
        house.append("R1", e.NotesRead(at=now(), url=URL, problem="are not there"))
        alice.wait_for_reply(message, "they are not there; nothing waits for them")
