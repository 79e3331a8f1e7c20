"""What a Slack message looks like in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sandbox.transcript import Directory, render, render_blocks, render_message, render_mrkdwn
from sandbox.workspace import Message

Json = dict[str, Any]

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
DIRECTORY = Directory(
    users={"U0ALICE": "Alice Archer", "U0BUZZY": "Buzzy"},
    handles={"U0ALICE": "alice", "U0BOB": "bob"},
    groups={"S0ONCALL": "oncall"},
    channels={"C0DEV": "buzzy-development"},
    now=lambda: NOON,
    zone=timezone(timedelta(hours=1)),
)
SECONDS = int(NOON.timestamp())


def mrkdwn(text: str) -> Json:
    """A text object."""
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> Json:
    """A text object without markup."""
    return {"type": "plain_text", "text": text}


def button(text: str, **more: str) -> Json:
    """A button."""
    return {"type": "button", "action_id": text, "text": plain(text), **more}


def message(**more: Any) -> Json:  # noqa: ANN401  a message's fields are any JSON
    """A message of the bot's at noon."""
    return {"type": "message", "user": "U0BUZZY", "ts": f"{SECONDS}.000100", "text": "", **more}


def blocks(*given: Json) -> str:
    """Blocks as plain text."""
    return render_blocks(given, DIRECTORY).plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@U0BOB> and <@U0NEW|eve> and <@U0NEW>", "@bob and @eve and U0NEW"),
        ("<!subteam^S0ONCALL> in <#C0DEV|x>, <!here>", "@oncall in #buzzy-development, @here"),
        ("<https://example.com|the docs> <https://a.example?x&amp;y>", "the docs https://a.example?x&y"),
        ("*bold* _italic_ ~gone~ 2*3*4 snake_case_name", "bold italic gone 2*3*4 snake_case_name"),
        ("*<@U0BOB> approved*", "@bob approved"),
        (":white_check_mark: :+1::skin-tone-3: :nonsense: 12:30:45", "✅ 👍🏼 :nonsense: 12:30:45"),
        ("a &amp; b &lt;c&gt; &copy;", "a & b <c> &copy;"),
        ("`*as* :x: it &lt;is&gt;`", "*as* :x: it <is>"),
        (
            "like this:```/buzzy release 3.2.1 staging```or that",
            "like this:\n/buzzy release 3.2.1 staging\nor that",
        ),
        ("```██░░ 1/2\n  <@U0BOB>```", "██░░ 1/2\n  @bob"),
    ],
)
def test_markup_is_read_not_shown(text: str, shown: str) -> None:
    """Names are resolved, styles and entities gone, code is left alone, with its alignment."""
    assert render_mrkdwn(text, DIRECTORY).plain == shown


def test_styles_are_kept_for_a_terminal_that_has_them() -> None:
    """What is bold or struck in Slack is so in the rich text."""
    text = render_mrkdwn("*released* ~3.2.0~", DIRECTORY)
    assert {(text.plain[span.start : span.end], str(span.style)) for span in text.spans} == {
        ("released", "bold"),
        ("3.2.0", "strike"),
    }


@pytest.mark.parametrize(
    ("template", "offset", "shown"),
    [
        ("{date_num} {time}", timedelta(), "2026-01-05 13:00"),
        ("{date_short_pretty} {time_secs}", timedelta(), "today 13:00:00"),
        ("{date_pretty}", timedelta(hours=11), "tomorrow"),
        ("{date_long_pretty}", timedelta(hours=-14), "yesterday"),
        ("{date_short_pretty}", timedelta(days=9), "14 Jan 2026"),
        ("{date_long}", timedelta(), "Monday, 5 January 2026"),
        ("{ago}, {unknown}", timedelta(minutes=-2), "2 min ago, {unknown}"),
        ("{ago}", timedelta(hours=3), "in 3 h"),
    ],
)
def test_dates_are_the_readers_own(template: str, offset: timedelta, shown: str) -> None:
    """In the reader's zone, and near ones in words; the fallback is for who cannot do that."""
    seconds = SECONDS + int(offset.total_seconds())
    assert render_mrkdwn(f"<!date^{seconds}^{template}|fallback>", DIRECTORY).plain == shown


def test_a_message_as_the_channel_shows_it() -> None:
    """Author and time, text, reactions and replies."""
    shown = render_message(
        message(
            text="R42 :large_green_circle: released",
            edited={"user": "U0BUZZY", "ts": "1"},
            reactions=[
                {"name": "white_check_mark", "users": ["U0BOB"], "count": 2},
                {"name": "eyes", "users": ["U0BOB"], "count": 1},
            ],
            reply_count=1,
            files=[
                {"title": "Error rate", "name": "errors.png"},
                {"title": "Latency", "name": "p95.png", "alt_txt": "it rises"},
            ],
        ),
        DIRECTORY,
    )
    assert shown.plain.splitlines() == [
        "Buzzy  13:00  (edited)",
        "R42 🟢 released",
        "📎 Error rate (errors.png)",
        "📎 Latency (p95.png): it rises",
        "✅ 2   👀 1",
        "💬 1 reply",
    ]


