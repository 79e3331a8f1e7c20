"""What `buzzy record` does: proves the record, exports it, and brings it back when it was lost.

The composition root of these commands, as `workers.main` is of the worker: the record and the clusters meet
in both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from releases import exporting, verifying
from releases.chain import Problem
from releases.config import Config, ConfigError, Environment, parse_config
from releases.keeping import KeptRecord
from releases.ledger import UnreadableLedgerError
from releases.record import Record, RecordUnavailableError, Store
from releases.verifying import Verdict
from workers import rebuilding
from workers.cluster import ClusterError
from workers.cluster.connections import Clusters, Connections
from workers.drafting import now
from workers.ledger import REBUILD, find
from workers.rebuilding import NotRebuiltError
from workers.settings import WorkerSettings
from workers.words import of_error

ANSWER_SECONDS = 30.0
"""A whole release, with thousands of events, is read or written at a time."""

Say = Callable[[str], None]


class CannotError(Exception):
    """Why the command cannot be done; its text is for who runs it."""


def verify(settings: WorkerSettings, say: Say) -> int:
    """Check everything, and say each problem; the exit code."""
    with _record(settings) as record:
        kept = record.archive.whole()
        verdict = verifying.of_record(kept)
        half = record.archive.rebuilding
    events = sum(len(each.lines) for each in kept.releases.values())
    say(f"The record: {len(kept.releases)} releases, {events} events, up to R{kept.counter}.")
    if half:
        say(f"It was lost, and a rebuild has not come to its end: run `{REBUILD}` again.")
    verdict += _ledgers(settings, kept, say)
    return _conclude(verdict, say) or int(half)


def verify_file(file: Path, say: Say) -> int:
    """Check a file that was exported; the exit code."""
    try:
        texts = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotError(f"{file} cannot be read: {error}") from error
    say(f"{file}: {len(texts)} lines.")
    return _conclude(exporting.verify_file(texts), say)


def export(settings: WorkerSettings, environment: str | None, since: datetime | None, say: Say) -> int:
    """Write the record as lines of JSON; the exit code."""
    with _record(settings) as record:
        kept = record.archive.whole()
    known = {each.environment for each in kept.releases.values()}
    if environment is not None and environment not in known:
        raise CannotError(f"No release went to {environment}. Environments: {', '.join(sorted(known))}.")
    since = since.astimezone() if since is not None else None
    for line in exporting.export(kept, environment=environment, since=since):
        say(line)
    return 0


def rebuild(settings: WorkerSettings, say: Say) -> int:
    """Bring the record back from the clusters, and say what came back; the exit code."""
    config = _config(settings)
    with _record(settings) as record:
        moment = now()
        try:
            memories = rebuilding.remember(config, Connections(settings.kubeconfig), moment)
            recovery = rebuilding.recover(memories, moment)
            rebuilding.put_back(record, recovery, memories, moment)
        except NotRebuiltError as error:
            raise CannotError(str(error)) from error
        count = sum(len(each.releases) for each in recovery.environments)
        say(f"The record is rebuilt from the cluster: {count} releases.")
        for line in rebuilding.story(recovery, memories):
            say(f"  {line}")
    return 0


def _ledgers(settings: WorkerSettings, kept: KeptRecord, say: Say) -> Verdict:
    """The ledgers of all environments whose cluster can be reached, against the record."""
    verdict = Verdict()
    try:
        config, clusters = _config(settings), Connections(settings.kubeconfig)
    except CannotError as error:
        return Verdict(notes=(f"No ledger was looked at: {error}",))
    for environment in config.environments.values():
        verdict += _ledger(clusters, environment, kept, say)
    return verdict


def _ledger(clusters: Clusters, environment: Environment, kept: KeptRecord, say: Say) -> Verdict:
    name, namespace = environment.name, environment.namespace
    try:
        ledger = find(clusters(environment.cluster.context), namespace).ledger
    except ClusterError as error:
        return Verdict(notes=(f"The ledger of {name} was not looked at: {of_error(error)}",))
    except UnreadableLedgerError as error:
        return Verdict(problems=(Problem("", 0, of_error(error)),))
    if ledger is not None and environment.shared and ledger.installation != kept.installation:
        return Verdict(notes=(f"The ledger of {name} is kept by another installation of Buzzy.",))
    if ledger is None:
        return Verdict(notes=(f"{name} has no ledger yet; it is written when a release starts there.",))
    say(
        f"The ledger of {name}: {len(ledger.releases)} releases whole, "
        f"{len(ledger.heads)} by their last hash."
    )
    return verifying.of_ledger(ledger, kept, namespace)


def _conclude(verdict: Verdict, say: Say) -> int:
    for note in verdict.notes:
        say(f"note: {note}")
    for problem in verdict.problems:
        say(f"PROBLEM: {problem}")
    say("It is as it was written." if not verdict.problems else f"{len(verdict.problems)} problems.")
    return 1 if verdict.problems else 0


@contextmanager
def _record(settings: WorkerSettings) -> Iterator[Record]:
    store = Store.connect(settings.redis_url, answer_seconds=ANSWER_SECONDS)
    try:
        yield Record(store)
    except RecordUnavailableError as error:
        raise CannotError(f"{error}; is REDIS_URL right?") from error
    finally:
        store.close()


def _config(settings: WorkerSettings) -> Config:
    path = settings.buzzy_config
    try:
        return parse_config(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotError(f"{path}: {error.strerror}; is BUZZY_CONFIG right?") from error
    except ConfigError as error:
        raise CannotError(f"{path}:\n{error}") from error


def run(command: Callable[[Say], int]) -> int:
    """Run one of these commands, its words on stdout, and why it cannot be done on stderr."""
    try:
        return command(lambda line: print(line, flush=False))  # noqa: T201 - a command of the terminal
    except CannotError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the same
        return 1
