"""The form, the App Home, `approvals` and `diff`: in a browser and in words, on a real cluster's word."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.houses import CHANNELS, PATIENCE, House
from tests.e2e.test_page_journey import PATIENCE_MS, be, keep, page, write

__all__ = ["page"]

OpenHouse = Callable[..., House]
STAGING = CHANNELS["staging"]


@pytest.mark.browser
@pytest.mark.requirement("C8", "C1", "C3")
def test_a_release_from_the_form_approved_on_the_home(open_house: OpenHouse, page: Page) -> None:
    """What is wrong stands at its field; the approver finds it on the home, agrees, and sees it done."""
    house = open_house("staging")
    be(page, house, "U0ALICE", STAGING)
    write(page, "/buzzy release", "#buzzy-staging")
    form = page.get_by_role("dialog", name="Release a version")
    expect(form).to_be_visible(timeout=PATIENCE_MS)
    form.get_by_label("Version").fill("3.2")
    form.get_by_label("hotfix: a patch in a hurry").check()
    form.get_by_role("button", name="Release", exact=True).click()
    expect(form).to_contain_text("Did you mean 3.2.0?")
    expect(form).to_contain_text("A hotfix needs a reason.")
    keep(page, "8-form-with-mistakes")
    form.get_by_label("Version").fill("3.2.1")
    form.get_by_label("no: it goes as any other").check()
    form.get_by_role("textbox", name="Reason").fill("fix export timeout")
    keep(page, "9-form")
    form.get_by_role("button", name="Release", exact=True).click()
    expect(form).to_be_hidden(timeout=PATIENCE_MS)
    asked = page.get_by_role("article").filter(has_text="buzzy 3.2.0 → 3.2.1").first
    expect(asked).to_contain_text("“fix export timeout”", timeout=PATIENCE_MS)
    be(page, house, "U0BOB", "home")
    home = page.get_by_label("App Home")
    expect(home).to_contain_text("it wants your approval", timeout=PATIENCE_MS)
    expect(home).to_contain_text(re.compile(r"staging · 3\.2\.0 · healthy · seen "), timeout=PATIENCE_MS)
    keep(page, "10-home-waiting")
    home.get_by_role("button", name="Approve R1").click()
    expect(home).to_contain_text(re.compile(r"R1 released .* asked by"), timeout=PATIENCE_MS)
    expect(home).to_contain_text(re.compile(r"staging · 3\.2\.1 · healthy"), timeout=PATIENCE_MS)
    expect(home.get_by_role("button", name="Approve R1")).to_have_count(0)
    keep(page, "11-home-released")
    assert set(house.images("staging").values()) == {"3.2.1"}


@pytest.mark.requirement("C8", "C3")
def test_what_waits_for_an_approver_is_found_and_answered(open_house: OpenHouse) -> None:
    """By the one whom it waits for; who asked is told that it waits for others."""
    house = open_house("staging")
    message = house.ask("/buzzy release 3.2.1 staging", "staging")
    house.until(message, "waiting for approval")
    house.alice.command("/buzzy approvals", STAGING)
    told = house.alice.wait_for_ephemeral(STAGING, "Waiting for others", timeout=PATIENCE)
    assert told.buttons == []
    house.bob.command("/buzzy approvals", STAGING)
    told = house.bob.wait_for_ephemeral(STAGING, "it wants your approval", timeout=PATIENCE)
    house.bob.click(told, "Approve R1")
    house.until(message, "🟢")
    house.bob.command("/buzzy approvals", STAGING)
    house.bob.wait_for_ephemeral(STAGING, "Nothing.", after=told, timeout=PATIENCE)


@pytest.mark.requirement("C5")
def test_two_environments_are_compared(open_house: OpenHouse) -> None:
    """As they are at that moment, also what kubectl did; and nothing is changed by asking."""
    house = open_house("development", "staging")
    house.released("/buzzy release 3.2.1 development", "development")
    house.kubectl("staging", "scale", "deployment", "buzzy-api", "--replicas=4")
    before = house.deployments("staging")["buzzy-api"]["metadata"]["generation"]
    house.alice.command("/buzzy diff development staging", STAGING)
    told = house.alice.wait_for_ephemeral(STAGING, "development and staging differ in", timeout=PATIENCE)
    assert re.search(r"buzzy-main +version +3\.2\.1 +3\.2\.0", told.shown)
    assert re.search(r"buzzy-api +version +3\.2\.1 +3\.2\.0\n +pods +\d +4", told.shown)
    assert house.deployments("staging")["buzzy-api"]["metadata"]["generation"] == before
