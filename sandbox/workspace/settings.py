"""How a workspace is set up: the app that is installed in it and how strictly Slack's rules are kept."""

from __future__ import annotations

from dataclasses import dataclass

SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:join",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "im:history",
        "im:read",
        "im:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
    }
)

SUBSCRIPTIONS = frozenset(
    {
        "app_home_opened",
        "app_mention",
        "member_joined_channel",
        "message.channels",
        "message.im",
        "reaction_added",
        "reaction_removed",
    }
)


HINTS = (
    ("release", "open the release form"),
    ("release <version> <environment>", "plan, ask for approval, release"),
    ("promote <from> <to>", "release what runs in one environment to the next"),
    ("status [environment]", "what runs where, and how it is"),
    ("history [environment]", "what was released, by whom, and how it went"),
    ("plan <version> <environment>", "every step and the difference, changing nothing"),
    ("diff <environment> <environment>", "what two environments do not have in common"),
    ("rollback <environment> [--to <version>]", "go back to the version before, or to another"),
    ("abort <release>", "stop and return to what was stable"),
    ("pause <release>", "stop at the next safe point"),
    ("resume <release>", "go on"),
    ("retry <release>", "go on from the step that failed"),
    ("lock <environment> --reason <why>", "close an environment"),
    ("unlock <environment>", "open it again"),
    ("freeze <environment> --until <when>", "close it by the calendar"),
    ("unfreeze <environment>", "lift the freeze"),
    ("schedule <version> <environment> <when>", "release later"),
    ("approvals", "what waits for you, and what for others"),
    ("calendar", "trains, freezes, maintenance"),
    ("validate <environment> [suite]", "run a validation suite on its own"),
    ("capacity <environment>", "requests, limits, usage, room for the next surge"),
    ("stop-the-line", "stop every release in flight at its next safe point"),
    ("help [verb]", "how to say it"),
)
"""What the composer offers after `/buzzy`: usage and what it does. Slack itself shows one such line."""


@dataclass(frozen=True)
class Settings:
    """What an app's configuration page at Slack says. Times are in seconds of the workspace's clock."""

    bot_token: str = "xoxb-000000000000-000000000000-sandbox"  # noqa: S105  opens the sandbox only
    app_token: str = "xapp-1-A0BUZZY-000000000000-sandbox"  # noqa: S105  opens the sandbox only
    signing_secret: str = "5andb0x0000000000000000000000000"  # noqa: S105  signs the sandbox's requests only
    scopes: frozenset[str] = SCOPES
    subscriptions: frozenset[str] = SUBSCRIPTIONS
    escapes: bool = True
    """Whether the command's "escape channels, users, and links" is on."""
    answer_seconds: float = 3.0
    """How long Slack waits for the app's answer, and how long a trigger id lives."""
    retry_after: tuple[float, ...] = (0.0, 60.0, 300.0)
    """When an event that was not acknowledged is sent again, each counted from the failure before."""
    copies: int = 1
    """How often everything is delivered, all at once: Slack promises at least once."""
    rate_limits: bool = False
    """Whether methods answer 429 at Slack's published rates; tests of other things are faster without."""
    hints: tuple[tuple[str, str], ...] = HINTS
    """The lines that the page's composer offers for the app's command."""
