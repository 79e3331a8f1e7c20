"""The people, groups and channels of the default workspace.

One of each kind that a release bot must tell apart.
"""

from __future__ import annotations

from sandbox.workspace.model import BOT_USER, OTHER_TEAM, Channel, Group, User

BERLIN = ("Europe/Berlin", 7_200)
LISBON = ("Europe/Lisbon", 3_600)
NEW_YORK = ("America/New_York", -14_400)
TOKYO = ("Asia/Tokyo", 32_400)


def people() -> list[User]:
    """Alice asks, Bob and Carol approve, Dan develops, Erin is on call; a guest, a stranger, and the bot."""
    return [
        User("U0ALICE", "alice", "Alice Archer", "requester", *BERLIN, color="7a5af8"),
        User("U0BOB", "bob", "Bob Brandt", "approver", *BERLIN, color="0e9384"),
        User(
            "U0CAROL",
            "carol",
            "Carol Costa",
            "approver, release manager",
            *LISBON,
            color="dc6803",
            is_admin=True,
        ),
        User("U0DAN", "dan", "Dan Dubois", "developer", *BERLIN, color="1570ef"),
        User("U0ERIN", "erin", "Erin Evans", "on-call", *NEW_YORK, color="d92d20"),
        User("U0GUEST", "gus", "Gus Gast", "guest, one channel", *BERLIN, color="667085", is_guest=True),
        User(
            "U0OTHER",
            "mallory",
            "Mallory Moore",
            "another workspace",
            *TOKYO,
            color="a15c07",
            team=OTHER_TEAM,
        ),
        User(BOT_USER, "buzzy", "Buzzy", "app", *BERLIN, color="f5b301", is_bot=True),
    ]


def groups() -> list[Group]:
    """Whom the example policy asks for approval, and whom it wakes."""
    return [
        Group("S0APPROVERS", "buzzy-approvers", "Buzzy approvers", ["U0BOB", "U0CAROL"]),
        Group("S0ONCALL", "oncall", "On-call", ["U0ERIN"]),
    ]


def channels() -> list[Channel]:
    """The bot is in every channel; the guest in one; the stranger in the two that are shared with them."""
    staff = [BOT_USER, "U0ALICE", "U0BOB", "U0CAROL", "U0DAN", "U0ERIN"]
    shared = [OTHER_TEAM]
    return [
        Channel("C0GENERAL", "general", [*staff], topic="Everybody, everything"),
        Channel("C0DEV", "buzzy-development", [*staff], topic="Latest builds of Buzzy"),
        Channel(
            "C0STAGING",
            "buzzy-staging",
            [*staff, "U0GUEST", "U0OTHER"],
            topic="Releases to staging",
            shared_with=shared,
        ),
        Channel(
            "C0RELEASES",
            "buzzy-releases",
            [*staff, "U0OTHER"],
            topic="Releases to production",
            shared_with=shared,
        ),
        Channel("C0DR", "buzzy-dr", [*staff], topic="Disaster recovery, a standby of production"),
        Channel("C0ONCALL", "oncall", [*staff], topic="Incidents: one thread each"),
    ]
