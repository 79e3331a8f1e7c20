"""What holds for every line that anybody could type, and for every command."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.grammar import (
    LONGEST_REASON,
    Abort,
    Approvals,
    Calendar,
    Command,
    Diff,
    Finish,
    Freeze,
    GrammarError,
    Help,
    History,
    Lock,
    Migrations,
    Plan,
    Promote,
    Release,
    Rollback,
    Schedule,
    Status,
    ToRelease,
    ToRevision,
    ToVersion,
    Unfreeze,
    Unlock,
    Unschedule,
    Validate,
    Vocabulary,
    help_text,
    normalise,
    parse,
)
from releases.version import Version

VOCABULARY = Vocabulary(
    environments=("development", "staging", "production", "disaster-recovery"),
    services=("buzzy-main", "buzzy-api", "buzzy-files", "buzzy-worker"),
    strategies=("rolling", "blue-green"),
    suites=("smoke", "full-system"),
)
VERBS = tuple(entry.verb for entry in help_text(None, VOCABULARY))

versions = st.from_regex(r"[0-9]\.[1-9][0-9]?\.[0-9](-(rc|beta)\.[1-9])?", fullmatch=True).map(Version.parse)
environments = st.sampled_from(VOCABULARY.environments)
strategies = st.none() | st.sampled_from(VOCABULARY.strategies)
services = st.lists(st.sampled_from(VOCABULARY.services), unique=True).map(tuple)
releases = st.integers(1, 99_999).map(lambda number: f"R{number}")
# Reasons as they come out of the grammar, with what could confuse it: marks, dashes, escapes and markup.
reasons = st.none() | (
    st.lists(
        st.sampled_from([*"\"'“”\u2018\u2019«»\\-\u2013—=,<>&|`@#!", "--to", " ", "&amp;", "don't"])
        | st.text(max_size=5)
    )
    .map(lambda parts: normalise("".join(parts))[:LONGEST_REASON].strip())
    .filter(bool)
)
said = reasons.filter(bool)
times = st.sampled_from(["17:00", "tomorrow 10:00", "2 January 8:00", "monthly", 'at "noon"'])
lengths = st.none() | st.integers(1, 300_000).map(lambda seconds: timedelta(seconds=seconds))
places = environments | st.just("all")
targets = (
    st.none()
    | st.builds(ToVersion, versions)
    | st.builds(ToRevision, st.integers(1, 999_999_999))
    | st.builds(ToRelease, releases)
)


def hurried(command: st.SearchStrategy[Release | Promote]) -> st.SearchStrategy[Release | Promote]:
    """A command that may be in a hurry, and then has a reason."""
    kinds = st.sampled_from([{"hotfix": True}, {"security": True}])
    why = reasons.filter(lambda reason: reason is not None)
    return command | st.builds(
        lambda start, reason, kind: replace(start, reason=reason, **kind), command, why, kinds
    )


pairs = st.permutations(VOCABULARY.environments)
commands: st.SearchStrategy[Command] = st.one_of(
    hurried(
        st.builds(
            Release, versions, environments, strategies, services, reasons, st.booleans(), st.booleans()
        )
    ),
    hurried(
        pairs.flatmap(
            lambda pair: st.builds(
                Promote,
                *map(st.just, pair[:2]),
                strategies,
                services,
                reasons,
                st.booleans(),
                st.booleans(),
            )
        )
    ),
    st.builds(Lock, places, said, lengths, st.none(), st.booleans(), st.booleans()),
    st.builds(Lock, places, said, st.none(), times, st.booleans(), st.booleans()),
    st.builds(Unlock, places),
    st.builds(Freeze, places, said, lengths.filter(bool), st.none()),
    st.builds(Freeze, places, said, st.none(), times),
    st.builds(Unfreeze, places),
    st.builds(Schedule, versions, environments, times, strategies, services, reasons),
    st.builds(Unschedule, st.integers(1, 99_999).map(lambda number: f"S{number}")),
    st.builds(Calendar, st.none() | environments),
    st.builds(Rollback, environments, targets, services, reasons, st.booleans()),
    st.builds(Rollback, environments, targets, services, reasons, st.just(value=False), st.booleans()),
    st.builds(Abort, releases, reasons),
    st.builds(Validate, environments, st.none() | st.sampled_from(VOCABULARY.suites)),
    st.builds(Finish, releases),
    st.builds(Plan, versions, environments, services, strategies),
    pairs.map(lambda pair: Diff(*pair[:2])),
    st.just(Approvals()),
    st.builds(Status, st.none() | environments),
    st.builds(History, st.none() | environments),
    st.builds(Migrations, st.none() | environments),
    st.builds(Help, st.none() | st.sampled_from(VERBS)),
)

# Lines near the grammar: its own words, mended and broken, in any order.
pieces = st.sampled_from(
    (
        *VERBS,
        *VOCABULARY.environments,
        *VOCABULARY.services,
        *(
            "3.2.1",
            "3.2",
            "v1.0.0-rc.1",
            "latest",
            "R42",
            "4",
            "0",
            "deploy",
            "undo",
            "stagign",
            "prod",
            "to",
        ),
        *(
            "--to",
            "--reason",
            "--services",
            "--strategy",
            "--force",
            "--dry-run",
            "--hotfix",
            "--security",
            "-h",
            "—reason",
            "--reason=",
            "-",
        ),
        *(
            '"',
            "'",
            "“",
            "”",
            '"fix it"',
            "“fix",
            'it"',
            ",",
            "buzzy-api,",
            ",x",
            "\\",
            "`",
            "/buzzy",
            "=",
            "",
        ),
        *("<@U1|bob>", "<#C1|>", "<!here>", "<https://x|y>", "<!date^1|z>", "&amp;", "&lt;", "<", ">", "|"),
        *("\u00a0", "\u200b", "\n", "\x00", "\ud800", "\uff02", "ß", "İ", "\u0661", "🚀"),
    )
)
lines = st.lists(pieces, max_size=9).flatmap(
    lambda parts: st.sampled_from([" ", ""]).map(lambda between: between.join(parts))
)
anything = st.text() | st.text(st.characters()) | lines  # the second has halves of surrogate pairs as well


def outcome(text: str) -> Command | GrammarError:
    """What a line gives; any other exception fails the test."""
    try:
        return parse(text, VOCABULARY)
    except GrammarError as error:
        return error


@given(anything)
def test_every_text_is_a_command_or_a_grammar_error(text: str) -> None:
    """No text does anything else, and a command that comes out reads back from its own line."""
    found = outcome(text)
    assert isinstance(found, GrammarError) or outcome(found.line()) == found


@pytest.mark.requirement("C9")
@given(anything)
def test_what_is_given_to_copy_is_a_command(text: str) -> None:
    """Whoever copies the line out of an answer gets no second one; and every answer has all its parts."""
    found = outcome(text)
    if isinstance(found, GrammarError):
        assert found.problem.endswith(".")
        assert "/buzzy help" in found.footer
        assert found.copy is not None
        assert not isinstance(outcome(found.copy), GrammarError)
        assert len(str(found).splitlines()) == 3


@given(commands)
def test_every_command_has_a_line(command: Command) -> None:
    """Printing a command and reading it gives the same command, with or without Buzzy's name."""
    assert parse(command.line(), VOCABULARY) == command
    assert parse(f"/buzzy {command.line()}", VOCABULARY) == command
    assert len(command.line().splitlines()) == 1


@given(commands)
def test_lines_survive_slack(command: Command) -> None:
    """A line that was copied into Slack comes back escaped, and is still the same command."""
    escaped = command.line().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert parse(escaped, VOCABULARY) == command


@given(anything)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    """What was normalised is normal: one line, nothing invisible, and it can be encoded."""
    once = normalise(text)
    assert normalise(once) == once
    assert once == " ".join(once.split())
    assert not {unicodedata.category(character) for character in once} & {"Cc", "Cf", "Cs"}


@pytest.mark.requirement("C9")
@given(
    st.lists(
        st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True), min_size=1, max_size=4, unique=True
    ),
    st.lists(
        st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True), min_size=1, max_size=4, unique=True
    ),
)
def test_examples_of_the_help_are_commands(environment_names: list[str], service_names: list[str]) -> None:
    """Every example is a command of the verb that it is an example of, whatever the names are."""
    vocabulary = Vocabulary(tuple(environment_names), tuple(service_names))
    for entry in help_text(None, vocabulary):
        assert entry.examples
        for example in entry.examples:
            assert parse(example, vocabulary).line().startswith(entry.verb)
