"""The page, in a real browser: what a person sees and does, and that it is there without a reload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from slack_bolt import Ack
from slack_sdk import WebClient

from sandbox.workspace import RunningWorkspace, running_workspace
from tests.integration.workspace_bots import APPROVE, DOT, bolt, connected, plain, sdk, section

pytestmark = pytest.mark.browser

Json = dict[str, Any]

CHANNEL = "C0STAGING"


@pytest.fixture
def workspace() -> Iterator[RunningWorkspace]:
    """A workspace of its own for each test."""
    with running_workspace() as running:
        yield running


@pytest.fixture
def client(workspace: RunningWorkspace) -> WebClient:
    """The bot's client."""
    return sdk(workspace)


@pytest.fixture
def page(workspace: RunningWorkspace, browser: Browser) -> Iterator[Page]:
    """Alice's page at the staging channel. An error in the browser's console fails the test."""
    context = browser.new_context(locale="en-GB", timezone_id="Europe/Berlin")
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    open_as(opened, workspace, "U0ALICE")
    yield opened
    context.close()
    assert errors == []


def open_as(page: Page, workspace: RunningWorkspace, user: str, place: str = CHANNEL) -> None:
    """Open the page as somebody, somewhere."""
    page.goto(f"{workspace.url}/?as={user}#/{place}")
    expect(page.get_by_role("button", name="Switch person")).to_be_visible()


def write(page: Page, text: str, into: str = "Message #buzzy-staging") -> None:
    """Type and send."""
    page.get_by_role("textbox", name=into).fill(text)
    page.keyboard.press("Enter")


class TestReading:
    """What is shown, and how."""

    def test_a_message_appears_and_changes_without_a_reload(self, page: Page, client: WebClient) -> None:
        """Posted, edited in place, answered in a thread, deleted: each is there as it happens."""
        ts = client.chat_postMessage(channel=CHANNEL, text="*R42* waits :hourglass_flowing_sand:")["ts"]
        message = page.locator(f"[data-ts='{ts}'][data-channel='{CHANNEL}']")
        expect(message.get_by_text("R42", exact=True)).to_have_css("font-weight", "700")
        expect(message.get_by_role("img", name="hourglass_flowing_sand")).to_have_text("⏳")
        client.chat_update(channel=CHANNEL, ts=ts, text="R42 released")
        expect(message).to_contain_text("R42 released (edited)")
        client.chat_postMessage(channel=CHANNEL, thread_ts=ts, text="step 1")
        expect(message.get_by_role("button", name="1 reply")).to_be_visible()
        lone = client.chat_postMessage(channel=CHANNEL, text="gone soon")["ts"]
        client.chat_delete(channel=CHANNEL, ts=lone)
        expect(page.locator(f"[data-ts='{lone}']")).to_have_count(0)

    def test_markup_becomes_text_never_code(self, page: Page, client: WebClient) -> None:
        """Names, channels, dates and links are resolved; what looks like HTML is shown as it is."""
        client.chat_postMessage(
            channel=CHANNEL,
            text="<@U0BOB> of <!subteam^S0APPROVERS>, see <#C0RELEASES|x> at "
            "<!date^1767610800^{date_num} {time}|then> or <https://example.com/a|the docs> "
            "`<img src=x onerror=alert(1)>` &lt;b&gt;bold?&lt;/b&gt;",
        )
        message = page.get_by_role("article").last
        expect(message).to_contain_text("@bob of @buzzy-approvers, see #buzzy-releases")
        expect(message).to_contain_text(re.compile(r"at 05/01/2026 12:00 or the docs"))
        expect(message).to_contain_text("<b>bold?</b>")
        expect(message.get_by_role("link", name="the docs")).to_have_attribute(
            "href", "https://example.com/a"
        )
        expect(message.locator("img[src=x]")).to_have_count(0)

    def test_bars_keep_their_alignment(self, page: Page, client: WebClient) -> None:
        """Code is monospaced, full and empty cells alike, and nothing is wrapped."""
        bars = "```buzzy-main ██████ 3/3\nbuzzy-api  ███░░░ 1/2```"
        client.chat_postMessage(channel=CHANNEL, text="R42", blocks=[section(bars)])
        code = page.get_by_role("article").last.locator("pre code")
        expect(code).to_have_css("white-space", "pre")
        widths = code.evaluate(MEASURE, ["██████", "░░░░░░", "iiiiii"])
        assert len({round(width) for width in widths}) == 1

    def test_a_picture_is_shown_in_its_thread(self, page: Page, client: WebClient) -> None:
        """Uploaded, and loaded by the browser."""
        root = client.chat_postMessage(channel=CHANNEL, text="R42 failed")["ts"]
        client.files_upload_v2(
            channel=CHANNEL, thread_ts=root, content=DOT, filename="errors.png", title="Error rate"
        )
        page.get_by_role("button", name="1 reply").click()
        picture = page.get_by_role("complementary", name="Thread").get_by_role("img", name="Error rate")
        expect(picture).to_have_js_property("naturalWidth", 1)

    def test_what_is_new_elsewhere_is_marked(self, page: Page, client: WebClient) -> None:
        """A dot for what is new, a number for what calls this person; both go when it is read."""
        client.chat_postMessage(channel="C0DEV", text="a build")
        expect(page.get_by_role("button", name="buzzy-development, 1 new")).to_be_visible()
        client.chat_postMessage(channel="C0RELEASES", text="<@U0ALICE> your turn")
        releases = page.get_by_role("button", name="buzzy-releases, 1 new")
        expect(releases.locator(".count")).to_have_text("1")
        expect(page).to_have_title(re.compile(r"^\(1\) "))
        releases.click()
        expect(page.get_by_role("button", name="buzzy-releases", exact=True)).to_be_visible()

    def test_a_permalink_opens_at_the_message(self, page: Page, client: WebClient) -> None:
        """Even when it is far up."""
        first = client.chat_postMessage(channel="C0DEV", text="the first of many")["ts"]
        for number in range(40):
            client.chat_postMessage(channel="C0DEV", text=f"number {number}")
        page.goto(client.chat_getPermalink(channel="C0DEV", message_ts=first)["permalink"])
        expect(page.locator(f"[data-ts='{first}']")).to_be_in_viewport()


