"""What is said about a line that is no command: what is wrong, what was meant, and a line to copy."""

from __future__ import annotations

import pytest

from releases.grammar import GrammarError, Help, Status, Vocabulary, parse
from releases.grammar.verbs import VERBS

COMMANDS = f"Commands: {', '.join(VERBS)} · /buzzy help"

VOCABULARY = Vocabulary(
    environments=("development", "staging", "production", "disaster-recovery"),
    services=("buzzy-main", "buzzy-api", "buzzy-files", "buzzy-worker"),
)


def refusal(text: str) -> GrammarError:
    """What is said about a line that is no command."""
    with pytest.raises(GrammarError) as caught:
        parse(text, VOCABULARY)
    return caught.value


@pytest.mark.requirement("C9", "C7")
@pytest.mark.parametrize(
    ("text", "problem", "copy"),
    [
        ("lock staging", "The reason is missing.", 'lock staging --reason "what it is for"'),
        (
            "lock staging --until tomorrow 17:00 --reason x",
            "A time of several words goes in quotation marks.",
            'lock staging --reason "x" --until "tomorrow 17:00"',
        ),
        (
            "lock staging --for 2 --reason x",
            '"2" needs a unit, such as 2s or 2m.',
            'lock staging --reason "x" --for 2h',
        ),
        (
            "lock staging --for 2h --until 17:00 --reason x",
            "--for and --until both say when it ends: one is enough.",
            'lock staging --reason "x" --for 2h',
        ),
        (
            "freeze staging --reason x",
            "It does not say until when: --for or --until does.",
            'freeze staging --reason "x" --for 2h',
        ),
        (
            "schedule production 3.2.1 monthly",
            "The version comes first, then the environment.",
            'schedule 3.2.1 production "monthly"',
        ),
        ("schedule 3.2.1 production", "The when is missing.", 'schedule 3.2.1 production "tomorrow 10:00"'),
        ("unschedule R3", 'A scheduled release has a name such as S3; "R3" is not one.', "calendar"),
    ],
)
def test_locks_and_schedules_that_say_too_little_or_too_much(text: str, problem: str, copy: str) -> None:
    """What is missing is named, and the line to copy has it."""
    error = refusal(text)
    assert error.problem == problem
    assert error.copy == f"/buzzy {copy}"


@pytest.mark.requirement("C9")
def test_a_wrong_command_gets_three_lines() -> None:
    """What is wrong and what was meant, a line to copy, and the names with where to read more."""
    assert str(refusal("release 3.2.1 stagign")).splitlines() == [
        'There is no environment "stagign". Did you mean staging?',
        "    /buzzy release 3.2.1 staging",
        "Environments: development, staging, production, disaster-recovery · /buzzy help release",
    ]


