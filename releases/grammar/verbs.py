"""The table of what can be said: it drives both the parser and the help, so that neither knows more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from releases.grammar import commands
from releases.grammar.commands import Command


@dataclass(frozen=True, slots=True)
class Argument:
    """A word that stands by its place. `name` is the command's field and says how it is read."""

    name: str
    required: bool = True
    sample: str | None = None  # None where any made-up value could hit something real
    rest: bool = False  # whether it takes all the words that are left
    shown: str = ""  # how the help calls it, where that is not its name
    long: str = ""  # how a sentence calls it, where that is not its name

    @property
    def title(self) -> str:
        """What a sentence calls it."""
        return self.long or self.name

    @property
    def usage(self) -> str:
        """As the help shows it."""
        name = self.shown or self.name
        return f"<{name}>" if self.required else f"[{name}]"


@dataclass(frozen=True, slots=True)
class Flag:
    """A value with a name. `name` is the command's field and says how it is read.

    One whose `value` is empty is a switch: it takes no word behind it, and is on when it is there.
    """

    name: str
    value: str
    about: str
    sample: str
    many: bool = False
    required: bool = False
    field: str = ""  # the command's, where the flag's name cannot be one

    @property
    def usage(self) -> str:
        """As the help shows it."""
        return f"--{self.name} {self.value}".rstrip()

    @property
    def switch(self) -> bool:
        """Whether it stands alone."""
        return not self.value

    @property
    def keyword(self) -> str:
        """The command's field."""
        return self.field or self.name.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Verb:
    """What can be asked for. Examples are templates for `Vocabulary.fill`."""

    name: str
    command: Callable[..., Command]
    summary: str
    examples: tuple[str, ...]
    arguments: tuple[Argument, ...] = ()
    flags: tuple[Flag, ...] = ()
    needs: tuple[str, ...] = ()  # one of these flags must be there
    changes: bool = (
        True  # whether it may change something, so that no line to copy may say less than was typed
    )
    otherwise: str = "help {verb}"  # the line to copy when nothing better is known

    @property
    def usage(self) -> str:
        """The whole line, as the help shows it."""
        parts = [self.name, *(argument.usage for argument in self.arguments)]
        return " ".join(
            [*parts, *(flag.usage if flag.required else f"[{flag.usage}]" for flag in self.flags)]
        )


_VERSION = Argument("version", sample="3.2.1")
_ENVIRONMENT = Argument("environment", sample="{environment}")
_ANY_ENVIRONMENT = Argument("environment", required=False, sample="{environment}")

_STRATEGY = Flag("strategy", "<name>", "how to go about it: {strategies}", "{strategy}")
_SERVICES = Flag("services", "<a,b>", "only these; all of them otherwise", "{service}", many=True)
_REASON = Flag("reason", '"…"', "why, for the record", "what it is for")
_WHY = Flag("reason", '"…"', "why; whoever is kept waiting reads it", "what it is for", required=True)
_FOR = Flag("for", "<2h>", "how long, such as 90m, 2h or 1d", "2h", field="length")
_UNTIL = Flag("until", '"…"', "or until when, such as 17:00 or 'tomorrow 9:00'", "17:00")
_WAIT = Flag("wait", "", "if it is locked, get in line: you are told when it opens", "")
_OVERRIDE = Flag("override-freeze", "", "release although it is frozen, with a reason, if you may", "")
_PLACE = Argument("place", sample="{environment}")
_HOTFIX = Flag("hotfix", "", "a patch in a hurry; needs a reason", "")
_SECURITY = Flag("security", "", "mends a weakness; needs a reason", "")
_RESTORE = Flag("restore", "", "the database as well, from the backup: what was written since is lost", "")
_KEEP_DATABASE = Flag("keep-database", "", "the services alone: migrations stay that cannot be undone", "")
_TO = Flag(
    "to",
    "<target>",
    "a version, a rollout revision (4) or a release (R37); the one before otherwise",
    "3.2.0",
)

VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            "release",
            commands.Release,
            "Release a version to an environment.",
            (
                "release 3.2.1 {environment}",
                'release 3.2.1 {next} --services {service} --reason "fix the export"',
                "release 3.2.1 {next} --strategy {strategy}",
                'release 3.2.1 {next} --hotfix --reason "exports fail"',
            ),
            (_VERSION, _ENVIRONMENT),
            (_STRATEGY, _SERVICES, _HOTFIX, _SECURITY, _REASON, _WAIT, _OVERRIDE),
        ),
        Verb(
            "promote",
            commands.Promote,
            "Release to one environment the version that runs in another.",
            (
                "promote {environment} {next}",
                'promote {environment} {next} --reason "tested for a day"',
            ),
            (
                Argument("source", sample="{environment}", shown="from", long="environment to promote from"),
                Argument("environment", sample="{next}", shown="to", long="environment to promote to"),
            ),
            (_STRATEGY, _SERVICES, _HOTFIX, _SECURITY, _REASON, _WAIT, _OVERRIDE),
        ),
        Verb(
            "rollback",
            commands.Rollback,
            "Go back to an earlier version.",
            (
                "rollback {environment}",
                'rollback {next} --to 3.2.0 --reason "exports fail"',
                "rollback {next} --to 4",
                "rollback {next} --to R37",
                'rollback {next} --restore --reason "exports lose rows"',
            ),
            (_ENVIRONMENT,),
            (_TO, _SERVICES, _RESTORE, _KEEP_DATABASE, _REASON),
        ),
        Verb(
            "drill",
            commands.Drill,
            "Prove that a standby could take over; nothing is changed.",
            ("drill {standby}", 'drill {standby} --reason "the quarterly drill"'),
            (Argument("environment", sample="{standby}"),),
            (_REASON,),
        ),
        Verb(
            "validate",
            commands.Validate,
            "Run the suites of an environment on what it runs, or one of them.",
            ("validate {environment}", "validate {next}"),
            (_ENVIRONMENT, Argument("suite", required=False, sample="{suite}")),
        ),
        Verb(
            "abort",
            commands.Abort,
            "Stop a release that is under way, and return to what was stable.",
            ("abort R42", 'abort R42 --reason "wrong version"'),
            (Argument("release"),),
            (_REASON,),
            otherwise="status",
        ),
        Verb(
            "pause",
            commands.Pause,
            "Have a release that is under way stay where it is, before its next step.",
            ("pause R42", 'pause R42 --reason "looking at an error"'),
            (Argument("release"),),
            (_REASON,),
            otherwise="status",
        ),
        Verb(
            "resume",
            commands.Resume,
            "Let a release go on that was paused.",
            ("resume R42",),
            (Argument("release"),),
            otherwise="status",
        ),
        Verb(
            "retry",
            commands.Retry,
            "Have a release that failed go on from the step at which it did.",
            ("retry R42",),
            (Argument("release"),),
            otherwise="history",
        ),
        Verb(
            "approve",
            commands.Approve,
            "Agree to the plan of a release, as its button and ✅ do.",
            ("approve R42",),
            (Argument("release"),),
            otherwise="status",
        ),
        Verb(
            "refuse",
            commands.Refuse,
            "Say no to a release that waits for approval, as its button and ❌ do.",
            ("refuse R42",),
            (Argument("release"),),
            otherwise="status",
        ),
        Verb(
            "finish",
            commands.Finish,
            "Say that a release is good which asks you, because what was watched does not tell.",
            ("finish R42",),
            (Argument("release"),),
            otherwise="status",
        ),
        Verb(
            "plan",
            commands.Plan,
            "Show every step that a release would take, and change nothing.",
            ("plan 3.2.1 {next}",),
            (_VERSION, _ENVIRONMENT),
            (_STRATEGY, _SERVICES),
            changes=False,
        ),
        Verb(
            "diff",
            commands.Diff,
            "Show what differs between two environments: versions, images, configuration, pods.",
            ("diff {environment} {next}",),
            (
                Argument("source", sample="{environment}", shown="a", long="first environment"),
                Argument("environment", sample="{next}", shown="b", long="second environment"),
            ),
            changes=False,
        ),
        Verb(
            "lock",
            commands.Lock,
            "Close an environment to other people's releases; `all` closes every one.",
            (
                'lock {next} --reason "audit" --for 2h',
                'lock {next} --reason "the migration has to go first" --take-over',
                'lock all --reason "incident" --rollbacks-too',
            ),
            (_PLACE,),
            (
                _WHY,
                _FOR,
                _UNTIL,
                Flag("take-over", "", "take somebody else's lock over; they are told why", ""),
                Flag("rollbacks-too", "", "rollbacks as well, which otherwise pass a lock", ""),
            ),
        ),
        Verb("unlock", commands.Unlock, "Open what you have locked.", ("unlock {next}",), (_PLACE,)),
        Verb(
            "freeze",
            commands.Freeze,
            "Close an environment, or `all`, to everybody's releases for a time.",
            ('freeze {next} --reason "year-end" --until "2 January 8:00"',),
            (_PLACE,),
            (_WHY, _FOR, _UNTIL),
            needs=("for", "until"),
        ),
        Verb("unfreeze", commands.Unfreeze, "End a freeze.", ("unfreeze {next}",), (_PLACE,)),
        Verb(
            "schedule",
            commands.Schedule,
            "Release a version later: at a time, or with a train.",
            (
                "schedule 3.2.1 {next} tomorrow 10:00",
                'schedule 3.2.1 {next} monthly --reason "the monthly release"',
            ),
            (_VERSION, _ENVIRONMENT, Argument("when", sample="tomorrow 10:00", rest=True)),
            (_STRATEGY, _SERVICES, _REASON),
        ),
        Verb(
            "unschedule",
            commands.Unschedule,
            "Take a scheduled release back.",
            ("unschedule S3",),
            (Argument("schedule"),),
            otherwise="calendar",
        ),
        Verb(
            "calendar",
            commands.Calendar,
            "What is due and what is closed in the next two weeks.",
            ("calendar", "calendar {next}"),
            (_ANY_ENVIRONMENT,),
            changes=False,
        ),
        Verb(
            "approvals",
            commands.Approvals,
            "What waits for you, and what waits for others.",
            ("approvals",),
            changes=False,
        ),
        Verb(
            "status",
            commands.Status,
            "What runs where, and what is under way.",
            ("status", "status {environment}"),
            (_ANY_ENVIRONMENT,),
            changes=False,
        ),
        Verb(
            "history",
            commands.History,
            "The releases there were.",
            ("history", "history {next}"),
            (_ANY_ENVIRONMENT,),
            changes=False,
        ),
        Verb(
            "migrations",
            commands.Migrations,
            "The migrations of the database: when each ran, by which release, whether it can be undone.",
            ("migrations", "migrations {next}"),
            (_ANY_ENVIRONMENT,),
            changes=False,
        ),
        Verb(
            "help",
            commands.Help,
            "What you can say; about one command, with examples.",
            ("help", "help release"),
            (Argument("verb", required=False),),
            changes=False,
        ),
    )
}

