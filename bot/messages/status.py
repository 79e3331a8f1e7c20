"""What runs where: a line an environment, or a line a service when one environment is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.messages.bars import bar, table
from bot.messages.parts import (
    DAY_AND_TIME,
    NAME,
    SENTENCE,
    Message,
    Row,
    bold,
    clip,
    count,
    lines,
    message,
    moment,
    monospace,
    phrase,
)
from releases.config import format_duration
from releases.latest import Newest
from releases.lifecycle import Release, State
from releases.snapshot import Snapshot
from releases.standby import Drift
from releases.twins import Found

MOST_SERVICES = 40
MOST_DIFFERENCES = 10


@dataclass(frozen=True)
class LastDrill:
    """The newest drill of a standby that came to a result; None: there was none that is remembered."""

    release: Release | None


@dataclass(frozen=True)
class EnvironmentNow:
    """All that is known of an environment: what was last seen of it, and the releases that went there."""

    name: str
    seen: Snapshot | None
    holder: Release | None
    recent: tuple[Release, ...]
    """The newest first."""
    calendar: tuple[str, ...] = ()
    """What closes it and what is due next, each in a few words."""

    drift: Drift | None = None
    """How a standby differs from what it follows."""

    soaking: tuple[str, ...] = ()
    """What its version is ready for, or when it will be."""

    found: Found | None = None
    """What the last look at a standby beside what it follows has found."""

    newest: Newest | None = None
    """What the registry has, for one that has the newest build."""

    drill: LastDrill | None = None
    """Of a standby: when it was drilled last."""

    @property
    def last(self) -> Release | None:
        """The newest release that put something there and came to its end."""
        ended = (each for each in self.recent if each.state is State.RELEASED)
        return next((each for each in ended if each.request.kind != "drill"), None)


def status_message(environments: tuple[EnvironmentNow, ...], now: datetime, *, ending: str) -> Message:
    """The answer to `status`. `ending` says how old it is, and whether somebody looks again."""
    one = environments[0] if len(environments) == 1 else None
    rows = _services(one) if one is not None else table(_summary(each, now) for each in environments)
    title = f"What runs in {clip(one.name, NAME)}" if one is not None else "What runs where"
    summary = ", ".join(f"{each.name} {version_of(each.seen)}" for each in environments)
    return message(
        f"{title}: {summary}",
        lines([bold(title)], *([_under(one, now)] if one is not None else [])),
        monospace(rows),
        lines(*_kept(one), *_differences(one), *_problems(environments), [ending]),
    )


def _kept(one: EnvironmentNow | None) -> list[Row]:
    """What stands by after a blue-green release."""
    kept = () if one is None or one.seen is None else one.seen.kept
    if not kept:
        return []
    versions = " / ".join(dict.fromkeys(clip(each.version, NAME) for each in kept))
    until = moment(min(each.until for each in kept), DAY_AND_TIME)
    return [[f"{versions} stands by until ", until, ": going back is one switch"]]


def age(environments: tuple[EnvironmentNow, ...], now: datetime) -> timedelta | None:
    """How old the oldest of what was seen is; None when something was never seen."""
    times = [each.seen.at if each.seen is not None else None for each in environments]
    known = [time for time in times if time is not None]
    return now - min(known) if known and len(known) == len(times) else None


def ago(at: datetime, now: datetime) -> str:
    """`20 min ago`: the largest unit alone, for a table."""
    seconds = max(int((now - at).total_seconds()), 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _summary(each: EnvironmentNow, now: datetime) -> tuple[str, ...]:
    return (clip(each.name, 30), version_of(each.seen), health_of(each.seen), " · ".join(_who(each, now)))


def version_of(seen: Snapshot | None) -> str:
    """The version that runs, or those that do."""
    if seen is None or seen.problem is not None or not seen.services:
        return "?"
    versions = dict.fromkeys(service.version or "no version" for service in seen.services)
    shown = " / ".join(list(versions)[:2])
    return clip(shown if len(versions) <= 2 else f"{shown} / …", 30)


def health_of(seen: Snapshot | None) -> str:
    """How it is, in a few words."""
    if seen is None:
        return "not seen yet"
    if seen.problem is not None:
        return "cannot be seen"
    ill = [service for service in seen.services if not service.healthy]
    if not seen.services:
        return "nothing runs"
    if not ill:
        return "healthy"
    first = f"{clip(ill[0].service, 24)} {clip(ill[0].state, 30)}".rstrip()
    return first if len(ill) == 1 else f"{len(ill)} of {len(seen.services)} not healthy: {first}"


def _who(each: EnvironmentNow, now: datetime) -> list[str]:
    """Who put there what runs, and what is under way."""
    parts = []
    last = each.last
    if last is not None:
        parts.append(
            f"{last.id} {ago(last.ended_at or last.request.at, now)} by {clip(last.request.by.name, 24)}"
        )
    parts += [clip(words, 60) for words in each.soaking[:2]]
    if each.drift is not None:
        since = f" since {ago(each.drift.since, now)}" if each.drift.since is not None else ""
        parts.append(f"{clip(each.drift.words, 90)}{since}")
    if each.newest is not None:
        parts.append(_newest(each.newest))
    if each.drill is not None:
        parts.append(_drilled(each.drill.release, now))
    if each.holder is not None:
        parts.append(f"{each.holder.id} {_doing(each.holder)}")
    return [*parts, *each.calendar]


def _newest(newest: Newest) -> str:
    if newest.problem:
        return f"newer builds are not seen: {clip(newest.problem, 90)}"
    return f"newest build {newest.version}" if newest.version else "no build of its versions yet"


def _drilled(release: Release | None, now: datetime) -> str:
    if release is None:
        return "never drilled"
    how = "passed" if release.state is State.RELEASED else "failed"
    return f"drill {how} {ago(release.ended_at or release.request.at, now)} ({release.id})"


def _differences(one: EnvironmentNow | None) -> list[Row]:
    """What a standby lacks, in full, where it alone is asked about."""
    if one is None or one.found is None or not one.found.differences:
        return []
    shown: list[Row] = [[f"• {clip(each, SENTENCE)}"] for each in one.found.differences[:MOST_DIFFERENCES]]
    since: Row = ["since ", moment(one.found.since, DAY_AND_TIME)] if one.found.since is not None else []
    return [[f"🟠 Not in step with {clip(one.found.follows, NAME)} ", *since], *shown]


def _doing(release: Release) -> str:
    match release.state:
        case State.REQUESTED:
            return "is being planned"
        case State.WAITING:
            return "waits for approval"
        case State.PAUSED:
            return "is paused"
        case State.UNDECIDED:
            return "waits for somebody to say whether it is good"
        case State.RUNNING if release.watching is not None:
            return "is being watched"
        case State.HELD:
            return "waits until it opens"
        case State.ABOUT_TO_START:
            return "starts in a moment"
        case State.SIGNING:
            return "waits for a sign-off"
        case _:
            return "under way"


def _services(one: EnvironmentNow) -> list[str]:
    services = one.seen.services if one.seen is not None else ()
    shown = (
        table(
            (
                clip(service.service, 30),
                f"{bar(service.ready, service.total)} {service.ready}/{service.total}",
                clip(service.version or service.image, 30),
                clip(service.state or ("healthy" if service.healthy else "not healthy"), 40),
                f"revision {service.revision}" if service.revision is not None else "",
                service.release or "not by Buzzy",
            )
            for service in services[:MOST_SERVICES]
        )
        if services
        else []
    )
    if len(services) > MOST_SERVICES:
        shown.append(f"… {count(len(services) - MOST_SERVICES, 'more service')}")
    return shown


def _under(one: EnvironmentNow, now: datetime) -> Row:
    return [" · ".join(_who(one, now))]


def _problems(environments: tuple[EnvironmentNow, ...]) -> list[Row]:
    return [
        phrase(f"⚠️ {clip(each.name, NAME)}: {clip(each.seen.problem, SENTENCE)}")
        for each in environments
        if each.seen is not None and each.seen.problem is not None
    ][:5]


def seen_ending(passed: timedelta | None, *, again: bool) -> str:
    """The last line: how old the answer is, and what follows."""
    if passed is None:
        return "Not everything was seen yet; looking now …" if again else "Not everything was seen."
    seen = f"As seen {format_duration(passed)} ago" if passed.total_seconds() >= 2 else "As seen just now"
    return f"{seen}; looking again, and telling you if anything differs." if again else f"{seen}."
