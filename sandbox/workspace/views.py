"""Forms and the App Home: what is open in front of whom.

A person's forms are a stack, of which they see the top one. Slack calls both forms and homes views.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.workspace.blocks import check_view
from sandbox.workspace.errors import SlackError
from sandbox.workspace.model import APP, BOT, TEAM

if TYPE_CHECKING:
    from sandbox.workspace.state import Trigger, Workspace

Json = dict[str, Any]

MOST_STACKED = 3
MOST_BYTES = 250_000


def open_form(workspace: Workspace, user: str, given: Json) -> Json:
    """Show `user` a form, in place of the one that was open."""
    close_all(workspace, user)
    return _show(workspace, user, given, root="", previous=None)


def push_form(workspace: Workspace, user: str, given: Json) -> Json:
    """Show `user` a form on top of the open one."""
    stack = open_forms(workspace, user)
    if not stack:
        return _show(workspace, user, given, root="", previous=None)
    if len(stack) >= MOST_STACKED:
        raise SlackError("push_limit_reached")
    return _show(workspace, user, given, root=stack[-1]["root_view_id"], previous=stack[-1]["id"])


def replace(workspace: Workspace, view: Json, given: Json) -> Json:
    """Change an open form or home in place: same id, new hash, and what was typed stays."""
    fresh = _as_stored(workspace, given, view["state"])
    kept = {key: view[key] for key in ("id", "root_view_id", "previous_view_id")}
    owner = view["_user"]
    view.clear()
    view |= {**fresh, **kept, "_user": owner}
    announce(workspace, view)
    return view


def publish_home(workspace: Workspace, user: str, given: Json) -> Json:
    """Show `given` in `user`'s App Home from now on."""
    if user in workspace.homes:
        return replace(workspace, workspace.homes[user], given)
    view = _show(workspace, user, given, root="", previous=None)
    workspace.homes[user] = view
    return view


def open_forms(workspace: Workspace, user: str) -> list[Json]:
    """The forms that `user` has open, the visible one last."""
    return [view for view in workspace.views.values() if view["_user"] == user and view["type"] == "modal"]


def close(workspace: Workspace, view: Json) -> None:
    """Take a form away."""
    workspace.views.pop(view["id"], None)
    workspace.changes.add("view_closed", [view["_user"]], view_id=view["id"])


def close_all(workspace: Workspace, user: str) -> None:
    """Take every form of `user`'s away."""
    for view in open_forms(workspace, user):
        close(workspace, view)


def by_reference(workspace: Workspace, view_id: str, external_id: str) -> Json:
    """The view of that id, or the one that the app gave that name; `not_found` when it is no longer there."""
    found = workspace.views.get(view_id)
    if found is None and external_id:
        found = next((each for each in workspace.views.values() if each["external_id"] == external_id), None)
    if found is None:
        raise SlackError("not_found")
    return found


def spend_trigger(workspace: Workspace, trigger_id: str) -> Trigger:
    """What the trigger id stands for; each is good for one form, within three seconds."""
    trigger = workspace.triggers.get(trigger_id)
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if workspace.clock.now() > trigger.expires:
        raise SlackError("expired_trigger_id")
    trigger.used = True
    return trigger


def public(view: Json) -> Json:
    """A view as Slack shows it: without what only the workspace needs to know."""
    return {key: value for key, value in view.items() if not key.startswith("_")}


def announce(workspace: Workspace, view: Json) -> None:
    """Let the page and whoever waits know what a view looks like now."""
    kind = "home" if view["type"] == "home" else "view"
    workspace.changes.add(kind, [view["_user"]], view=public(view))


def _show(workspace: Workspace, user: str, given: Json, *, root: str, previous: str | None) -> Json:
    external_id = given.get("external_id", "")
    if external_id and any(each["external_id"] == external_id for each in workspace.views.values()):
        raise SlackError("duplicate_external_id")
    view_id = workspace.ids.new("V")
    view = {
        **_as_stored(workspace, given, {"values": {}}),
        "id": view_id,
        "root_view_id": root or view_id,
        "previous_view_id": previous,
        "_user": user,
    }
    workspace.views[view_id] = view
    announce(workspace, view)
    return view


def _as_stored(workspace: Workspace, given: Json, state: Json) -> Json:
    if len(str(given)) > MOST_BYTES:
        raise SlackError("view_too_large")
    return {
        "team_id": TEAM,
        "type": given.get("type"),
        "blocks": check_view(given),
        "private_metadata": given.get("private_metadata", ""),
        "callback_id": given.get("callback_id", ""),
        "state": state,
        "hash": f"{int(workspace.clock.now())}.{workspace.ids.secret(8)}",
        "title": given.get("title", {"type": "plain_text", "text": "View Title", "emoji": True}),
        "clear_on_close": given.get("clear_on_close", False),
        "notify_on_close": given.get("notify_on_close", False),
        "close": given.get("close"),
        "submit": given.get("submit"),
        "external_id": given.get("external_id", ""),
        "app_id": APP,
        "app_installed_team_id": TEAM,
        "bot_id": BOT,
    }
