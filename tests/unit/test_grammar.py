"""The chat grammar: what is understood, and what is said about the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from releases.grammar import (
    Abort,
    Approvals,
    Calendar,
    Command,
    Diff,
    Finish,
    Freeze,
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
    suites=("smoke", "full-system"),
)
V321, V320 = Version.parse("3.2.1"), Version.parse("3.2.0")
PLAIN = Release(V321, "staging")


def because(reason: str) -> Release:
    """The plain release with a reason."""
    return Release(V321, "staging", reason=reason)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("release 3.2.1 staging", PLAIN),
        ("release v3.2.1 staging", PLAIN),
        ("RELEASE 3.2.1 Staging", PLAIN),
        ("/buzzy release 3.2.1 staging", PLAIN),
        ("buzzy release 3.2.1 staging", PLAIN),
        ("@Buzzy: release 3.2.1 staging", PLAIN),
        ("`/buzzy release 3.2.1 staging`", PLAIN),
        ('release "3.2.1" staging', PLAIN),
        ("release 3.2.1 - staging", PLAIN),
        ("diff staging production", Diff("staging", "production")),
        ("approvals", Approvals()),
        ("release 3.3.0-rc.1 development", Release(Version.parse("3.3.0-rc.1"), "development")),
        ("release 3.2.1 staging --strategy rolling", Release(V321, "staging", strategy="rolling")),
        ("release 3.2.1 staging --strategy=Rolling", Release(V321, "staging", strategy="rolling")),
        ("--strategy rolling release 3.2.1 staging", Release(V321, "staging", strategy="rolling")),
        ("release --strategy rolling 3.2.1 staging", Release(V321, "staging", strategy="rolling")),
        ("release 3.2.1 staging --services buzzy-api", Release(V321, "staging", services=("buzzy-api",))),
        (
            "release 3.2.1 staging --services buzzy-api,BUZZY-MAIN",
            Release(V321, "staging", services=("buzzy-api", "buzzy-main")),
        ),
        (
            "release --services buzzy-api, buzzy-main , buzzy-files 3.2.1 staging",
            Release(V321, "staging", services=("buzzy-api", "buzzy-main", "buzzy-files")),
        ),
        (
            'release 3.2.1 staging --services="buzzy-api, buzzy-main"',
            Release(V321, "staging", services=("buzzy-api", "buzzy-main")),
        ),
        (
            "release 3.2.1 staging --services buzzy-api --services buzzy-main,buzzy-api",
            Release(V321, "staging", services=("buzzy-api", "buzzy-main")),
        ),
        ("promote staging production", Promote("staging", "production")),
        (
            'promote staging production --services buzzy-api --reason "tested"',
            Promote("staging", "production", services=("buzzy-api",), reason="tested"),
        ),
        ("rollback staging --restore", Rollback("staging", restore=True)),
        (
            "rollback staging --to 3.2.0 --keep-database",
            Rollback("staging", ToVersion(Version.parse("3.2.0")), keep_database=True),
        ),
        (
            'release 3.2.1 staging --hotfix --reason "exports fail"',
            Release(V321, "staging", reason="exports fail", hotfix=True),
        ),
        (
            'release --security 3.2.1 staging --reason "a leak"',
            Release(V321, "staging", reason="a leak", security=True),
        ),
        ("rollback production", Rollback("production")),
        ("rollback production --to 3.2.0", Rollback("production", ToVersion(V320))),
        ("rollback production --to=v3.2.0", Rollback("production", ToVersion(V320))),
        ("rollback --to 4 production", Rollback("production", ToRevision(4))),
        ("rollback production --to r037", Rollback("production", ToRelease("R37"))),
        (
            'rollback production --reason "errors" --services buzzy-api',
            Rollback("production", services=("buzzy-api",), reason="errors"),
        ),
        ("abort R42", Abort("R42")),
        ("abort r42", Abort("R42")),
        ("finish 42", Finish("R42")),
        ("abort 42 --reason wrong", Abort("R42", "wrong")),
        (
            "plan 3.2.1 production --services buzzy-api --strategy rolling",
            Plan(V321, "production", ("buzzy-api",), "rolling"),
        ),
        ("lock staging --reason audit --for 2h", Lock("staging", "audit", timedelta(hours=2))),
        ('lock ALL --take-over --reason "it burns"', Lock("all", "it burns", take_over=True)),
        ("lock staging --reason x --rollbacks-too", Lock("staging", "x", rollbacks_too=True)),
        ("lock staging --until 17:00 --reason x", Lock("staging", "x", until="17:00")),
        ("unlock staging", Unlock("staging")),
        (
            'freeze production --reason sale --until "Mon 8:00"',
            Freeze("production", "sale", until="Mon 8:00"),
        ),
        ("unfreeze all", Unfreeze("all")),
        ("schedule 3.2.1 staging tomorrow at 10:00", Schedule(V321, "staging", "tomorrow at 10:00")),
        (
            'schedule 3.2.1 staging --reason "it is time" 3 Dec 9:00',
            Schedule(V321, "staging", "3 Dec 9:00", reason="it is time"),
        ),
        ("schedule v3.2.1 production monthly", Schedule(V321, "production", "monthly")),
        ("unschedule s3", Unschedule("S3")),
        ("calendar", Calendar()),
        ("calendar staging", Calendar("staging")),
        ("release 3.2.1 staging --wait", Release(V321, "staging", wait=True)),
        (
            "release 3.2.1 --override-freeze staging --reason CVE",
            Release(V321, "staging", reason="CVE", override_freeze=True),
        ),
        ("status", Status()),
        ("status production", Status("production")),
        ("history", History()),
        ("migrations staging", Migrations("staging")),
        ("validate staging", Validate("staging")),
        ("validate staging SMOKE", Validate("staging", "smoke")),
        ("history disaster-recovery", History("disaster-recovery")),
        ("", Help()),
        ("  /buzzy  ", Help()),
        ("help", Help()),
        ("help Release", Help("release")),
        ("--help", Help()),
        ("release --help", Help("release")),
        ("rollback production -h", Help("rollback")),
    ],
)
def test_commands(text: str, command: Command) -> None:
    """Each line is the command it reads as, wherever its flags stand, and its own line reads the same."""
    assert parse(text, VOCABULARY) == command
    assert parse(command.line(), VOCABULARY) == command


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ('--reason "fix the export"', "fix the export"),
        ("--reason 'fix the export'", "fix the export"),
        ("--reason “fix the export”", "fix the export"),
        ("--reason „fix the export“", "fix the export"),
        ("--reason « fix the export »", "fix the export"),
        ("--reason »fix the export«", "fix the export"),
        ("--reason \u2018fix the export\u2019", "fix the export"),
        ('--reason “fix the export"', "fix the export"),
        ('--reason “fix the “big” export"', "fix the “big” export"),
        ('--reason="fix the export"', "fix the export"),
        ("--reason=“fix the export”", "fix the export"),
        ("--reason export", "export"),
        ("--reason=export", "export"),
        ("—reason export", "export"),
        ("\u2013-reason export", "export"),
        ("\u2212\u2212reason export", "export"),
        ("-reason export", "export"),
        ("--REASON export", "export"),
        ("--reason don't", "don't"),
        ("--reason don\u2019t", "don\u2019t"),
        ("--reason 'don't stop'", "don't stop"),
        ("--reason \u2018don\u2019t stop\u2019", "don\u2019t stop"),
        ('--reason "the users\' export"', "the users' export"),
        ('--reason "before — and \u2013after --strategy"', "before — and \u2013after --strategy"),
        ('--reason "fix the "big" export"', 'fix the "big" export'),
        ("--reason “fix the “big” export”", "fix the “big” export"),
        (r'--reason "5\" by 7\" \\ \d"', r'5" by 7" \ \d'),
        ('--reason "fix\nthe\r\n\texport"', "fix the export"),
        ('--reason "fix\u00a0the\u202f export"', "fix the export"),
        ('--reason "f\u200bi\ufeffx\u0007 \u202ethe export"', "fix the export"),
        ("\uff0d\uff0dreason \uff02fix the export\uff02", "fix the export"),
        ('--reason "Fix für Größe — 修正 🚀"', "Fix für Größe — 修正 🚀"),
        ('--reason "a &amp; b &lt;3 c &gt; d"', "a & b <3 c > d"),
        ('--reason "&amp;lt;b&amp;gt;"', "<b>"),
        ('--reason "asked by <@U0BOB|bob> and <@U0CAROL>"', "asked by @bob and @U0CAROL"),
        ('--reason "see <#C0DEV|dev> and <#C0OPS|>"', "see #dev and #C0OPS"),
        ('--reason "<!subteam^S0OPS|@ops> <!subteam^S0DEV>"', "@ops @S0DEV"),
        ('--reason "<!here> <!channel|channel>"', "@here @channel"),
        ('--reason "<https://a.example/1> <https://b.example|the b> c"', "https://a.example/1 the b c"),
        ('--reason "<mailto:a@b.example|a@b.example> <mailto:c@d.example>"', "a@b.example c@d.example"),
        ('--reason "until <!date^1700000000^{time}|22:13>"', "until 22:13"),
        (f'--reason "{"x" * 300}"', "x" * 300),
    ],
)  # fmt: skip
def test_reasons_as_phones_and_slack_send_them(typed: str, reason: str) -> None:
    """What keyboards and Slack do to a line is undone; what stands inside the quotation marks is kept."""
    assert parse(f"release 3.2.1 staging {typed}", VOCABULARY) == because(reason)


@pytest.mark.parametrize(
    "text",
    [
        "release 3.2.1 disaster\u2011recovery",
        "release 3.2.1 disaster\u2013recovery",
        "release\u00a03.2.1\u2003disaster-recovery",
        "release 3.2.1 disas\u200bter-recovery\u2060",
        "\uff52\uff45\uff4c\uff45\uff41\uff53\uff45 \uff13\uff0e\uff12\uff0e\uff11 disaster\uff0drecovery",
        "release\n3.2.1\ndisaster-recovery",
    ],
    ids=["non-breaking dash", "en dash", "wide spaces", "invisible", "full width", "lines"],
)
def test_words_as_phones_send_them(text: str) -> None:
    """Dashes, spaces and letters that only look different are the plain ones."""
    assert parse(text, VOCABULARY) == Release(V321, "disaster-recovery")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  a \t b\n", "a b"),
        ("<https://a.example|a.example>", "a.example"),
        ("&amp;amp;amp;lt;", "<"),
        ("&lt;@U0BOB|bob&gt;", "@bob"),
        ("a < b > c", "a < b > c"),
        ("<version>", "<version>"),
        ("“as typed” — really", "“as typed” — really"),
        ("\ud83d half a pair", "half a pair"),
    ],
)
def test_normalise(text: str, plain: str) -> None:
    """Markup and what cannot be seen go; quotation marks, dashes and ordinary brackets stay."""
    assert normalise(text) == plain


def test_strategies_are_data() -> None:
    """A strategy that the vocabulary knows needs no change to the grammar."""
    more = Vocabulary(("staging",), ("buzzy-main",), ("rolling", "blue-green"))
    assert parse("release 3.2.1 staging --strategy blue-green", more) == Release(
        V321, "staging", "blue-green"
    )


@pytest.mark.parametrize("names", [((), ("a",), ("b",)), (("a",), (), ("b",)), (("a",), ("b",), ())])
def test_a_vocabulary_has_words(names: tuple[tuple[str, ...], ...]) -> None:
    """Without a single environment, service or strategy there is nothing to say."""
    with pytest.raises(ValueError, match="to speak of"):
        Vocabulary(*names)


@pytest.mark.requirement("C9")
def test_help_about_one_command() -> None:
    """The help has the usage, the flags with what they say, and lines to copy with real names."""
    (entry,) = help_text("rollback", VOCABULARY)
    assert entry.usage == (
        "/buzzy rollback <environment> [--to <target>] [--services <a,b>] [--restore] [--keep-database] "
        '[--reason "…"]'
    )
    assert entry.examples[0] == "/buzzy rollback development"
    assert [flag.usage for flag in entry.flags] == [
        "--to <target>",
        "--services <a,b>",
        "--restore",
        "--keep-database",
        '--reason "…"',
    ]
    assert all(flag.about for flag in entry.flags)


def test_help_about_all_commands() -> None:
    """Every verb that can be parsed is listed, and `help` about each of them is understood."""
    entries = help_text(None, VOCABULARY)
    assert [entry.verb for entry in entries] == [
        "release",
        "promote",
        "rollback",
        "drill",
        "validate",
        "abort",
        "pause",
        "resume",
        "retry",
        "approve",
        "refuse",
        "finish",
        "plan",
        "diff",
        "lock",
        "unlock",
        "freeze",
        "unfreeze",
        "schedule",
        "unschedule",
        "calendar",
        "approvals",
        "status",
        "history",
        "migrations",
        "help",
    ]
    assert [parse(f"help {entry.verb}", VOCABULARY) for entry in entries] == [
        Help(entry.verb) for entry in entries
    ]
    with pytest.raises(KeyError):
        help_text("blend", VOCABULARY)