@pytest.mark.requirement("C9")
@pytest.mark.parametrize(
    ("text", "problem", "meant", "copy"),
    [
        ("relase 3.2.1 staging", 'There is no command "relase".', "release", "release 3.2.1 staging"),
        ("deploy 3.2.1 staging", 'There is no command "deploy".', "release", "release 3.2.1 staging"),
        ("ship 3.2 stagign", 'There is no command "ship".', "release", "release 3.2.0 staging"),
        ("undo staging", 'There is no command "undo".', "rollback", "rollback staging"),
        ("cancel r42", 'There is no command "cancel".', "abort", "abort R42"),
        ("stop 42", 'There is no command "stop".', "abort", "abort R42"),
        ("ls", 'There is no command "ls".', "status", "status"),
        ("state prod", 'There is no command "state".', "status", "status production"),
        ("xyzzy", 'There is no command "xyzzy".', None, "help"),
        ("help deploy", 'There is no command "deploy".', "release", "help release"),
        ("3.2.1 staging", "The command is missing.", "release", "release 3.2.1 staging"),
        ("--reason x", "The command is missing.", None, "help"),
        ("release", "The version and the environment are missing.", None, "release 3.2.1 development"),
        ("release 3.2.1", "The environment is missing.", None, "release 3.2.1 development"),
        ("release 3.2", "The environment is missing.", None, "release 3.2.0 development"),
        ("release staging", "The version is missing.", None, "release 3.2.1 staging"),
        ("plan stagign", "The version is missing.", None, "plan 3.2.1 staging"),
        ("release --reason x staging", "The version is missing.", None, 'release 3.2.1 staging --reason "x"'),
        ("rollback", "The environment is missing.", None, "rollback development"),
        (
            "promote",
            "The environment to promote from and the environment to promote to are missing.",
            None,
            "promote development staging",
        ),
        (
            "promote staging",
            "The environment to promote to is missing.",
            None,
            "promote staging production",
        ),
        (
            "promote staging staging",
            "staging cannot be promoted to itself.",
            None,
            "promote staging production",
        ),
        (
            "diff staging staging",
            "staging does not differ from itself.",
            None,
            "diff staging production",
        ),
        ("diff staging", "The second environment is missing.", None, "diff staging production"),
        (
            "promote stagign prod",
            'There is no environment "stagign".',
            "staging",
            "promote staging production",
        ),
        ("promote moon staging", 'There is no environment "moon".', None, "promote development staging"),
        ("promote staging to production", '"to" is one word too many.', None, "promote staging production"),
        (
            "rollback staging --restore --keep-database",
            "--restore and --keep-database are one or the other.",
            None,
            "rollback staging --keep-database",
        ),
        (
            "release 3.2.1 staging --hotfix",
            "--hotfix needs a reason.",
            None,
            'release 3.2.1 staging --hotfix --reason "what it is for"',
        ),
        (
            'release 3.2.1 staging --hotfix --security --reason "x"',
            "A release is a hotfix or a security release, not both.",
            None,
            'release 3.2.1 staging --hotfix --reason "x"',
        ),
        (
            'release 3.2.1 staging hotfix --reason "x"',
            '"hotfix" is one word too many.',
            "--hotfix",
            'release 3.2.1 staging --hotfix --reason "x"',
        ),
        ("abort", "The release is missing.", None, "status"),
        (
            "release staging 3.2.1",
            "The version comes first, then the environment.",
            None,
            "release 3.2.1 staging",
        ),
        (
            "release stagign --reason x 3.2",
            "The version comes first, then the environment.",
            None,
            'release 3.2.0 staging --reason "x"',
        ),
        (
            "release latest staging",
            '"latest" is no version: tags must be versions, such as 3.2.1.',
            None,
            "release 3.2.1 staging",
        ),
        (
            "release 3.2 staging",
            '"3.2" is no version: it needs three numbers, such as 3.2.1 or 3.3.0-rc.1.',
            "3.2.0",
            "release 3.2.0 staging",
        ),
        (
            "release 3.2.1+build staging",
            '"3.2.1+build" has build metadata (the part from "+" on), which a container tag cannot hold.',
            "3.2.1",
            "release 3.2.1 staging",
        ),
        ("release 3.2.1 prod", 'There is no environment "prod".', "production", "release 3.2.1 production"),
        ('status ""', 'There is no environment "".', None, "status development"),
        ("status dr", 'There is no environment "dr".', "disaster-recovery", "status disaster-recovery"),
        (
            "status recovery",
            'There is no environment "recovery".',
            "disaster-recovery",
            "status disaster-recovery",
        ),
        ("release 3.2.1 moon", 'There is no environment "moon".', None, "release 3.2.1 development"),
        ("release 3.2.1 to staging", '"to" is one word too many.', None, "release 3.2.1 staging"),
        ("status staging now", '"now" is one word too many.', None, "status staging"),
        ("status staging production", '"production" is one word too many.', None, "status staging"),
        ("help release me", '"me" is one word too many.', None, "help release"),
        (
            "release 3.2.1 staging because it broke",
            '"because it broke" is too much.',
            "it as the reason",
            'release 3.2.1 staging --reason "because it broke"',
        ),
        (
            "release 3.2.1 staging reason: fix the export",
            '"reason: fix the export" is too much.',
            "--reason",
            'release 3.2.1 staging --reason "fix the export"',
        ),
        (
            "release 3.2.1 staging buzzy-api",
            '"buzzy-api" is one word too many.',
            "--services buzzy-api",
            "release 3.2.1 staging --services buzzy-api",
        ),
        (
            "release 3.2.1 staging --services buzzy-main buzzy-api",
            '"buzzy-api" is one word too many.',
            "--services buzzy-api",
            "release 3.2.1 staging --services buzzy-main,buzzy-api",
        ),
        (
            "rollback staging 3.2.0",
            '"3.2.0" is one word too many.',
            "--to 3.2.0",
            "rollback staging --to 3.2.0",
        ),
        ("rollback staging to R37", '"to R37" is too much.', "--to", "rollback staging --to R37"),
        (
            "release 3.2.1 staging --reason fix export --strategy rolling",
            "A reason of several words goes in quotation marks.",
            None,
            'release 3.2.1 staging --strategy rolling --reason "fix export"',
        ),
        (
            "release --reason fix export 3.2.1 staging",
            "A reason of several words goes in quotation marks.",
            None,
            'release 3.2.1 staging --reason "fix export"',
        ),
        (
            'release 3.2.1 staging --reason "fix export --services buzzy-api',
            "A quotation mark has no partner.",
            None,
            'release 3.2.1 staging --services buzzy-api --reason "fix export"',
        ),
        (
            'release 3.2.1 staging --reason “fix export --services "buzzy-api"',
            "A quotation mark has no partner.",
            None,
            'release 3.2.1 staging --services buzzy-api --reason "fix export"',
        ),
        (
            "release 3.2.1 staging --reason move to staging",
            "A reason of several words goes in quotation marks.",
            None,
            'release 3.2.1 staging --reason "move to staging"',
        ),
        (
            'release 3.2.1 staging --reason fix export"',
            "A quotation mark has no partner.",
            None,
            'release 3.2.1 staging --reason "fix export"',
        ),
        (
            'release 3.2.1 staging --reason ""',
            "The reason is empty.",
            None,
            'release 3.2.1 staging --reason "what it is for"',
        ),
        (
            "release 3.2.1 staging --reason --strategy rolling",
            "There is nothing behind --reason.",
            None,
            'release 3.2.1 staging --strategy rolling --reason "what it is for"',
        ),
        (
            "release 3.2.1 staging --services",
            "There is nothing behind --services.",
            None,
            "release 3.2.1 staging --services buzzy-main",
        ),
        (
            "release 3.2.1 staging --services ,",
            "There is no service in the list.",
            "buzzy-main",
            "release 3.2.1 staging --services buzzy-main",
        ),
        (
            "release 3.2.1 staging --services buzzy-ap,buzzy-mian",
            'There is no service "buzzy-ap".',
            "buzzy-api",
            "release 3.2.1 staging --services buzzy-api,buzzy-main",
        ),
        (
            "release 3.2.1 staging --services api",
            'There is no service "api".',
            "buzzy-api",
            "release 3.2.1 staging --services buzzy-api",
        ),
        (
            "release 3.2.1 staging --strategy blue-green",
            'There is no strategy "blue-green".',
            None,
            "release 3.2.1 staging --strategy rolling",
        ),
        ("rollback staging --to 4 --to 5", "--to is there twice.", None, "rollback staging --to 5"),
        (
            "rollback staging --to 3.2",
            '--to takes a version, a revision or a release (3.2.0, 4 or R37); "3.2" is none of them.',
            "3.2.0",
            "rollback staging --to 3.2.0",
        ),
        (
            "rollback staging --to 0",
            '--to takes a version, a revision or a release (3.2.0, 4 or R37); "0" is none of them.',
            None,
            "rollback staging --to 3.2.0",
        ),
        (
            "release 3.2.1 staging --reasn x",
            'release has no "--reasn".',
            "--reason",
            'release 3.2.1 staging --reason "x"',
        ),
        (
            "release 3.2.1 staging --because x",
            'release has no "--because".',
            "--reason",
            'release 3.2.1 staging --reason "x"',
        ),
        (
            "release 3.2.1 staging -m x",
            'release has no "--m".',
            "--reason",
            'release 3.2.1 staging --reason "x"',
        ),
        ("release 3.2.1 --to staging", 'release has no "--to".', None, "release 3.2.1 staging"),
        (
            "release --env staging --version 3.2.1",
            'release has no "--env".',
            None,
            "release 3.2.1 staging",
        ),
        (
            "release 3.2.1 staging --dry-run",
            'release has no "--dry-run".',
            "plan",
            "plan 3.2.1 staging",
        ),
        ("abort staging", 'A release has a name such as R42; "staging" is not one.', None, "status"),
        ("abort R0", 'A release has a name such as R42; "R0" is not one.', None, "status"),
        ("history production --last 5", 'history has no "--last".', None, "history production"),
    ],
)  # fmt: skip
def test_wrong_commands(text: str, problem: str, meant: str | None, copy: str) -> None:
    """A mistake is named, what was meant is asked, and the line to copy mends all the mistakes there are."""
    said = refusal(text)
    assert (said.problem, said.copy) == (problem, f"/buzzy {copy}")
    assert said.meant == (f"Did you mean {meant}?" if meant else None)


