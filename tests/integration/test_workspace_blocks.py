"""The limits of Block Kit, and the words in which Slack refuses what is over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.workspace import running_workspace
from tests.integration.workspace_bots import plain, sdk, section

Json = dict[str, Any]


@pytest.fixture(scope="module")
def client() -> Iterator[WebClient]:
    """One workspace for all: what is refused leaves nothing behind."""
    with running_workspace() as workspace:
        yield sdk(workspace)


def button(**changes: object) -> Json:
    """A button in a block of its own."""
    return {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "go", "text": plain("Go"), **changes}],
    }


def fields(number: int) -> Json:
    """A section with so many fields."""
    return {"type": "section", "fields": [plain("x")] * number}


def select(number: int) -> Json:
    """A menu with so many choices."""
    options = [{"text": plain(str(each)), "value": str(each)} for each in range(number)]
    return {"type": "actions", "elements": [{"type": "static_select", "action_id": "s", "options": options}]}


REFUSED = {
    "51 blocks": ([section("x")] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "long section": (
        [section("x" * 3_001)],
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ),
    "empty section": ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "bare section": (
        [{"type": "section"}],
        "missing required field: text or fields [json-pointer:/blocks/0]",
    ),
    "long header": (
        [{"type": "header", "text": plain("x" * 151)}],
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    "mrkdwn header": (
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        "must be a plain_text text object [json-pointer:/blocks/0/text]",
    ),
    "11 fields": ([fields(11)], "no more than 10 items allowed [json-pointer:/blocks/0/fields]"),
    "long button": (
        [button(text=plain("x" * 76))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "long value": (
        [button(value="x" * 2_001)],
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "long action id": (
        [button(action_id="x" * 256)],
        "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
    ),
    "unknown style": (
        [button(style="warning")],
        "unsupported style: warning [json-pointer:/blocks/0/elements/0/style]",
    ),
    "bare confirmation": (
        [button(confirm={"title": plain("Sure?"), "text": plain("x"), "confirm": plain("Yes")})],
        "missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]",
    ),
    "26 buttons": (
        [
            {
                "type": "actions",
                "elements": [button()["elements"][0] | {"action_id": f"b{n}"} for n in range(26)],
            }
        ],
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "one action id twice": (
        [{"type": "actions", "elements": button()["elements"] * 2}],
        "`action_id` must be unique within a block [json-pointer:/blocks/0/elements]",
    ),
    "one block id twice": (
        [section("x") | {"block_id": "b"}, section("y") | {"block_id": "b"}],
        "`block_id` b already exists [json-pointer:/blocks/1/block_id]",
    ),
    "101 options": (
        [select(101)],
        "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]",
    ),
    "no options": (
        [select(0)],
        "must provide at least one option [json-pointer:/blocks/0/elements/0/options]",
    ),
    "11 in a context": (
        [{"type": "context", "elements": [plain("x")] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "picture without words": (
        [{"type": "image", "image_url": "https://example.com/x.png"}],
        "missing required field: alt_text [json-pointer:/blocks/0]",
    ),
    "unknown block": ([{"type": "fancy"}], "unsupported type: fancy [json-pointer:/blocks/0/type]"),
}


@pytest.mark.parametrize(("blocks", "fault"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_over_a_limit_is_refused(client: WebClient, blocks: list[Json], fault: str) -> None:
    """Slack says `invalid_blocks` and points at the place, with and without its prefix."""
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="C0DEV", text="x", blocks=blocks)
    answer: Json = caught.value.response.data
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [fault]
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {fault}"]


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x" * 240)] * 50,
        [section("x" * 3_000)],
        [fields(10)],
        [button(text=plain("x" * 75), value="x" * 2_000, action_id="x" * 255)],
        [select(100)],
        [{"type": "markdown", "text": "x" * 12_000}],
    ],
    ids=["50 blocks", "section", "fields", "button", "options", "markdown"],
)
def test_what_is_just_at_a_limit_is_taken(client: WebClient, blocks: list[Json]) -> None:
    """The limits are Slack's, not narrower ones."""
    assert client.chat_postMessage(channel="C0DEV", text="x", blocks=blocks)["ok"]


def test_a_message_is_limited_as_a_whole(client: WebClient) -> None:
    """Each block may be fine and the message too long all the same."""
    with pytest.raises(SlackApiError, match="msg_blocks_too_long"):
        client.chat_postMessage(channel="C0DEV", text="x", blocks=[section("x" * 2_700)] * 5)


def test_missing_ids_and_flags_are_filled_in(client: WebClient) -> None:
    """As Slack stores it: what comes back is not what was sent."""
    sent = [section("*x*"), {"type": "actions", "elements": [{"type": "button", "text": plain("Go")}]}]
    answer = client.chat_postMessage(channel="C0DEV", text="x", blocks=sent)
    stored = answer["message"]["blocks"]
    assert stored[0]["text"]["verbatim"] is False
    assert stored[1]["elements"][0]["text"]["emoji"] is True
    assert stored[1]["elements"][0]["action_id"]
    assert len({block["block_id"] for block in stored}) == 2


FORM: Json = {
    "type": "modal",
    "title": plain("Release"),
    "submit": plain("Go"),
    "blocks": [
        {
            "type": "input",
            "label": plain("Version"),
            "element": {"type": "plain_text_input", "action_id": "v"},
        }
    ],
}

REFUSED_FORMS = {
    "long title": (
        {"title": plain("x" * 25)},
        "must be less than 25 characters [json-pointer:/view/title/text]",
    ),
    "long metadata": (
        {"private_metadata": "x" * 3_001},
        "must be less than 3001 characters [json-pointer:/view/private_metadata]",
    ),
    "no submit": ({"submit": None}, "missing required field: submit [json-pointer:/view]"),
    "101 blocks": (
        {"blocks": [section("x")] * 101},
        "no more than 100 items allowed [json-pointer:/view/blocks]",
    ),
    "unknown type": ({"type": "popup"}, "unsupported type: popup [json-pointer:/view/type]"),
}


@pytest.mark.parametrize(("changes", "fault"), REFUSED_FORMS.values(), ids=REFUSED_FORMS.keys())
def test_forms_have_limits_of_their_own(client: WebClient, changes: Json, fault: str) -> None:
    """Slack says `invalid_arguments` here, before it looks at the trigger id."""
    view = {key: value for key, value in (FORM | changes).items() if value is not None}
    with pytest.raises(SlackApiError) as caught:
        client.views_open(trigger_id="1.2.3", view=view)
    answer: Json = caught.value.response.data
    assert answer["error"] == "invalid_arguments"
    assert f"[ERROR] {fault}" in answer["response_metadata"]["messages"]
