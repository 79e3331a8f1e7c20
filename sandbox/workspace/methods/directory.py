"""Who and what there is: the app itself, its workspace, people and user groups."""

from __future__ import annotations

from typing import Any

from sandbox.workspace.args import Args
from sandbox.workspace.errors import SlackError
from sandbox.workspace.methods.registry import method, page
from sandbox.workspace.model import APP, BOT, BOT_USER, TEAM, TEAM_DOMAIN, TEAM_NAME, Group
from sandbox.workspace.state import Workspace

Json = dict[str, Any]


@method("api.test")
def api_test(_workspace: Workspace, args: Args) -> Json:
    """Says the arguments back; `error` makes it fail with that."""
    if args.text("error"):
        raise SlackError(args.text("error"), args=args.values)
    return {"args": args.values}


@method("auth.test")
def auth_test(workspace: Workspace, _args: Args) -> Json:
    """Whose token this is."""
    return {
        "url": f"{workspace.url}/",
        "team": TEAM_NAME,
        "user": workspace.users[BOT_USER].name,
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", app_token=True)
def connections_open(workspace: Workspace, _args: Args) -> Json:
    """A WebSocket URL for Socket Mode."""
    return {"url": workspace.socket_mode.new_url()}


@method("team.info", "team:read")
def team_info(workspace: Workspace, _args: Args) -> Json:
    """The workspace."""
    return {"team": {"id": TEAM, "name": TEAM_NAME, "domain": TEAM_DOMAIN, "url": f"{workspace.url}/"}}


@method("bots.info", "users:read")
def bots_info(workspace: Workspace, args: Args) -> Json:
    """The bot, which is the only one."""
    if args.text("bot", BOT) != BOT:
        raise SlackError("bot_not_found")
    name = workspace.users[BOT_USER].real_name
    return {
        "bot": {"id": BOT, "deleted": False, "name": name, "updated": 0, "app_id": APP, "user_id": BOT_USER}
    }


@method("users.info", "users:read")
def users_info(workspace: Workspace, args: Args) -> Json:
    """One person."""
    return {"user": workspace.user(args.required("user", "user_not_found")).as_slack()}


@method("users.list", "users:read")
def users_list(workspace: Workspace, args: Args) -> Json:
    """Everybody, people known from shared channels included."""
    some, metadata = page([user.as_slack() for user in workspace.users.values()], args, default=1_000)
    return {"members": some, "cache_ts": int(workspace.clock.now()), **metadata}


@method("usergroups.list", "usergroups:read")
def usergroups_list(workspace: Workspace, args: Args) -> Json:
    """The user groups, with their members when `include_users` is given."""
    users, count = args.flag("include_users"), args.flag("include_count")
    groups = [group.as_slack(with_users=users, with_count=count) for group in workspace.groups.values()]
    return {"usergroups": groups}


@method("usergroups.users.list", "usergroups:read")
def usergroups_users_list(workspace: Workspace, args: Args) -> Json:
    """The ids of a group's members."""
    return {"users": list(_group(workspace, args).members)}


def _group(workspace: Workspace, args: Args) -> Group:
    group = workspace.groups.get(args.required("usergroup", "no_such_subteam"))
    if group is None:
        raise SlackError("no_such_subteam")
    return group