class TestDoing:
    """What a person does on the page reaches the app, and what it answers comes back."""

    def test_a_command_is_answered_to_one_person(
        self, page: Page, workspace: RunningWorkspace, browser: Browser
    ) -> None:
        """What is "only visible to you" is so: another person's page does not have it."""
        app = bolt(workspace)
        app.command("/buzzy")(lambda ack, command: ack(f"you said {command['text']}"))
        with connected(workspace, app):
            write(page, "/buzzy status staging")
            answer = page.get_by_role("article").last
            expect(answer).to_contain_text("Only visible to you")
            expect(answer).to_contain_text("you said status staging")
            bobs = browser.new_page()
            open_as(bobs, workspace, "U0BOB")
            expect(bobs.get_by_text("you said")).to_have_count(0)
            bobs.close()
            answer.get_by_role("button", name="Dismiss").click()
            expect(page.get_by_text("you said")).to_have_count(0)

    def test_typing_is_helped(self, page: Page) -> None:
        """The command's lines are offered and taken by Tab; arrow up brings back what was sent."""
        write(page, "hello #general")
        expect(page.get_by_role("article").last).to_contain_text("hello #general")
        box = page.get_by_role("textbox", name="Message #buzzy-staging")
        box.press_sequentially("/buzzy rol")
        expect(page.get_by_role("option")).to_contain_text("/buzzy rollback <environment>")
        box.press("Tab")
        expect(box).to_have_value("/buzzy rollback ")
        box.fill("")
        box.press("ArrowUp")
        expect(box).to_have_value("hello #general")

    def test_a_button_asks_first_and_tells_the_app(
        self, page: Page, workspace: RunningWorkspace, client: WebClient
    ) -> None:
        """A confirmation is a dialog: refused nothing happens, confirmed the app hears of it."""
        app = bolt(workspace)

        @app.action("approve")
        def approve(ack: Ack, body: Json, client: WebClient) -> None:
            ack()
            text = f"rolled back by {body['user']['name']}"
            client.chat_update(channel=CHANNEL, ts=body["message"]["ts"], text=text)

        confirm = {
            "title": plain("Roll back?"),
            "text": plain("Staging goes back to 3.2.0."),
            "confirm": plain("Do it"),
            "deny": plain("Keep it"),
        }
        element = APPROVE["elements"][0] | {"confirm": confirm, "text": plain("Roll back")}
        client.chat_postMessage(channel=CHANNEL, text="R42", blocks=[APPROVE | {"elements": [element]}])
        with connected(workspace, app):
            page.get_by_role("button", name="Roll back").click()
            page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
            assert workspace.deliveries("interactive") == []
            page.get_by_role("button", name="Roll back").click()
            page.get_by_role("dialog").get_by_role("button", name="Do it").click()
            expect(page.get_by_role("article").last).to_contain_text("rolled back by alice")

    def test_a_click_is_not_lost_to_an_edit(
        self, page: Page, workspace: RunningWorkspace, client: WebClient
    ) -> None:
        """A message that changes every second still takes the click that was begun before the change."""
        ts = client.chat_postMessage(channel=CHANNEL, text="R42", blocks=[section("1 of 3"), APPROVE])["ts"]
        page.get_by_role("button", name="Approve").hover()
        page.mouse.down()
        client.chat_update(channel=CHANNEL, ts=ts, text="R42", blocks=[section("2 of 3"), APPROVE])
        client.chat_postMessage(channel="C0DEV", text="what comes after the edit")
        expect(page.get_by_role("button", name="buzzy-development, 1 new")).to_be_visible()
        page.mouse.up()
        expect(page.get_by_text("2 of 3")).to_be_visible()
        delivery = workspace.wait_for_delivery("interactive")
        assert delivery.payload["actions"][0]["action_id"] == "approve"

    def test_a_reaction_is_toggled_and_picked(self, page: Page, client: WebClient) -> None:
        """A click on a pill adds and takes back; the picker finds any other."""
        ts = client.chat_postMessage(channel=CHANNEL, text="approve?")["ts"]
        client.reactions_add(channel=CHANNEL, timestamp=ts, name="white_check_mark")
        pill = page.locator(f"[data-ts='{ts}'] [data-name=white_check_mark]")
        pill.click()
        expect(pill).to_have_text("✅2")
        expect(pill).to_have_attribute("aria-pressed", "true")
        pill.click()
        expect(pill).to_have_text("✅1")
        page.get_by_role("button", name="Add a reaction").click()
        page.get_by_role("searchbox", name="Find an emoji").fill("rocket")
        page.keyboard.press("Enter")
        expect(page.locator(f"[data-ts='{ts}'] [data-name=rocket]")).to_have_text("🚀1")

    def test_a_thread_is_written_in(self, page: Page, workspace: RunningWorkspace) -> None:
        """Beside the channel; the reply is not in the channel itself."""
        write(page, "how is it going?")
        page.get_by_role("article").last.hover()
        page.get_by_role("button", name="Reply in thread").click()
        write(page, "well", into="Reply in thread")
        thread = page.get_by_role("complementary", name="Thread")
        expect(thread.get_by_role("article")).to_have_count(2)
        expect(page.get_by_role("button", name="1 reply")).to_be_visible()
        (root,) = workspace.person("bob").messages(CHANNEL)
        assert [reply.text for reply in workspace.person("bob").thread(root)] == ["well"]

    def test_a_form_is_filled_in(self, page: Page, workspace: RunningWorkspace) -> None:
        """Required fields are asked for, the app's complaints are shown, and then it closes."""
        app = bolt(workspace)

        @app.command("/buzzy")
        def command(ack: Ack, command: Json, client: WebClient) -> None:
            ack()
            client.views_open(trigger_id=command["trigger_id"], view=FORM)

        @app.view("release")
        def submitted(ack: Ack, view: Json, client: WebClient) -> None:
            values = view["state"]["values"]
            if values["version"]["text"]["value"] == "9.9.9":
                ack(response_action="errors", errors={"version": "There is no such tag."})
                return
            ack()
            where = values["environment"]["select"]["selected_option"]["value"]
            who = values["owner"]["user"]["selected_user"]
            client.chat_postMessage(channel=CHANNEL, text=f"planning for {where}, owner <@{who}>")

        with connected(workspace, app):
            write(page, "/buzzy")
            form = page.get_by_role("dialog", name="New release")
            form.get_by_role("button", name="Plan it").click()
            expect(form.get_by_text("Please complete this required field.")).to_have_count(3)
            form.get_by_label("Version").fill("9.9.9")
            form.get_by_label("Environment").select_option("staging")
            form.get_by_label("Owner").select_option("U0DAN")
            form.get_by_role("button", name="Plan it").click()
            expect(form.get_by_text("There is no such tag.")).to_be_visible()
            form.get_by_label("Version").fill("3.2.1")
            form.get_by_role("button", name="Plan it").click()
            expect(form).to_have_count(0)
            expect(page.get_by_role("article").last).to_contain_text("planning for staging, owner @dan")

    def test_the_home_is_opened_by_looking_at_it(self, page: Page, workspace: RunningWorkspace) -> None:
        """The app hears that somebody looks, publishes, and it is there."""
        app = bolt(workspace, "app_home_opened")

        @app.event("app_home_opened")
        def opened(event: Json, client: WebClient) -> None:
            view = {"type": "home", "blocks": [section(f"Hello <@{event['user']}>, staging runs 3.2.1")]}
            client.views_publish(user_id=event["user"], view=view)

        with connected(workspace, app):
            page.get_by_role("button", name="Buzzy Home").click()
            expect(page.get_by_label("App Home")).to_contain_text("Hello @alice, staging runs 3.2.1")


