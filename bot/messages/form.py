"""The form of a release: what `/buzzy release` asks for, as fields. Slack calls it a modal.

Limits: https://docs.slack.dev/reference/views/modal-views and the block elements that are used here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from slack_sdk.models.blocks import (
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    StaticMultiSelectElement,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from bot.messages.parts import clip
from releases import grammar

Json = dict[str, Any]

CALLBACK = "release_form"
FIELD = "field"
"""The one element of each block; the block's id is the field's name."""

MOST_OPTIONS, OPTION = 100, 75
"""Choices of a menu, and characters of one."""

LONGEST_VERSION = 80

_HURRY = (
    Option(text="no: it goes as any other", value="no"),
    Option(text="hotfix: a patch in a hurry; needs a reason", value="hotfix"),
    Option(text="security: mends a weakness; needs a reason", value="security"),
)


class Origin(BaseModel):
    """Where the form was asked for: the channel, and where answers for this person alone go."""

    channel: str = ""
    response_url: str = ""


def release_form(vocabulary: grammar.Vocabulary, environment: str | None, origin: Origin) -> Json:
    """The form; `environment` is the one that is chosen. A strategy is asked for where there is a choice."""
    strategies = vocabulary.strategies
    fields = [
        _field("version", "Version", PlainTextInputElement(max_length=LONGEST_VERSION), hint="such as 3.2.1"),
        _field("environment", "Environment", _menu(vocabulary.environments, environment)),
        _field(
            "services",
            "Services",
            StaticMultiSelectElement(options=_options(vocabulary.services)),
            hint="all of them if none is chosen",
        ),
        _field("hurry", "Is it in a hurry?", RadioButtonsElement(options=_HURRY, initial_option=_HURRY[0])),
        _field(
            "strategy", "Strategy", _menu(strategies, None), hint="the environment's own if none is chosen"
        )
        if len(strategies) > 1
        else None,
        _field(
            "reason",
            "Reason",
            PlainTextInputElement(max_length=grammar.LONGEST_REASON, multiline=True),
            hint="why, for the record",
        ),
    ]
    view = View(
        type="modal",
        callback_id=CALLBACK,
        title="Release a version",
        submit="Release",
        close="Cancel",
        private_metadata=origin.model_dump_json(),
        blocks=[field for field in fields if field is not None],
    )
    made: Json = view.to_dict()
    return made


def fields_of(view: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in, by field; several choices with commas between them."""
    found = {}
    for name, elements in view.get("state", {}).get("values", {}).items():
        element = elements.get(FIELD) or {}
        option = element.get("selected_option") or {}
        options = ",".join(each["value"] for each in element.get("selected_options") or [])
        found[name] = element.get("value") or option.get("value") or options
    return found


def origin_of(view: Mapping[str, Any]) -> Origin:
    """Where the form was asked for."""
    try:
        return Origin.model_validate_json(view.get("private_metadata") or "{}")
    except ValidationError:
        return Origin()


def shown_at(problems: Mapping[str, str], view: Mapping[str, Any]) -> dict[str, str]:
    """The problems by the block at which the form can show them: the first, where it has no such field."""
    there = [str(block["block_id"]) for block in view.get("blocks", []) if block.get("type") == "input"]
    shown: dict[str, str] = {}
    for name, problem in problems.items():
        at = name if name in there else there[0]
        shown[at] = f"{shown[at]} {problem}" if at in shown else problem
    return shown


def _field(name: str, label: str, element: InputInteractiveElement, *, hint: str = "") -> InputBlock:
    element.action_id = FIELD
    optional = name in grammar.FORM_MAY_LEAVE_OUT
    return InputBlock(block_id=name, label=label, element=element, hint=hint or None, optional=optional)


def _menu(names: Iterable[str], chosen: str | None) -> StaticSelectElement:
    options = _options(names)
    initial = next((option for option in options if option.value == chosen), None)
    return StaticSelectElement(options=options, initial_option=initial)


def _options(names: Iterable[str]) -> list[Option]:
    return [Option(text=clip(name, OPTION), value=name) for name in names][:MOST_OPTIONS]
