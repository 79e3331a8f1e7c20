"""What Slack accepts as blocks, with the messages it answers with when it does not.

The limits are those of https://docs.slack.dev/reference/block-kit. Slack names each fault with a pointer
into the request, which is what a developer looks for, so the checks carry one along.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.workspace.errors import SlackError

Json = dict[str, Any]
Faults = Iterator[str]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_CHARACTERS = 13_200
"""Slack counts all text of a message and refuses with `msg_blocks_too_long`; the limit is not documented,
developers measured 13,200 to 13,300."""
ID_CHARACTERS = 255

TEXTS = {"plain_text", "mrkdwn"}
INPUTS = {
    "plain_text_input",
    "static_select",
    "multi_static_select",
    "users_select",
    "multi_users_select",
    "channels_select",
    "conversations_select",
    "radio_buttons",
    "checkboxes",
    "datepicker",
    "timepicker",
    "number_input",
}
ELEMENTS = INPUTS | {"button", "overflow", "image"}
OPTION_LIMITS = {
    "static_select": 100,
    "multi_static_select": 100,
    "overflow": 5,
    "radio_buttons": 10,
    "checkboxes": 10,
}


def check_message(blocks: object) -> list[Json]:
    """The blocks as Slack stores them, or `SlackError` as `chat.postMessage` answers it."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format")
    faults = list(_list_faults(blocks, "/blocks", MESSAGE_BLOCKS))
    if faults:
        raise SlackError("invalid_blocks", errors=faults, response_metadata=_metadata(faults))
    if sum(map(_text_length, blocks)) > MESSAGE_CHARACTERS:
        raise SlackError("msg_blocks_too_long")
    return [_completed(block, number) for number, block in enumerate(blocks, 1)]


def check_view(view: Json) -> list[Json]:
    """The blocks of a form or home as Slack stores them, or `SlackError` as `views.open` answers it."""
    faults = [*_view_faults(view), *_list_faults(view.get("blocks", []), "/view/blocks", VIEW_BLOCKS)]
    if faults:
        raise SlackError("invalid_arguments", response_metadata=_metadata(faults))
    return [_completed(block, number) for number, block in enumerate(view["blocks"], 1)]


def _metadata(faults: list[str]) -> Json:
    return {"messages": [f"[ERROR] {fault}" for fault in faults]}


def _view_faults(view: Json) -> Faults:
    if view.get("type") not in {"modal", "home"}:
        yield f"unsupported type: {view.get('type')} [json-pointer:/view/type]"
    if "blocks" not in view:
        yield "missing required field: blocks [json-pointer:/view]"
    if view.get("type") == "modal":
        yield from _text(view, "title", "/view", 24, kinds={"plain_text"}, required=True)
        yield from _text(view, "submit", "/view", 24, kinds={"plain_text"})
        yield from _text(view, "close", "/view", 24, kinds={"plain_text"})
        if "submit" not in view and any(block.get("type") == "input" for block in view.get("blocks", [])):
            yield "missing required field: submit [json-pointer:/view]"
    yield from _longer(view, "private_metadata", "/view", 3_000)
    yield from _longer(view, "callback_id", "/view", ID_CHARACTERS)
    yield from _longer(view, "external_id", "/view", ID_CHARACTERS)


def _list_faults(blocks: list[Json], at: str, limit: int) -> Faults:
    if len(blocks) > limit:
        yield f"no more than {limit} items allowed [json-pointer:{at}]"
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            yield f"`block_id` {block_id} already exists [json-pointer:{at}/{number}/block_id]"
        if block_id:
            seen.add(block_id)
        yield from _block(block, f"{at}/{number}")


def _block(block: Json, at: str) -> Faults:
    yield from _longer(block, "block_id", at, ID_CHARACTERS)
    match block.get("type"):
        case "header":
            yield from _text(block, "text", at, 150, kinds={"plain_text"}, required=True)
        case "section":
            yield from _section(block, at)
        case "context":
            yield from _elements(block, at, 10, {"image"})
        case "actions":
            yield from _elements(block, at, 25, ELEMENTS - {"image", "plain_text_input", "number_input"})
        case "input":
            yield from _text(block, "label", at, 2_000, kinds={"plain_text"}, required=True)
            yield from _text(block, "hint", at, 2_000, kinds={"plain_text"})
            yield from _element(block.get("element"), f"{at}/element", INPUTS)
        case "image":
            yield from _image(block, at)
        case "markdown":
            yield from _longer(block, "text", at, 12_000, required=True)
        case "rich_text":
            if not isinstance(block.get("elements"), list):
                yield f"missing required field: elements [json-pointer:{at}]"
        case "divider":
            pass
        case other:
            yield f"unsupported type: {other} [json-pointer:{at}/type]"


def _section(block: Json, at: str) -> Faults:
    if "text" not in block and "fields" not in block:
        yield f"missing required field: text or fields [json-pointer:{at}]"
    yield from _text(block, "text", at, 3_000)
    fields = block.get("fields", [])
    if len(fields) > 10:
        yield f"no more than 10 items allowed [json-pointer:{at}/fields]"
    for number, text in enumerate(fields):
        yield from _text_object(text, f"{at}/fields/{number}", 2_000)
    if "accessory" in block:
        yield from _element(
            block["accessory"], f"{at}/accessory", ELEMENTS - {"plain_text_input", "number_input"}
        )


def _image(holder: Json, at: str) -> Faults:
    if not holder.get("image_url") and not holder.get("slack_file"):
        yield f"missing required field: image_url [json-pointer:{at}]"
    yield from _longer(holder, "image_url", at, 3_000)
    yield from _longer(holder, "alt_text", at, 2_000, required=True)
    yield from _text(holder, "title", at, 2_000, kinds={"plain_text"})


