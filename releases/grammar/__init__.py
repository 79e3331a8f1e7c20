"""The chat grammar: what people type, in Slack or in a terminal, as commands."""

from releases.grammar.commands import (
    Abort,
    Approve,
    Command,
    Help,
    History,
    Plan,
    Promote,
    Refuse,
    Release,
    Rollback,
    Status,
    Target,
    ToRelease,
    ToRevision,
    ToVersion,
)
from releases.grammar.errors import GrammarError
from releases.grammar.helptext import HelpEntry, HelpFlag, help_text
from releases.grammar.parser import parse
from releases.grammar.text import normalise
from releases.grammar.values import LONGEST_REASON
from releases.grammar.vocabulary import Vocabulary

__all__ = [
    "LONGEST_REASON",
    "Abort",
    "Approve",
    "Command",
    "GrammarError",
    "Help",
    "HelpEntry",
    "HelpFlag",
    "History",
    "Plan",
    "Promote",
    "Refuse",
    "Release",
    "Rollback",
    "Status",
    "Target",
    "ToRelease",
    "ToRevision",
    "ToVersion",
    "Vocabulary",
    "help_text",
    "normalise",
    "parse",
]
