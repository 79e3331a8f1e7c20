"""What people do that the app must answer to: commands, clicks, forms. Payloads as Slack sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.workspace import answers, elements, messages, views
from sandbox.workspace.errors import PersonError, SlackError
from sandbox.workspace.model import APP, COMMAND, OTHER_TEAM_DOMAIN, TEAM, TEAM_DOMAIN
from sandbox.workspace.typing_in import as_command_text

if TYPE_CHECKING:
    from sandbox.workspace.delivery import Delivery
    from sandbox.workspace.model import Channel, User
    from sandbox.workspace.state import ResponseUrl, Workspace

Json = dict[str, Any]
Choices = dict[str, dict[str, elements.Choice]]

SHOWN_ERRORS = {"timeout": "operation_timeout", "http_timeout": "operation_timeout"}
"""What a person reads when the app did not answer in time; anything else is `dispatch_failed`."""


async def command(workspace: Workspace, user: User, channel: Channel, line: str) -> Delivery:
    """Send a slash command and show what comes back."""
    word, _, text = line.strip().partition(" ")
    if word != COMMAND:
        raise PersonError(f"{word} is not a valid command.")
    target = answers.target_for(workspace, user.id, channel.id)
    payload = {
        "token": "sandbox-verification-token",
        "team_id": user.team,
        "team_domain": OTHER_TEAM_DOMAIN if user.is_stranger else TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.is_im else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": word,
        "text": as_command_text(workspace, text.strip()),
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": answers.new_response_url(workspace, "commands", target),
        "trigger_id": workspace.new_trigger(user.id),
    }
    delivery = await workspace.deliveries.send("slash_commands", payload)
    if delivery.error:
        shown = SHOWN_ERRORS.get(delivery.error, "dispatch_failed")
        messages.notice(workspace, channel.id, user.id, f'{COMMAND} failed with the error "{shown}"')
    elif delivery.answer:
        _show_answer(workspace, target, delivery)
    return delivery


async def click_in_message(  # noqa: PLR0913, PLR0917  who, where, what, and the form around it
    workspace: Workspace, user: User, channel: Channel, ts: str, action: Json, choices: Choices
) -> Delivery:
    """Click a button or choose in a menu of a message; `action` has the ids of it and the choice."""
    ephemeral = workspace.ephemerals.get(ts)
    if ephemeral is not None and ephemeral.user != user.id:
        raise PersonError("That message is visible to somebody else only.")
    message = ephemeral.message if ephemeral else workspace.message(channel.id, ts)
    container = {
        "type": "message",
        "message_ts": ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral is not None,
        **({"thread_ts": message["thread_ts"]} if "thread_ts" in message else {}),
    }
    target = answers.target_for(workspace, user.id, channel.id, container)
    payload = {
        **_envelope(workspace, user, "block_actions"),
        "container": container,
        "channel": {"id": channel.id, "name": "directmessage" if channel.is_im else channel.name},
        "state": elements.state_of(message.get("blocks", []), choices),
        "response_url": answers.new_response_url(workspace, "actions", target),
        "actions": [_action(workspace, message.get("blocks", []), action)],
    }
    if ephemeral is None:
        payload["message"] = {key: value for key, value in message.items() if key != "metadata"}
    return await workspace.deliveries.send("interactive", payload)


async def click_in_view(
    workspace: Workspace, user: User, view: Json, action: Json, choices: Choices
) -> Delivery:
    """Click a button or choose in a menu of a form or of the App Home."""
    view["state"] = elements.state_of(view["blocks"], choices)
    payload = {
        **_envelope(workspace, user, "block_actions"),
        "container": {"type": "view", "view_id": view["id"]},
        "view": views.public(view),
        "actions": [_action(workspace, view["blocks"], action)],
    }
    return await workspace.deliveries.send("interactive", payload)


async def submit(
    workspace: Workspace, user: User, view: Json, choices: Choices
) -> tuple[Delivery | None, Json]:
    """Submit a form. Returns the errors that are shown in it, by block id; `{}` when it was accepted."""
    view["state"] = elements.state_of(view["blocks"], choices)
    complaints = elements.complaints(view["blocks"], view["state"])
    if complaints:
        return None, complaints
    payload = {
        **_envelope(workspace, user, "view_submission"),
        "view": views.public(view),
        "response_urls": [],
    }
    delivery = await workspace.deliveries.send("interactive", payload)
    return delivery, {} if delivery.error else _after_submission(workspace, view, delivery.answer)


async def close(workspace: Workspace, user: User, view: Json, *, all_of_them: bool) -> Delivery | None:
    """Close a form, or the whole stack, without submitting it."""
    if all_of_them or view["clear_on_close"]:
        views.close_all(workspace, user.id)
    else:
        views.close(workspace, view)
    if not view["notify_on_close"]:
        return None
    payload = {
        **_envelope(workspace, user, "view_closed"),
        "view": views.public(view),
        "is_cleared": all_of_them,
    }
    payload.pop("trigger_id")
    return await workspace.deliveries.send("interactive", payload)


def _show_answer(workspace: Workspace, target: ResponseUrl, delivery: Delivery) -> None:
    try:
        answers.show(workspace, target, delivery.answer)
    except SlackError:
        delivery.error = "invalid_command_response"
        text = f'{COMMAND} failed with the error "{delivery.error}"'
        messages.notice(workspace, target.channel, target.user, text)


def _after_submission(workspace: Workspace, view: Json, answer: Json) -> Json:
    """Do with the form what the app asks for, and return the errors to show in it."""
    match answer.get("response_action"):
        case None:
            views.close(workspace, view)
        case "clear":
            views.close_all(workspace, view["_user"])
        case "update":
            views.replace(workspace, view, answer["view"])
        case "push":
            views.push_form(workspace, view["_user"], answer["view"])
        case "errors":
            errors: Json = answer.get("errors", {})
            return errors
        case other:
            raise SlackError("invalid_response_action", response_action=other)
    return {}


def _envelope(workspace: Workspace, user: User, kind: str) -> Json:
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
        "api_app_id": APP,
        "token": "sandbox-verification-token",
        "trigger_id": workspace.new_trigger(user.id),
        "team": {"id": TEAM, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _action(workspace: Workspace, blocks: list[Json], action: Json) -> Json:
    """The entry of `actions`, for the element that is shown now or the older one that the person holds."""
    block_id, action_id = action["block_id"], action["action_id"]
    element = action.get("element") or elements.find(blocks, block_id, action_id)
    entry = {
        "type": element["type"],
        "action_id": action_id,
        "block_id": block_id,
        "action_ts": workspace.ids.ts(),
        **elements.chosen(element, action.get("choice")),
    }
    entry |= {key: element[key] for key in ("text", "style", "confirm", "placeholder") if key in element}
    return entry
