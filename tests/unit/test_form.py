"""The form of a release: what it asks for, how it is read, and where what is wrong is shown."""

from __future__ import annotations

from typing import Any

import pytest

from bot.messages.form import Origin, fields_of, origin_of, release_form, shown_at
from releases.grammar import FormError, Release, Vocabulary, asks_for_form, parse, read_form
from releases.version import Version

VOCABULARY = Vocabulary(("development", "staging", "production"), ("buzzy-main", "buzzy-api"))
TWO_WAYS = Vocabulary(VOCABULARY.environments, VOCABULARY.services, ("rolling", "blue-green"))
PLAIN = {"version": "3.2.1", "environment": "staging"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("release", True),
        (" Release ", True),
        ("/buzzy release", True),
        ("", False),
        ("help", False),
        ("release 3.2.1", False),
        ("release --hotfix", False),
        ("deploy", False),
        ("release " * 500, False),
    ],
)
def test_only_the_bare_verb_asks_for_a_form(line: str, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Whoever has begun to type goes on in words."""
    assert asks_for_form(line) is expected


@pytest.mark.requirement("C8")
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (PLAIN, Release(Version.parse("3.2.1"), "staging")),
        (PLAIN | {"version": " v3.2.1\n"}, Release(Version.parse("3.2.1"), "staging")),
        (
            PLAIN | {"services": "buzzy-api,buzzy-main", "hurry": "no"},
            Release(Version.parse("3.2.1"), "staging", services=("buzzy-api", "buzzy-main")),
        ),
        (
            PLAIN | {"hurry": "hotfix", "reason": 'exports "fail"\nsince noon'},
            Release(Version.parse("3.2.1"), "staging", hotfix=True, reason='exports "fail" since noon'),
        ),
        (
            PLAIN | {"strategy": "blue-green", "hurry": "security", "reason": "CVE"},
            Release(Version.parse("3.2.1"), "staging", strategy="blue-green", security=True, reason="CVE"),
        ),
    ],
)
def test_a_form_is_the_line_that_could_have_been_typed(fields: dict[str, str], expected: Release) -> None:
    """And that line parses to the same."""
    command = read_form(fields, TWO_WAYS)
    assert command == expected
    assert parse(command.line(), TWO_WAYS) == expected


@pytest.mark.requirement("C8", "C9")
@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        (PLAIN | {"version": "3.2"}, {"version": "Did you mean 3.2.0?"}),
        (PLAIN | {"version": "latest"}, {"version": "latest"}),
        (PLAIN | {"version": ""}, {"version": "The version is missing."}),
        (PLAIN | {"environment": "stagign"}, {"environment": "Did you mean staging?"}),
        (PLAIN | {"services": "buzzy-gone"}, {"services": 'There is no service "buzzy-gone".'}),
        (PLAIN | {"hurry": "hotfix"}, {"reason": "A hotfix needs a reason."}),
        (PLAIN | {"hurry": "security", "reason": " "}, {"reason": "A security release needs a reason."}),
        (PLAIN | {"hurry": "hotfix", "reason": "x" * 301}, {"reason": "A reason may have 300 characters"}),
        ({}, {"version": "missing", "environment": "missing"}),
    ],
)
def test_what_is_wrong_is_said_by_field(fields: dict[str, str], problems: dict[str, str]) -> None:
    """Every field that is wrong, at once, in the grammar's words."""
    with pytest.raises(FormError) as raised:
        read_form(fields, VOCABULARY)
    found = raised.value.problems
    assert found.keys() == problems.keys()
    assert all(problems[name] in found[name] for name in problems), found


def block_ids(view: dict[str, Any]) -> list[str]:
    """The fields of a form."""
    return [block["block_id"] for block in view["blocks"]]


def test_the_form_asks_for_a_strategy_where_there_is_a_choice() -> None:
    """And starts from the environment of the channel."""
    plain = release_form(VOCABULARY, "staging", Origin(channel="C0STAGING"))
    assert block_ids(plain) == ["version", "environment", "services", "hurry", "reason"]
    assert "strategy" in block_ids(release_form(TWO_WAYS, None, Origin()))
    menu = plain["blocks"][1]["element"]
    assert menu["initial_option"]["value"] == "staging"
    assert origin_of(plain) == Origin(channel="C0STAGING")
    assert origin_of({"private_metadata": "?"}) == Origin()


def test_what_was_filled_in_is_read_by_field() -> None:
    """Texts, a choice, several choices, and what was left empty."""
    values: dict[str, Any] = {
        "version": {"field": {"type": "plain_text_input", "value": "3.2.1"}},
        "environment": {"field": {"type": "static_select", "selected_option": {"value": "staging"}}},
        "services": {"field": {"selected_options": [{"value": "buzzy-api"}, {"value": "buzzy-main"}]}},
        "strategy": {"field": {"type": "static_select", "selected_option": None}},
        "reason": {"field": {"type": "plain_text_input", "value": None}},
    }
    assert fields_of({"state": {"values": values}}) == {
        "version": "3.2.1",
        "environment": "staging",
        "services": "buzzy-api,buzzy-main",
        "strategy": "",
        "reason": "",
    }


def test_a_problem_without_a_field_is_shown_at_the_first() -> None:
    """buzzy.yaml has changed since the form was opened: Slack shows errors at fields only."""
    view = release_form(VOCABULARY, None, Origin())
    assert shown_at({"strategy": "Gone.", "version": "Bad."}, view) == {"version": "Gone. Bad."}


def test_a_house_of_any_size_fits_into_a_form() -> None:
    """Slack takes 100 choices of 75 characters."""
    names = tuple(f"environment-{number}-{'x' * 80}" for number in range(150))
    view = release_form(
        Vocabulary(names, names), None, Origin(channel="C1", response_url="https://" + "x" * 500)
    )
    menu = view["blocks"][1]["element"]["options"]
    assert len(menu) == 100
    assert max(len(option["text"]["text"]) for option in menu) == 75
    assert len(view["private_metadata"]) < 3_000