class TestBeingSomebody:
    """Switching, and losing the workspace for a moment."""

    def test_one_becomes_somebody_else(self, page: Page, workspace: RunningWorkspace) -> None:
        """Without a reload; a guest sees one channel only."""
        page.get_by_role("button", name="Switch person").click()
        page.get_by_role("menuitemradio", name="Gus Gast").click()
        expect(page.get_by_role("button", name="You are Gus Gast")).to_be_visible()
        expect(page.get_by_role("navigation").get_by_role("button", name="buzzy-")).to_have_count(1)
        write(page, "hello from a guest")
        (message,) = workspace.person("bob").messages(CHANNEL)
        assert message.user == "U0GUEST"

    def test_it_comes_back_by_itself(self, page: Page) -> None:
        """The workspace is restarted on its port: the page says so, reconnects and goes on."""
        with running_workspace() as first:
            open_as(page, first, "U0ALICE")
            port = int(first.url.rpartition(":")[2])
        expect(page.get_by_text("Reconnecting")).to_be_visible()
        with running_workspace(port=port) as second:
            expect(page.get_by_text("Buzzy is not connected")).to_be_visible()
            sdk(second).chat_postMessage(channel=CHANNEL, text="after the restart")
            expect(page.get_by_role("article").last).to_contain_text("after the restart")

    def test_a_phone_shows_one_thing_at_a_time(self, page: Page, client: WebClient) -> None:
        """The channels are behind a button, and nothing is wider than the screen."""
        page.set_viewport_size({"width": 375, "height": 700})
        client.chat_postMessage(channel=CHANNEL, text="x", blocks=[section(f"```{'wide ' * 60}```"), APPROVE])
        expect(page.get_by_role("button", name="Approve")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        assert page.locator(".message-list").first.evaluate("node => node.scrollWidth") <= 375
        page.get_by_role("button", name="Open the list of channels").click()
        page.get_by_role("button", name="general", exact=True).click()
        expect(page.get_by_role("heading", name="#general").first).to_be_visible()


MEASURE = """(node, texts) => texts.map((text) => {
    const span = document.createElement("span");
    span.textContent = text;
    node.append(span);
    const { width } = span.getBoundingClientRect();
    span.remove();
    return width;
})"""
"""How wide each text is in the type of a node."""

FORM: Json = {
    "type": "modal",
    "callback_id": "release",
    "title": plain("New release"),
    "submit": plain("Plan it"),
    "blocks": [
        {
            "type": "input",
            "block_id": "version",
            "label": plain("Version"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        },
        {
            "type": "input",
            "block_id": "environment",
            "label": plain("Environment"),
            "element": {
                "type": "static_select",
                "action_id": "select",
                "options": [{"text": plain("Staging"), "value": "staging"}],
            },
        },
        {
            "type": "input",
            "block_id": "owner",
            "label": plain("Owner"),
            "element": {"type": "users_select", "action_id": "user"},
        },
    ],
}
