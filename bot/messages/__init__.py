"""What people see: pure functions from what is known to blocks of Slack and a sentence for notifications.

All text stands in `rich_text` blocks, whose text elements Slack shows as they are: what a person wrote
(a reason, a log line, a commit message) cannot become markup, a link or a mention, because mentions and
links are elements of their own. Only the fallback sentence is markup, and it is escaped.
"""

from bot.messages.parts import Message

__all__ = ["Message"]
