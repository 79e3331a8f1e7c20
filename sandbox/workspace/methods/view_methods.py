"""`views.*`: opening, stacking and changing forms, and publishing the App Home."""

from __future__ import annotations

from typing import Any

from sandbox.workspace import views
from sandbox.workspace.args import Args
from sandbox.workspace.blocks import check_view
from sandbox.workspace.errors import SlackError
from sandbox.workspace.methods.registry import method
from sandbox.workspace.state import Workspace

Json = dict[str, Any]


@method("views.open")
def open_view(workspace: Workspace, args: Args) -> Json:
    """Open a form in front of the person whose trigger id this is."""
    view, trigger_id = _view(args), args.required("trigger_id")
    check_view(view)  # before the trigger id is spent
    trigger = views.spend_trigger(workspace, trigger_id)
    return {"view": views.public(views.open_form(workspace, trigger.user, view))}


@method("views.push")
def push_view(workspace: Workspace, args: Args) -> Json:
    """Put a form on top of the open one."""
    view, trigger_id = _view(args), args.required("trigger_id")
    check_view(view)
    trigger = views.spend_trigger(workspace, trigger_id)
    return {"view": views.public(views.push_form(workspace, trigger.user, view))}


@method("views.update")
def update_view(workspace: Workspace, args: Args) -> Json:
    """Change an open form; `hash` guards against changing one that has moved on."""
    given = _view(args)
    view = views.by_reference(workspace, args.text("view_id"), args.text("external_id"))
    _check_hash(args, view)
    return {"view": views.public(views.replace(workspace, view, given))}


@method("views.publish")
def publish_view(workspace: Workspace, args: Args) -> Json:
    """Show a person's App Home."""
    given, user = _view(args), workspace.user(args.required("user_id", "user_not_found"))
    if given.get("type") != "home":
        raise SlackError("invalid_arguments")
    if user.id in workspace.homes:
        _check_hash(args, workspace.homes[user.id])
    return {"view": views.public(views.publish_home(workspace, user.id, given))}


def _view(args: Args) -> Json:
    view = args.structure("view")
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments")
    return view


def _check_hash(args: Args, view: Json) -> None:
    if args.text("hash") and args.text("hash") != view["hash"]:
        raise SlackError("hash_conflict")