SYNONYMS = {
    "deploy": "release",
    "ship": "release",
    "install": "release",
    "upgrade": "release",
    "test": "validate",
    "check": "validate",
    "verify": "validate",
    "undo": "rollback",
    "revert": "rollback",
    "back": "rollback",
    "cancel": "abort",
    "stop": "abort",
    "kill": "abort",
    "hold": "pause",
    "suspend": "pause",
    "continue": "resume",
    "unpause": "resume",
    "again": "retry",
    "rerun": "retry",
    "accept": "approve",
    "confirm": "approve",
    "ok": "approve",
    "yes": "approve",
    "deny": "refuse",
    "reject": "refuse",
    "decline": "refuse",
    "no": "refuse",
    "exercise": "drill",
    "failover": "drill",
    "preview": "plan",
    "dry-run": "plan",
    "compare": "diff",
    "difference": "diff",
    "block": "lock",
    "unblock": "unlock",
    "thaw": "unfreeze",
    "later": "schedule",
    "train": "calendar",
    "trains": "calendar",
    "agenda": "calendar",
    "approval": "approvals",
    "pending": "approvals",
    "todo": "approvals",
    "waiting": "approvals",
    "ls": "status",
    "state": "status",
    "list": "status",
    "log": "history",
    "schema": "migrations",
    "usage": "help",
    "commands": "help",
}
"""What people say instead of a verb. They are asked whether they meant it."""
