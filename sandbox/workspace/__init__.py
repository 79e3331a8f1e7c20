"""A Slack workspace on one's own machine: the other side of the bot, for `make demo` and for tests.

Slack's half of everything that a Bolt app sees is here: the Web API, Socket Mode and signed HTTP
requests, events with their retries, buttons and forms, response URLs, rate limits and the errors that
Slack answers with. The people's half is here as well: a page to work in, and `Person`, who does from
Python what somebody does in Slack's client.

    with running_workspace() as workspace:
        alice = workspace.person("alice")
        alice.command("/buzzy status", "C0STAGING")

Nothing of the bot is imported here, and nothing of Slack's own packages: what talks to this workspace is
the real, unmodified SDK.
"""

from sandbox.workspace.people import Person
from sandbox.workspace.running import RunningWorkspace, attach, running_workspace, start_workspace
from sandbox.workspace.seen import Delivery, Message, View

__all__ = [
    "Delivery",
    "Message",
    "Person",
    "RunningWorkspace",
    "View",
    "attach",
    "running_workspace",
    "start_workspace",
]
