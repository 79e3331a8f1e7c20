"""The main job in a browser: typed, approved and watched on the sandbox's page, as a person does it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.houses import CHANNELS, House

pytestmark = pytest.mark.browser

PATIENCE_MS = 60_000
BARS = re.compile("[█░]+")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window as wide as a laptop's. An error in the browser's console fails the test."""
    context = browser.new_context(
        locale="en-GB", timezone_id="Europe/Berlin", viewport={"width": 1280, "height": 860}
    )
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


def keep(page: Page, name: str) -> None:
    """Keep a picture of what is on the screen where BUZZY_SHOTS says, for people to look at."""
    if folder := os.environ.get("BUZZY_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def be(page: Page, house: House, user: str, channel: str) -> None:
    """Open the page as somebody."""
    page.goto(f"{house.workspace.url}/?as={user}#/{channel}")


def write(page: Page, line: str, channel: str) -> None:
    """Type a line and send it."""
    page.get_by_role("textbox", name=f"Message {channel}").fill(line)
    page.keyboard.press("Enter")


@pytest.mark.requirement("C1", "C2", "C3")
def test_a_release_typed_approved_and_watched(open_house: Callable[..., House], page: Page) -> None:
    """The requester types; two approvers click a reaction; the bars move; the thread has the story."""
    house = open_house("production")
    house.arena.behave("buzzybuzz/buzzy-api:3.2.1", "slow")
    be(page, house, "U0ALICE", CHANNELS["production"])
    write(page, '/buzzy release 3.2.1 production --reason "fix export timeout"', "#buzzy-releases")
    asked = page.get_by_role("article").filter(has_text="buzzy 3.2.0 → 3.2.1").first
    expect(asked).to_contain_text("waiting for 2 of 2 approvals", timeout=PATIENCE_MS)
    keep(page, "1-waiting")
    release = page.get_by_role("main").locator(f"[data-ts='{asked.get_attribute('data-ts')}']")
    be(page, house, "U0BOB", CHANNELS["production"])
    release.hover()
    release.get_by_role("button", name="React with white_check_mark").click()
    expect(release).to_contain_text("waiting for 1 of 2 approvals", timeout=PATIENCE_MS)
    keep(page, "2-one-approval")
    be(page, house, "U0CAROL", CHANNELS["production"])
    release.locator("[data-name='white_check_mark']").click()
    release.get_by_role("button", name=re.compile("repl(y|ies)")).click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(release).to_contain_text("service 2 of 4", timeout=PATIENCE_MS)
    expect(thread).to_contain_text("Started", timeout=PATIENCE_MS)
    page.mouse.move(640, 200)
    keep(page, "3-running")
    bars = set()
    while "🟢" not in (text := release.inner_text()):
        bars.add(tuple(BARS.findall(text)))
        page.wait_for_function(
            "([ts, before]) => document.querySelector(`[data-ts='${ts}']`).innerText !== before",
            arg=[release.get_attribute("data-ts"), text],
        )
    assert len(bars) > 2, bars
    expect(release).to_contain_text("released in")
    expect(thread).to_contain_text("all services verified", timeout=PATIENCE_MS)
    expect(thread).to_contain_text("released in", timeout=PATIENCE_MS)
    keep(page, "4-released")


@pytest.mark.requirement("C9")
def test_a_wrong_command_is_answered_beside_the_box(open_house: Callable[..., House], page: Page) -> None:
    """Only the one who typed it sees what was meant and a line to copy."""
    house = open_house("staging")
    be(page, house, "U0ALICE", CHANNELS["staging"])
    write(page, "/buzzy release 3.2.1 stagign", "#buzzy-staging")
    answer = page.get_by_role("article").last
    expect(answer).to_contain_text("Did you mean staging?", timeout=PATIENCE_MS)
    expect(answer).to_contain_text("/buzzy release 3.2.1 staging")
    keep(page, "5-wrong")


@pytest.mark.requirement("C2")
def test_a_failure_and_its_rollback(open_house: Callable[..., House], page: Page) -> None:
    """The failure is red and says why; on-call finds the alert and goes back with one button."""
    house = open_house("staging")
    house.arena.behave("3.3.0", "crash")
    message = house.ask("/buzzy release 3.3.0 staging", "staging")
    house.until(message, "waiting for approval")
    house.bob.react(message, "white_check_mark")
    house.until(message, "failed at buzzy-main")
    be(page, house, "U0ERIN", "C0ONCALL")
    alert = page.get_by_role("main").get_by_role("article").last
    expect(alert).to_contain_text("crash", timeout=PATIENCE_MS)
    alert.get_by_role("button", name=re.compile("repl(y|ies)")).click()
    expect(page.get_by_role("complementary", name="Thread")).to_contain_text("CrashLoopBackOff")
    keep(page, "6-alert")
    alert.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    be(page, house, "U0ERIN", CHANNELS["staging"])
    rollback = page.get_by_role("article").filter(has_text="rollback of buzzy").first
    expect(rollback).to_contain_text("rolled back in", timeout=PATIENCE_MS)
    keep(page, "7-rolled-back")
