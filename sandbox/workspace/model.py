"""Who and what is in a workspace: people, user groups, channels. As Slack shows them to an app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

TEAM = "T0BUZZY"
TEAM_NAME = "Buzzy"
TEAM_DOMAIN = "buzzy-sandbox"
OTHER_TEAM = "T0OTHER"
OTHER_TEAM_DOMAIN = "partner-sandbox"
APP = "A0BUZZY"
BOT = "B0BUZZY"
BOT_USER = "U0BUZZY"
SLACKBOT = "USLACKBOT"
COMMAND = "/buzzy"


@dataclass
class User:
    """A person or a bot. `role` is a hint for the page, which Slack does not have."""

    id: str
    name: str
    real_name: str
    role: str
    tz: str
    tz_offset: int
    color: str
    team: str = TEAM
    is_bot: bool = False
    is_guest: bool = False
    is_admin: bool = False
    is_deactivated: bool = False

    @property
    def is_stranger(self) -> bool:
        """Whether this person is known here only through a channel shared with another workspace."""
        return self.team != TEAM

    def as_slack(self) -> Json:
        """The user object of `users.info`. Slack leaves the roles out for people of other workspaces."""
        first, _, last = self.real_name.partition(" ")
        roles = {
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.is_guest,
            "is_ultra_restricted": self.is_guest,
        }
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "deleted": self.is_deactivated,
            "color": self.color,
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": self.tz,
            "tz_offset": self.tz_offset,
            "profile": {
                "real_name": self.real_name,
                "real_name_normalized": self.real_name,
                "display_name": self.name,
                "display_name_normalized": self.name,
                "first_name": first,
                "last_name": last,
                "title": self.role,
                "team": self.team,
                **({"bot_id": BOT, "api_app_id": APP} if self.is_bot else {}),
            },
            **({"is_stranger": True} if self.is_stranger else roles),
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1_700_000_000,
        }


@dataclass
class Group:
    """A user group, which is mentioned by its handle."""

    id: str
    handle: str
    name: str
    members: list[str]

    def as_slack(self, *, with_users: bool = False, with_count: bool = False) -> Json:
        """The usergroup object of `usergroups.list`."""
        return {
            "id": self.id,
            "team_id": TEAM,
            "is_usergroup": True,
            "is_subteam": True,
            "name": self.name,
            "handle": self.handle,
            "description": "",
            "is_external": False,
            "date_create": 1_700_000_000,
            "date_update": 1_700_000_000,
            "date_delete": 0,
            **({"users": list(self.members)} if with_users else {}),
            **({"user_count": len(self.members)} if with_count else {}),
        }


@dataclass
class Channel:
    """A public channel or a direct conversation, with its messages by timestamp, oldest first."""

    id: str
    name: str
    members: list[str]
    topic: str = ""
    is_im: bool = False
    shared_with: list[str] = field(default_factory=list)
    messages: dict[str, Json] = field(default_factory=dict)

    @property
    def is_shared(self) -> bool:
        """Whether people of another workspace are in it."""
        return bool(self.shared_with)

    def as_slack(self) -> Json:
        """The conversation object of `conversations.info`."""
        if self.is_im:
            person = next(member for member in self.members if member != BOT_USER)
            return {
                "id": self.id,
                "is_im": True,
                "user": person,
                "is_org_shared": False,
                "created": 1_700_000_000,
            }
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": True,
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": False,
            "is_general": self.name == "general",
            "is_archived": False,
            "is_member": BOT_USER in self.members,
            "is_shared": self.is_shared,
            "is_ext_shared": self.is_shared,
            "is_org_shared": False,
            "shared_team_ids": [TEAM, *self.shared_with],
            "context_team_id": TEAM,
            "creator": "U0DAN",
            "created": 1_700_000_000,
            "num_members": len(self.members),
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": self.topic, "creator": "", "last_set": 0},
        }
