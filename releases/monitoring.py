"""What is watched after a release: triggers, what was measured, and what it means. Pure data.

Four verdicts, as analysis has them: `passed`, `failed`, `error` (it could not be measured) and `inconclusive`
(too little was measured). Nothing goes back by itself because of the last two.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from releases.frozen import Frozen

Kind = Literal["health", "query", "http", "kubernetes"]
Condition = Literal["restarts", "oom-kills", "events"]
Unit = Literal["", "share", "seconds", "per second", "cores", "bytes"]


class Trigger(Frozen):
    """What makes a release go back: a limit, and how long it has to be passed."""

    kind: Kind
    name: str = Field(description="what people call it; unique in its monitor")
    above: float | None = Field(default=None, description="in the unit; a factor with `times`")
    below: float | None = None
    times: bool = Field(default=False, description="whether the limit is a multiple of the version before")
    unit: Unit = ""
    for_seconds: int = Field(default=0, ge=0, description="how long it must be so without a break")
    query: str = Field(default="", description="PromQL, with $labels, $namespace, $pods and $range")
    samples: str = Field(
        default="", description="PromQL that counts what was measured; empty: any value will do"
    )
    at_least: int = Field(default=0, ge=0, description="how many there must be before they mean anything")
    url: str = ""
    status: int = 200
    within_seconds: float = 5.0
    condition: Condition | None = None
    reasons: tuple[str, ...] = Field(default=(), description="of events: only these; empty for all warnings")

    def passes(self, value: float, before: float | None) -> bool:
        """Whether a value is past its limit. `before` is the value of the version before, for `times`."""
        limit = self.limit(before)
        if limit is None:
            return False
        return value > limit if self.above is not None else value < limit

    def limit(self, before: float | None) -> float | None:
        """The limit in the unit of the value; None while it is not known, because nothing was before."""
        given = self.above if self.above is not None else self.below
        if given is None or not self.times:
            return given
        return None if before is None else given * before


class Monitor(Frozen):
    """Watch the environment for a while: what the triggers say decides whether the release is done."""

    kind: Literal["monitor"] = "monitor"
    window_seconds: int = Field(gt=0)
    every_seconds: int = Field(gt=0, description="how often it is looked")
    triggers: tuple[Trigger, ...]
    deployments: dict[str, str] = Field(description="service → the digest of the template that it must run")
    names: dict[str, str] = Field(description="service → the name of its Deployment")
    before: dict[str, str] = Field(
        default={}, description="service → the Deployment of the version before, where that is another one"
    )

    after_seconds: int = Field(
        default=0, ge=0, description="for how long it is looked at once it is released; what trips is told"
    )

    def undo(self) -> None:
        """Nothing: looking changes nothing."""

    @property
    def title(self) -> str:
        """The step in the words of the thread."""
        after = f", and {in_words(self.after_seconds)} once it is released" if self.after_seconds else ""
        names = ", ".join(each.name for each in self.triggers)
        return f"watched for {in_words(self.window_seconds)}{after}: {names}"


class Verdict(StrEnum):
    """What was measured means this."""

    PASSED = "passed"
    FAILING = "failing"  # past its limit, and not long enough yet
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


MEASURED = frozenset({Verdict.PASSED, Verdict.FAILING, Verdict.FAILED})


class Reading(Frozen):
    """How one trigger stood at a moment."""

    trigger: str
    verdict: Verdict
    value: float | None = None
    before: float | None = Field(default=None, description="the value of the version before")
    since: AwareDatetime | None = Field(default=None, description="since when it is past its limit")
    why: str = Field(default="", description="a few words: what is wrong, or why nothing could be said")


class Line(Frozen):
    """Values at even distances from a moment on; None where nothing was measured."""

    start: AwareDatetime
    step_seconds: float = Field(gt=0)
    values: tuple[float | None, ...]


class Chart(Frozen):
    """A metric that tripped: of the new version, the version before beside it, and the limit."""

    trigger: str
    unit: Unit = ""
    limit: float
    new: Line
    before: Line | None = None


MOST_POINTS = 60
"""How many values a line of a chart has at most: the record keeps it for good."""


def in_words(seconds: float) -> str:
    """A length of time: `15 min`, `1 min 30 s`."""
    minutes, rest = divmod(int(seconds), 60)
    parts = (f"{minutes} min" if minutes else "", f"{rest} s" if rest or not minutes else "")
    return " ".join(part for part in parts if part)


def amount(value: float, unit: Unit) -> str:
    """A value with its unit, as people read it: `4.8 %`, `182 ms`, `1.2 GiB`."""
    match unit:
        case "share":
            return f"{_digits(value * 100)} %"
        case "seconds":
            return f"{_digits(value * 1000)} ms" if abs(value) < 1 else f"{_digits(value)} s"
        case "bytes":
            for name, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
                if abs(value) >= size:
                    return f"{_digits(value / size)} {name}"
            return f"{_digits(value)} B"
        case "per second":
            return f"{_digits(value)}/s"
        case "cores":
            return f"{_digits(value)} cores"
        case _:
            return _digits(value)


def limit_in_words(trigger: Trigger, before: float | None) -> str:
    """The limit: `limit 2 %`, `limit 1.3 times 190 ms`."""
    given = trigger.above if trigger.above is not None else trigger.below
    if given is None:
        return ""
    word = "limit" if trigger.above is not None else "at least"
    if not trigger.times:
        return f"{word} {amount(given, trigger.unit)}"
    of = "the version before" if before is None else amount(before, trigger.unit)
    return f"{word} {_digits(given)} times {of}"


def tripped_in_words(trigger: Trigger, reading: Reading) -> str:
    """Why a trigger tripped, without a full stop: `error rate 4.8 % (limit 2 %) for 1 min`."""
    lasted = f" for {in_words(trigger.for_seconds)}" if trigger.for_seconds and reading.since else ""
    if trigger.kind in {"health", "http"} or reading.value is None:
        return f"{reading.why or trigger.name}{lasted}"
    limit = limit_in_words(trigger, reading.before)
    return f"{trigger.name} {amount(reading.value, trigger.unit)} ({limit}){lasted}"


def _digits(value: float) -> str:
    """Three digits that count: `4.8`, `182`, `0.013`."""
    text = f"{value:.3g}"
    return f"{value:.0f}" if "e" in text and abs(value) >= 1 else text