def test_an_ephemeral_message_says_so() -> None:
    """It is the reader's alone."""
    first, *_ = render_message(message(text="x", is_ephemeral=True), DIRECTORY).plain.splitlines()
    assert first == "Buzzy  13:00  (only visible to you)"


def test_replies_are_indented() -> None:
    """Every line of them."""
    root = Message("C0DEV", message(text="R42"))
    replies = [Message("C0DEV", message(text="step 1\nwent well", user="U0ALICE"))]
    assert render(root, replies, DIRECTORY).splitlines() == [
        "Buzzy  13:00",
        "R42",
        "    │ Alice Archer  13:00",
        "    │ step 1",
        "    │ went well",
    ]


def test_a_release_message() -> None:
    """The blocks of which a release bot's message is made, one under the other."""
    shown = blocks(
        {"type": "header", "text": plain(":bee: R42")},
        {
            "type": "section",
            "text": mrkdwn("*3.2.1* · staging\nwaiting"),
            "accessory": button("Roll back"),
        },
        {"type": "section", "fields": [mrkdwn("*Errors*\n0.1 %"), mrkdwn("*p95*\n182 ms"), mrkdwn("last")]},
        {"type": "divider"},
        {
            "type": "context",
            "elements": [
                {"type": "image", "image_url": "x", "alt_text": "x"},
                mrkdwn("Plan `#7f3a`"),
                mrkdwn("14 steps"),
            ],
        },
        {
            "type": "actions",
            "elements": [
                button("Approve", style="primary"),
                button("Refuse", style="danger"),
                {"type": "overflow", "action_id": "more", "options": []},
                {"type": "users_select", "action_id": "who", "placeholder": plain("Owner")},
            ],
        },
    )
    assert shown.splitlines() == [
        "🐝 R42",
        "3.2.1 · staging   [ Roll back ]",
        "waiting",
        "Errors  0.1 %                         p95  182 ms",
        "last",
        "─" * 60,
        "Plan #7f3a   14 steps",
        "[ Approve ]  [ Refuse ]  [ … ]  [ Owner ▾ ]",
    ]


def test_forms_pictures_and_markdown() -> None:
    """The rest of Block Kit, as far as words can show it."""
    option = {"text": plain("rolling"), "value": "r"}
    shown = blocks(
        {
            "type": "input",
            "label": plain("Version"),
            "element": {"type": "plain_text_input", "action_id": "v"},
        },
        {
            "type": "input",
            "label": plain("Strategy"),
            "element": {"type": "radio_buttons", "action_id": "s", "options": [option]},
        },
        {"type": "image", "image_url": "x", "alt_text": "rises", "title": plain("Error rate")},
        {"type": "markdown", "text": "# Notes :tada:"},
        {"type": "video"},
    )
    assert shown.splitlines() == [
        "Version: ________",
        "Strategy: ○ rolling",
        "🖼  Error rate",
        "# Notes 🎉",
        "(video)",
    ]


def test_rich_text() -> None:
    """What Slack's own editor makes: sections, lists, quotes, and everything that may stand in them."""
    pieces = [
        {"type": "text", "text": "for ", "style": {"bold": True}},
        {"type": "user", "user_id": "U0BOB"},
        {"type": "text", "text": " "},
        {"type": "usergroup", "usergroup_id": "S0ONCALL"},
        {"type": "text", "text": " "},
        {"type": "channel", "channel_id": "C0DEV"},
        {"type": "text", "text": " "},
        {"type": "broadcast", "range": "here"},
        {"type": "emoji", "name": "rocket"},
        {"type": "link", "url": "https://example.com"},
        {"type": "date", "timestamp": SECONDS, "format": " {time}"},
        {"type": "color", "value": "#fff"},
    ]
    item = {"type": "rich_text_section", "elements": [{"type": "text", "text": "switch"}]}
    shown = blocks(
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": pieces},
                {"type": "rich_text_list", "style": "ordered", "elements": [item]},
                {"type": "rich_text_list", "style": "bullet", "elements": [item]},
                {"type": "rich_text_quote", "elements": item["elements"]},
            ],
        }
    )
    assert shown.splitlines() == [
        "for @bob @oncall #buzzy-development @here🚀https://example.com 13:00",
        "1. switch",
        "• switch",
        "▏ switch",
    ]


def test_a_directory_comes_from_whoever_knows_names() -> None:
    """A running workspace does."""

    class Knows:
        def names(self) -> dict[str, dict[str, str]]:
            return {
                "users": {"U1": "Ann Lee"},
                "handles": {"U1": "ann"},
                "groups": {},
                "channels": {"C1": "general"},
            }

    directory = Directory.of(Knows())
    assert (directory.user("U1"), directory.mention("U1"), directory.channel("C1")) == (
        "Ann Lee",
        "@ann",
        "general",
    )
    assert directory.now().tzinfo is UTC