@pytest.mark.requirement("C9")
@pytest.mark.parametrize(
    "text",
    [
        "release 3.2.1 production --force",
        "release 3.2.1 production --to staging",
        "release 3.2.1 production --skip-approval yes",
        "rollback production --dry-run",
        "abort R42 --only-if slow",
    ],
)
def test_what_is_not_understood_is_never_dropped_from_the_line_to_copy(text: str) -> None:
    """A line to copy without the flag that nobody knows would do more than was asked for."""
    copied = refusal(text).copy
    assert copied is not None
    assert isinstance(parse(copied, VOCABULARY), Help | Status)


@pytest.mark.requirement("C9")
@pytest.mark.parametrize(
    ("text", "footer"),
    [
        ("xyzzy", COMMANDS),
        ("help xyzzy", COMMANDS),
        (
            "plan 3.2.1 moon",
            "Environments: development, staging, production, disaster-recovery · /buzzy help plan",
        ),
        (
            "rollback staging --services x",
            "Services: buzzy-main, buzzy-api, buzzy-files, buzzy-worker · /buzzy help rollback",
        ),
        ("release 3.2.1 staging --strategy x", "Strategies: rolling · /buzzy help release"),
        ("abort R42 --force", "Options: --reason · /buzzy help abort"),
        ("abort x", '/buzzy abort <release> [--reason "…"] · /buzzy help abort'),
        ("status --all", "/buzzy status [environment] · /buzzy help status"),
    ],
)
def test_the_last_line_has_the_names(text: str, footer: str) -> None:
    """Under the line to copy stand the names that could have been used, and where more is said."""
    assert refusal(text).footer == footer


@pytest.mark.parametrize("abbreviation", ["p", "prod", "productio", "s", "dev", "dr"])
def test_no_abbreviation_means_an_environment(abbreviation: str) -> None:
    """Production is never hit by a lucky prefix: an abbreviation is asked about, however clear it is."""
    assert "There is no environment" in refusal(f"release 3.2.1 {abbreviation}").problem


def test_too_long_reasons_and_lines() -> None:
    """Reasons and lines have an end; the reason to copy is cut to what is allowed."""
    reason = refusal(f'release 3.2.1 staging --reason "{"x" * 301}"')
    assert reason.problem == "A reason may have 300 characters; this one has 301."
    assert reason.copy == f'/buzzy release 3.2.1 staging --reason "{"x" * 299}…"'
    line = refusal("release 3.2.1 staging " + "x" * 2_000)
    assert line.problem == "A command may have 2000 characters; this one has 2022."


def test_long_words_are_cut_in_messages() -> None:
    """A message repeats no more of a word than helps to recognise it."""
    assert refusal("x" * 500).problem == f'There is no command "{"x" * 39}…".'
