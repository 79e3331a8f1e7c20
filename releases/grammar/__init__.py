"""The chat grammar: what people type, in Slack or in a terminal, as commands."""

from releases.grammar.commands import (
    Abort,
    Approvals,
    Approve,
    Calendar,
    Command,
    Diff,
    Drill,
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
from releases.grammar.form import OPTIONAL as FORM_MAY_LEAVE_OUT
from releases.grammar.form import FormError, read_form
from releases.grammar.helptext import HelpEntry, HelpFlag, help_text
from releases.grammar.parser import asks_for_form, parse
from releases.grammar.text import normalise
from releases.grammar.values import ALL, LONGEST_REASON
from releases.grammar.vocabulary import Vocabulary

__all__ = [
    "ALL",
    "FORM_MAY_LEAVE_OUT",
    "LONGEST_REASON",
    "Abort",
    "Approvals",
    "Approve",
    "Calendar",
    "Command",
    "Diff",
    "Drill",
    "FormError",
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
    "asks_for_form",
    "help_text",
    "normalise",
    "parse",
    "read_form",
]
