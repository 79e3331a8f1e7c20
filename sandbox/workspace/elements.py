"""Interactive elements: finding one in blocks, and what Slack says of a choice that was made in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.workspace.errors import PersonError

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
Choice = str | list[str] | None
"""What a person chose or typed: text, an option's value, a user's id, a date; several for checkboxes."""

SINGLE = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
}
"""Elements whose choice is a string, with the field that it is in and the one that it starts from."""

REQUIRED = "Please complete this required field."


def interactive_elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Each element with an action id, together with its block."""
    for block in blocks:
        for element in (block.get("accessory"), block.get("element"), *block.get("elements", [])):
            if isinstance(element, dict) and element.get("action_id"):
                yield block, element


def find(blocks: list[Json], block_id: str, action_id: str) -> Json:
    """The element of those ids, or `PersonError`: nobody can click what is not there."""
    for block, element in interactive_elements(blocks):
        if block["block_id"] == block_id and element["action_id"] == action_id:
            return element
    raise PersonError(f"There is nothing with the action id {action_id} in the block {block_id}.")


def chosen(element: Json, choice: Choice) -> Json:
    """The fields by which Slack tells what was chosen in `element`."""
    kind = element["type"]
    if kind == "button":
        return {"value": element["value"]} if "value" in element else {}
    if kind in SINGLE:
        return {SINGLE[kind][0]: choice or None}
    if kind in {"checkboxes", "multi_static_select"}:
        return {"selected_options": [_option(element, value) for value in choice or []]}
    if kind == "multi_users_select":
        return {"selected_users": list(choice or [])}
    return {"selected_option": _option(element, choice) if isinstance(choice, str) and choice else None}


def initial_choice(element: Json) -> Choice:
    """What is chosen in `element` before anybody touched it."""
    kind = element["type"]
    if kind in SINGLE:
        initial: str | None = element.get(SINGLE[kind][1])
        return initial
    if kind in {"checkboxes", "multi_static_select"}:
        return [option["value"] for option in element.get("initial_options", [])]
    if kind == "multi_users_select":
        return list(element.get("initial_users", []))
    option = element.get("initial_option")
    return option["value"] if option else None


def state_of(blocks: list[Json], choices: dict[str, dict[str, Choice]]) -> Json:
    """`state.values`: what stands in every input of `blocks`, with `choices` by block id and action id."""
    values: Json = {}
    for block, element in interactive_elements(blocks):
        if element["type"] in {"button", "overflow"}:
            continue
        made = choices.get(block["block_id"], {})
        choice = made[element["action_id"]] if element["action_id"] in made else initial_choice(element)
        entry = {"type": element["type"], **chosen(element, choice)}
        values.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return {"values": values}


def complaints(blocks: list[Json], state: Json) -> dict[str, str]:
    """What Slack's client says about inputs that are not filled in as they must be, by block id."""
    found = {}
    for block, element in interactive_elements(blocks):
        if block["type"] != "input":
            continue
        entry = state["values"][block["block_id"]][element["action_id"]]
        content = next((value for key, value in entry.items() if key != "type"), None)
        if not content and not block.get("optional"):
            found[block["block_id"]] = REQUIRED
        elif isinstance(content, str) and len(content) > element.get("max_length", len(content)):
            found[block["block_id"]] = f"Please use at most {element['max_length']} characters."
        elif isinstance(content, str) and len(content) < element.get("min_length", 0):
            found[block["block_id"]] = f"Please use at least {element['min_length']} characters."
    return found


def _option(element: Json, value: str) -> Json:
    options = element.get("options") or [
        option for group in element.get("option_groups", []) for option in group["options"]
    ]
    for option in options:
        if option["value"] == value:
            found: Json = option
            return found
    raise PersonError(f"There is no choice {value} there.")