def _elements(block: Json, at: str, limit: int, allowed: set[str]) -> Faults:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield f"must provide at least one element [json-pointer:{at}/elements]"
        return
    if len(elements) > limit:
        yield f"no more than {limit} items allowed [json-pointer:{at}/elements]"
    ids = [element.get("action_id") for element in elements if element.get("action_id")]
    if len(ids) != len(set(ids)):
        yield f"`action_id` must be unique within a block [json-pointer:{at}/elements]"
    for number, element in enumerate(elements):
        place = f"{at}/elements/{number}"
        if block["type"] == "context" and element.get("type") in TEXTS:
            yield from _text_object(element, place, 2_000)
        else:
            yield from _element(element, place, allowed)


def _element(element: object, at: str, allowed: set[str]) -> Faults:
    if not isinstance(element, dict):
        yield f"missing required field: element [json-pointer:{at}]"
        return
    kind = element.get("type")
    if kind not in allowed:
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
    yield from _longer(element, "action_id", at, ID_CHARACTERS)
    yield from _text(element, "placeholder", at, 150, kinds={"plain_text"})
    yield from _confirm(element, at)
    if kind == "button":
        yield from _text(element, "text", at, 75, kinds={"plain_text"}, required=True)
        yield from _longer(element, "value", at, 2_000)
        yield from _longer(element, "url", at, 3_000)
        if element.get("style") not in {None, "primary", "danger"}:
            yield f"unsupported style: {element['style']} [json-pointer:{at}/style]"
    elif kind == "image":
        yield from _image(element, at)
    elif kind in OPTION_LIMITS:
        yield from _options(element, at, OPTION_LIMITS[kind])


def _confirm(element: Json, at: str) -> Faults:
    confirm = element.get("confirm")
    if confirm is None:
        return
    yield from _text(confirm, "title", f"{at}/confirm", 100, kinds={"plain_text"}, required=True)
    yield from _text(confirm, "text", f"{at}/confirm", 300, required=True)
    yield from _text(confirm, "confirm", f"{at}/confirm", 30, kinds={"plain_text"}, required=True)
    yield from _text(confirm, "deny", f"{at}/confirm", 30, kinds={"plain_text"}, required=True)


def _options(element: Json, at: str, limit: int) -> Faults:
    options = element.get("options")
    if options is None and "option_groups" in element:
        options = [option for group in element["option_groups"] for option in group.get("options", [])]
    if not options:
        yield f"must provide at least one option [json-pointer:{at}/options]"
        return
    if len(options) > limit:
        yield f"no more than {limit} items allowed [json-pointer:{at}/options]"
    for number, option in enumerate(options):
        place = f"{at}/options/{number}"
        yield from _text(option, "text", place, 75, required=True)
        yield from _longer(option, "value", place, 150, required=True)
        yield from _text(option, "description", place, 75)


def _text(  # noqa: PLR0913  one line per limit reads better than an object per limit
    holder: Json, field: str, at: str, limit: int, *, kinds: set[str] = TEXTS, required: bool = False
) -> Faults:
    if holder.get(field) is not None:
        yield from _text_object(holder[field], f"{at}/{field}", limit, kinds)
    elif required:
        yield f"missing required field: {field} [json-pointer:{at}]"


def _text_object(text: object, at: str, limit: int, kinds: set[str] = TEXTS) -> Faults:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield f"must be a {' or '.join(sorted(kinds))} text object [json-pointer:{at}]"
    elif not text.get("text"):
        yield f"must be more than 0 characters [json-pointer:{at}/text]"
    elif len(text["text"]) > limit:
        yield f"must be less than {limit + 1} characters [json-pointer:{at}/text]"


def _longer(holder: Json, field: str, at: str, limit: int, *, required: bool = False) -> Faults:
    value = holder.get(field)
    if value is None or value == "":
        if required:
            yield f"missing required field: {field} [json-pointer:{at}]"
    elif not isinstance(value, str):
        yield f"must be a string [json-pointer:{at}/{field}]"
    elif len(value) > limit:
        yield f"must be less than {limit + 1} characters [json-pointer:{at}/{field}]"


def _text_length(part: object) -> int:
    """The characters of every `text` in a block, however deep: what a message's limit counts."""
    if isinstance(part, list):
        return sum(map(_text_length, part))
    if isinstance(part, dict):
        own = len(part["text"]) if isinstance(part.get("text"), str) else 0
        return own + sum(_text_length(value) for value in part.values())
    return 0


def _completed(block: Json, number: int) -> Json:
    """A block with what Slack fills in: block and action ids, and the flags of its text objects."""
    completed: Json = {"block_id": f"auto-{number}", **_with_flags(block)}
    holders = (completed.get("accessory"), completed.get("element"), *completed.get("elements", []))
    for position, holder in enumerate(holders):
        if isinstance(holder, dict) and holder.get("type") in ELEMENTS - {"image"}:
            holder.setdefault("action_id", f"{completed['block_id']}-{position}")
    return completed


def _with_flags(part: Any) -> Any:  # noqa: ANN401  any JSON
    if isinstance(part, list):
        return [_with_flags(value) for value in part]
    if not isinstance(part, dict):
        return part
    filled = {key: _with_flags(value) for key, value in part.items()}
    if part.get("type") == "plain_text":
        filled.setdefault("emoji", True)
    elif part.get("type") == "mrkdwn":
        filled.setdefault("verbatim", False)
    return filled
