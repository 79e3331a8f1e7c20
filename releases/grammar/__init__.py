"""The chat grammar: what people type, in Slack or in a terminal, as commands."""

from releases.grammar.commands import (
    Abort,
    Approve,
    Calendar,
    Command,
    Finish,
    Freeze,
    Help,
    History,
    Lock,
    Plan,
    Promote,
    Refuse,
    Release,
    Rollback,
    Schedule,
    Status,
    Target,
    ToRelease,
    ToRevision,
    ToVersion,
    Unfreeze,
    Unlock,
    Unschedule,
)
from releases.grammar.errors import GrammarError
from releases.grammar.helptext import HelpEntry, HelpFlag, help_text
from releases.grammar.parser import parse
from releases.grammar.text import normalise
from releases.grammar.values import ALL, LONGEST_REASON
from releases.grammar.vocabulary import Vocabulary

__all__ = [
    "ALL",
    "LONGEST_REASON",
    "Abort",
    "Approve",
    "Calendar",
    "Command",
    "Finish",
    "Freeze",
    "GrammarError",
    "Help",
    "HelpEntry",
    "HelpFlag",
    "History",
    "Lock",
    "Plan",
    "Promote",
    "Refuse",
    "Release",
    "Rollback",
    "Schedule",
    "Status",
    "Target",
    "ToRelease",
    "ToRevision",
    "ToVersion",
    "Unfreeze",
    "Unlock",
    "Unschedule",
    "Vocabulary",
    "help_text",
    "normalise",
    "parse",
]
