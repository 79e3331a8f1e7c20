"""A release and its database: the backup, the migrations, and the ways back from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from releases import events as e
from releases.config import parse_config
from releases.database import LABEL
from releases.lifecycle import Release, State
from releases.migrations import left_by
from releases.record import Store
from sandbox.cluster.deletion import DeleteOptions
from sandbox.cluster.objects import name_of
from sandbox.cluster.resources import JOBS
from sandbox.registry import push_image
from tests.integration.registries import RunningRegistry, sandbox_registry
from tests.integration.workers_world import (
    BOB,
    CONFIG,
    NAMESPACE,
    SERVICES,
    TOKEN,
    World,
    now,
    role,
    world,
)
from workers.around import Around
from workers.cluster import ClusterUnreachableError, JobSeen, JobWrite
from workers.cluster.connections import Connections
from workers.registry import Logins, OciRegistry

MakeWorld = Callable[..., World]

DATABASE = CONFIG.replace(
    "    configuration: {LOG_LEVEL: info}\n",
    """    configuration: {LOG_LEVEL: info}
    database:
      backup: {image: "buzzybuzz/backup:1.4", secrets: [mongodb]}
      migrations: {image: buzzybuzz/migrations, args: ["$(BUZZY_DIRECTION)"], deadline: 20s}
      restore: {image: "buzzybuzz/backup:1.4", args: [restore, "$(BUZZY_BACKUP)"]}
""",
).replace("environments:", "registry: http://127.0.0.1:9\nenvironments:")

INDEX = {"id": "index-exports", "title": "an index", "reversible": True}
SPLIT = {"id": "split-names", "reversible": False, "compatible": True}
DROP = {"id": "drop-legacy", "title": "a collection goes", "reversible": False}
FIRST = {"id": "first", "reversible": False}

LISTS: dict[str, list[dict[str, Any]]] = {
    "3.2.0": [FIRST],
    "3.2.1": [FIRST, INDEX],
    "3.2.2": [FIRST, INDEX, SPLIT],
    "3.3.0": [FIRST, INDEX, SPLIT, DROP],
}


@pytest.fixture
def registry() -> Iterator[RunningRegistry]:
    """A registry with four versions, each with the migrations that it lists."""
    with sandbox_registry() as running:
        for version, migrations in LISTS.items():
            for service in SERVICES:
                push_image(running.client, f"buzzybuzz/{service}", version)
            push(running, version, json.dumps(migrations))
        yield running


def push(registry: RunningRegistry, version: str, label: str | None) -> str:
    """Push a migrations image; its digest."""
    labels = {} if label is None else {LABEL: label}
    return push_image(registry.client, "buzzybuzz/migrations", version, labels=labels)


@pytest.fixture
def make(registry: RunningRegistry, store: Store, tmp_path: Path) -> Iterator[MakeWorld]:
    """Worlds that have a database."""
    with ExitStack() as ends:

        def opened(config: str = DATABASE, **given: Any) -> World:  # noqa: ANN401 - handed on
            made = ends.enter_context(world(store, tmp_path, config=config, **given))
            made.around = Around(registry=lambda: OciRegistry(registry.url, Logins()))
            made.jobs = made.worker()
            return made

        yield opened


def jobs(stage: World) -> dict[str, dict[str, Any]]:
    """The Jobs of the namespace, the oldest first."""
    found = stage.cluster.run(lambda: stage.cluster.store.listing(JOBS, NAMESPACE))
    return {name_of(each): each for each in found}


def kinds(stage: World) -> list[str]:
    """What each Job is."""
    return sorted(name.split("-")[2] for name in jobs(stage))


def container(stage: World, kind: str) -> dict[str, Any]:
    """The container of the one Job of that kind."""
    (found,) = [job for name, job in jobs(stage).items() if name.split("-")[2] == kind]
    made: dict[str, Any] = found["spec"]["template"]["spec"]["containers"][0]
    return made


def variables(made: dict[str, Any]) -> dict[str, str]:
    """The environment of a container."""
    return {each["name"]: each["value"] for each in made["env"]}


def has(release: Release) -> list[str]:
    """The migrations that the database has; a question mark behind those that may be half done."""
    return [f"{each.migration.id}{'?' * each.unclear}" for each in left_by(release)]


def versions(stage: World) -> set[str]:
    """Which versions the Deployments ask for."""
    images = [
        stage.deployment(name)["spec"]["template"]["spec"]["containers"][0]["image"] for name in SERVICES
    ]
    return {image.partition("@")[0].rpartition(":")[2] for image in images}


def titles(release: Release) -> list[str]:
    """The steps of its plan."""
    return [each.step.title for each in release.forward]


@pytest.mark.requirement("V4", "D1", "X1")
def test_the_backup_then_the_migrations_then_the_services(make: MakeWorld, registry: RunningRegistry) -> None:
    """Each a Job that runs once; what the version that runs had is known; what ran is on the record."""
    stage = make()
    digest = push(registry, "3.2.1", json.dumps(LISTS["3.2.1"]))
    release = stage.release("3.2.1")
    assert release.state is State.RELEASED, release
    assert titles(release)[0] == "backup of the database"
    assert titles(release)[1].startswith("configuration ")
    assert titles(release)[2] == "migration of 3.2.1: index-exports"
    assert titles(release)[3] == "buzzy-main to 3.2.1"
    assert kinds(stage) == ["backup", "migration"]
    made = container(stage, "migration")
    assert made["image"] == f"buzzybuzz/migrations:3.2.1@{digest}"
    assert made["args"] == ["$(BUZZY_DIRECTION)"]
    given = variables(made)
    assert given["BUZZY_JOB"] in jobs(stage)
    assert {key: given[key] for key in given if key != "BUZZY_JOB"} == {
        "BUZZY_VERSION": "3.2.1",
        "BUZZY_DIRECTION": "up",
        "BUZZY_MIGRATIONS": "index-exports",
        "BUZZY_RELEASE": release.id,
    }
    assert container(stage, "backup")["envFrom"] == [{"secretRef": {"name": "mongodb"}}]
    assert release.backup is not None
    assert release.backup.startswith("backup-")
    first, index = left_by(release)
    assert (first.migration.id, first.version, first.release) == ("first", "3.2.0", None)
    assert (index.version, index.release, index.unclear) == ("3.2.1", release.id, False)
    assert index.at is not None
    again = stage.release("3.2.2")
    assert titles(again)[2] == "migration of 3.2.2: split-names"
    assert has(again) == ["first", "index-exports", "split-names"]


@pytest.mark.requirement("V4", "B5")
def test_a_rollback_takes_back_what_can_be_after_the_services(make: MakeWorld) -> None:
    """The image that brought a migration undoes it; the next release runs it again."""
    stage = make()
    release = stage.release("3.2.1")
    back = stage.rollback()
    assert back.state is State.RELEASED, back
    assert titles(back)[-2:] == ["undo migration of 3.2.1: index-exports", "all services verified"]
    assert versions(stage) == {"3.2.0"}
    assert has(back) == ["first"]
    undo = [
        variables(c) for c in _containers(stage, "migration") if variables(c)["BUZZY_DIRECTION"] == "down"
    ]
    assert [(each["BUZZY_RELEASE"], each["BUZZY_MIGRATIONS"]) for each in undo] == [
        (back.id, "index-exports")
    ]
    assert release.plan is not None
    again = stage.release("3.2.1")
    assert has(again) == ["first", "index-exports"]


def _containers(stage: World, kind: str) -> list[dict[str, Any]]:
    return [
        job["spec"]["template"]["spec"]["containers"][0]
        for name, job in jobs(stage).items()
        if name.split("-")[2] == kind
    ]


@pytest.mark.requirement("X1", "V4")
def test_a_migration_that_stays_and_is_compatible_stops_nobody(make: MakeWorld) -> None:
    """The plan says that it cannot be undone; the rollback leaves it, and says so."""
    stage = make()
    stage.release("3.2.1")
    release = stage.release("3.2.2")
    assert release.plan is not None
    assert release.plan.warnings[0] == "split-names cannot be undone; 3.2.1 is declared to run with it."
    assert release.plan.stays == ()
    back = stage.rollback()
    assert back.state is State.RELEASED, back
    assert back.plan is not None
    assert back.plan.warnings[0].startswith("split-names stays in the database: 3.2.1 is declared to run")
    assert has(back) == ["first", "index-exports", "split-names"]
    assert versions(stage) == {"3.2.1"}
    nothing = stage.rollback(target=e.Target(version="3.2.1"))
    assert nothing.reason == "There is nothing to go back to: staging already runs 3.2.1."


@pytest.mark.requirement("X1", "B5")
def test_over_a_migration_that_cannot_be_undone_a_person_decides(make: MakeWorld) -> None:
    """The plan warns; a plain rollback is refused with both lines; --restore goes to the backup before it."""
    stage = make()
    stage.release("3.2.2")
    release = stage.release("3.3.0")
    assert release.plan is not None
    assert [each.id for each in release.plan.stays] == ["drop-legacy"]
    assert "From drop-legacy there is no way back by itself" in release.plan.warnings[0]
    refused = stage.rollback()
    assert refused.state is State.IMPOSSIBLE
    assert refused.reason == (
        "3.2.2 is not declared to run with the migration drop-legacy, and it cannot be undone."
    )
    assert "`/buzzy rollback staging --restore`" in refused.hint
    assert "`/buzzy rollback staging --keep-database`" in refused.hint
    back = stage.rollback(database="restore")
    assert back.state is State.RELEASED, back
    assert release.backup is not None
    assert variables(container(stage, "restore"))["BUZZY_BACKUP"] == release.backup
    assert back.plan is not None
    assert f"since the backup {release.backup} ({release.id}, " in back.plan.warnings[0]
    assert has(back) == ["first", "index-exports", "split-names"]
    assert versions(stage) == {"3.2.2"}


@pytest.mark.requirement("X1", "X4")
def test_some_services_alone_do_not_take_the_database_with_them(make: MakeWorld) -> None:
    """The others need it as it is: going back without it has to be said, for these services only."""
    stage = make()
    stage.release("3.2.1")
    refused = stage.rollback(services=("buzzy-api",))
    assert refused.state is State.IMPOSSIBLE
    assert refused.reason == (
        "3.2.0 is not declared to run with the migration index-exports, and some services stay at the newer "
        "version."
    )
    assert "`/buzzy rollback staging --services buzzy-api --keep-database`" in refused.hint
    assert "--restore" not in refused.hint
    back = stage.rollback(services=("buzzy-api",), database="keep")
    assert back.state is State.RELEASED, back
    assert has(back) == ["first", "index-exports"]
    assert versions(stage) == {"3.2.0", "3.2.1"}


@pytest.mark.requirement("X1")
def test_migrations_are_not_forgotten_with_their_configuration(make: MakeWorld) -> None:
    """Somebody takes `database` out of buzzy.yaml: a rollback over a migration still wants a decision."""
    stage = make()
    stage.release("3.2.1")
    stage.config = parse_config(CONFIG)
    stage.jobs = stage.worker()
    refused = stage.rollback()
    assert refused.state is State.IMPOSSIBLE
    assert "buzzy.yaml does not say any more how migrations are undone" in refused.reason


@pytest.mark.requirement("X1", "B5")
def test_a_database_can_be_left_as_it_is(make: MakeWorld) -> None:
    """The services alone go back, with a warning; the next release has nothing to migrate."""
    stage = make()
    stage.release("3.2.2")
    stage.release("3.3.0")
    back = stage.rollback(database="keep")
    assert back.state is State.RELEASED, back
    assert back.plan is not None
    assert back.plan.warnings[0] == "The database stays as it is: 3.2.2 will run with drop-legacy."
    assert versions(stage) == {"3.2.2"}
    again = stage.release("3.3.0")
    assert again.state is State.RELEASED, again
    assert not [title for title in titles(again) if title.startswith("migration")]


@pytest.mark.requirement("X1", "C6")
def test_an_abort_stops_where_a_migration_cannot_be_undone(
    make: MakeWorld, registry: RunningRegistry
) -> None:
    """Services that have changed stay as they are: what to do is said, and a person decides."""
    stage = make()
    stage.release("3.2.2")
    digest = push_image(registry.client, "buzzybuzz/buzzy-api", "3.3.0")
    stage.cluster.set_behaviours({digest: "never-ready"})
    id_ = stage.ask("3.3.0", reason="try")
    _until(stage, id_, "buzzy-api")
    stage.abort(id_, "it is slow")
    stage.work()
    release = stage.load(id_)
    assert release.state is State.FAILED
    assert "bob stopped it: it is slow. It does not go back by itself over drop-legacy" in release.reason
    assert "`/buzzy rollback staging`" in release.reason
    assert release.changed_services == ("buzzy-main", "buzzy-api")
    assert release.changed_database


def _until(stage: World, id_: str, service: str) -> None:
    """Work in short slices until this service is at it."""
    stage.tools_given["slice_seconds"] = 0.2
    stage.jobs = stage.worker()
    while True:
        _, job, subject = stage.queue.waiting.popleft()
        stage.jobs.table[f"workers.jobs.{job}"](subject)
        running = [each.step for each in stage.load(id_).forward if each.status == "running"]
        if any(getattr(step, "service", "") == service for step in running):
            return


@pytest.mark.requirement("X1", "C6", "V4")
def test_an_abort_in_the_middle_of_a_migration_waits_for_its_end_and_undoes_it(make: MakeWorld) -> None:
    """The Job is not cut off; when it has ended, the way down is the way back."""
    stage = make(slice_seconds=0.05, speed=4.0)
    id_ = stage.ask("3.2.1")
    while not any(isinstance(each, e.JobStarted) and each.index == 2 for each in stage.events(id_)):
        _, job, subject = stage.queue.waiting.popleft()
        stage.jobs.table[f"workers.jobs.{job}"](subject)
    stage.abort(id_)
    stage.work()
    release = stage.load(id_)
    assert release.state is State.ROLLED_BACK, release
    assert [each.step.title for each in release.back] == ["undo migration of 3.2.1: index-exports"]
    assert has(release) == ["first"]
    said = stage.said(id_)
    assert said.index("abort_requested") < len(said) - said[::-1].index("turned_back") - 1
    migrated = next(i for i, each in enumerate(stage.events(id_)) if _finished(each, 2))
    turned = next(i for i, each in enumerate(stage.events(id_)) if isinstance(each, e.TurnedBack))
    assert migrated < turned


def _finished(event: e.Event, index: int) -> bool:
    return isinstance(event, e.StepFinished) and event.index == index


@pytest.mark.requirement("V4", "Q1")
def test_a_migration_that_fails_leaves_the_services_alone(make: MakeWorld, registry: RunningRegistry) -> None:
    """Its last lines are the evidence; it may be half done, so the next release runs it again."""
    stage = make()
    digest = push(registry, "3.2.1", json.dumps(LISTS["3.2.1"]))
    stage.cluster.set_behaviours({digest: "fail"})
    release = stage.release("3.2.1")
    assert release.state is State.FAILED
    assert release.reason == "The migration failed (exit code 1)."
    assert release.changed_services == ()
    assert release.changed_database
    assert has(release) == ["first", "index-exports?"]
    failed = next(each for each in stage.events(release.id) if isinstance(each, e.StepFailed))
    assert failed.evidence[0].log[-1].startswith("Error: cannot start")
    assert versions(stage) == {"3.2.0"}
    stage.cluster.set_behaviours({digest: "succeed"})
    again = stage.release("3.2.1")
    assert again.state is State.RELEASED, again
    assert titles(again)[2] == "migration of 3.2.1: index-exports"
    assert has(again) == ["first", "index-exports"]


@pytest.mark.requirement("V4", "B5")
def test_a_rollback_undoes_a_migration_of_a_release_that_broke_off_before_its_services(
    make: MakeWorld, registry: RunningRegistry
) -> None:
    """It goes to what runs, not to the version before that; the services are left alone."""
    stage = make()
    digest = push(registry, "3.2.1", json.dumps(LISTS["3.2.1"]))
    stage.cluster.set_behaviours({digest: "fail"})
    failed = stage.release("3.2.1")
    assert failed.state is State.FAILED
    stage.cluster.set_behaviours({digest: "succeed"})
    back = stage.rollback()
    assert back.state is State.RELEASED, back
    assert titles(back) == [
        "what changed since 3.2.0, and what is ill",
        "undo migration of 3.2.1: index-exports",
    ]
    told = next(event for event in stage.events(back.id) if isinstance(event, e.StepFinished))
    assert told.log == (f"database: index-exports (an index), by {failed.id}",)
    assert has(back) == ["first"]
    assert versions(stage) == {"3.2.0"}


@pytest.mark.requirement("V4")
def test_an_image_that_cannot_be_pulled_stops_its_job(make: MakeWorld, registry: RunningRegistry) -> None:
    """The release fails at once with the reason, and the Job never begins later by itself."""
    stage = make()
    digest = push(registry, "3.2.1", json.dumps(LISTS["3.2.1"]))
    stage.cluster.set_behaviours({digest: "missing"})
    release = stage.release("3.2.1")
    assert release.state is State.FAILED
    assert "cannot be pulled: the registry has no such image" in release.reason
    (stopped,) = [job for name, job in jobs(stage).items() if "migration" in name]
    assert {c["type"]: c["reason"] for c in stopped["status"]["conditions"]}["Failed"] == "DeadlineExceeded"


@pytest.mark.requirement("Q1")
def test_a_job_that_somebody_deleted_is_not_run_twice(make: MakeWorld) -> None:
    """Whether it came to its end is not known: the release fails and says so."""
    stage = make(slice_seconds=0.05, speed=2.0)
    id_ = stage.ask("3.2.1")
    while not any(isinstance(each, e.JobStarted) and each.index == 2 for each in stage.events(id_)):
        _, job, subject = stage.queue.waiting.popleft()
        stage.jobs.table[f"workers.jobs.{job}"](subject)
    name = next(each.job for each in stage.events(id_) if isinstance(each, e.JobStarted) and each.index == 2)
    stage.cluster.run(
        lambda: stage.cluster.registry.delete(JOBS, NAMESPACE, name, DeleteOptions(propagation="Background"))
    )
    stage.work()
    release = stage.load(id_)
    assert release.state is State.FAILED
    assert release.reason == f"Somebody deleted the Job {name}; how far the migration came is not known."


@pytest.mark.requirement("D1")
def test_a_fresh_backup_is_enough_where_nothing_is_migrated(
    make: MakeWorld, registry: RunningRegistry
) -> None:
    """If nothing was migrated since it was made either: a backup from before a migration is no way back."""
    push(registry, "3.2.2", json.dumps(LISTS["3.2.1"]))
    push(registry, "3.3.0", json.dumps(LISTS["3.2.1"]))
    fresh = DATABASE.replace("secrets: [mongodb]}", "secrets: [mongodb], fresh: 24h}")
    stage = make(fresh.replace("    database:\n", "    checklist: [backup, migrations]\n    database:\n"))
    stage.release("3.2.1")
    first = stage.release("3.2.2")
    assert first.backup is not None
    release = stage.release("3.3.0")
    assert release.state is State.RELEASED, release
    assert kinds(stage) == ["backup", "backup", "migration"]
    assert release.forward[0].result == first.backup
    assert release.backup is None
    backup, migrations = release.checklist
    assert f"the last one is {first.backup}, made by {first.id}" in backup.evidence
    assert "fresh enough (1 d)" in backup.evidence
    assert migrations.evidence == "none to run"
    back = stage.rollback(database="restore")
    assert back.state is State.RELEASED, back
    assert variables(container(stage, "restore"))["BUZZY_BACKUP"] == first.backup


@pytest.mark.requirement("D1")
def test_migrations_wait_for_a_review(make: MakeWorld) -> None:
    """Approvers tick what nobody has run yet; where nobody approves it is shown as not known."""
    stage = make(
        DATABASE.replace(
            "    database:\n",
            "    approval: {quorum: 1, from: [S0APPROVERS]}\n"
            "    checklist: [backup, migrations]\n    database:\n",
        )
    )
    id_ = stage.ask("3.2.1")
    stage.work()
    waiting = stage.load(id_)
    assert waiting.state is State.WAITING
    backup, item = waiting.checklist
    assert backup.evidence == "made before anything is changed; none was made by a release so far"
    assert item.by == ("S0APPROVERS",)
    assert item.evidence == "to be reviewed: index-exports (an index) can be undone"
    assert waiting.plan is not None
    stage.write(id_, e.ItemTicked(at=now(), by=BOB, item="migrations", digest=waiting.plan.digest))
    stage.write(id_, e.Approved(at=now(), digest=waiting.plan.digest))
    stage.queue.put("deployment", "advance", id_)
    stage.work()
    assert stage.load(id_).state is State.RELEASED


@pytest.mark.requirement("V4")
@pytest.mark.parametrize(
    ("label", "says"),
    [
        (None, "The image buzzybuzz/migrations:3.2.1 does not say which migrations it has."),
        ("[{]", "The label buzzy.migrations of buzzybuzz/migrations:3.2.1 cannot be read: Invalid JSON"),
        ('[{"id": "a"}]', "cannot be read at 0.reversible: Field required."),
        ('[{"id": "a b", "reversible": true}]', "cannot be read at 0.id: String should match pattern"),
        ('[{"id": "a", "reversible": true}, {"id": "a", "reversible": true}]', "lists a twice."),
    ],
    ids=["no label", "no JSON", "no word about the way back", "no id", "twice"],
)
def test_an_image_that_does_not_say_its_migrations_is_refused(
    make: MakeWorld, registry: RunningRegistry, label: str | None, says: str
) -> None:
    """Before anything is touched, with what is wrong with it."""
    stage = make()
    push(registry, "3.2.1", label)
    release = stage.release("3.2.1")
    assert release.state is State.IMPOSSIBLE
    assert says in release.reason
    assert jobs(stage) == {}


class Deadly:
    """A cluster that creates the first Job, and after that the worker does not live to see it."""

    def __init__(self, cluster: Any, end: BaseException) -> None:  # noqa: ANN401 - the workers' port
        """Everything else is passed on."""
        self._cluster, self._end = cluster, end
        self.armed = True

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the cluster has
        return getattr(self._cluster, name)

    def create_job(self, namespace: str, write: JobWrite, *, rehearse: bool = False) -> JobSeen:
        """Create it, and end."""
        made: JobSeen = self._cluster.create_job(namespace, write, rehearse=rehearse)
        if rehearse or not self.armed:
            return made
        self.armed = False
        raise self._end


class Killed(BaseException):
    """What no line of a worker catches."""


@pytest.mark.requirement("V4", "Q1")
@pytest.mark.parametrize(
    "end", [Killed(), ClusterUnreachableError("no answer")], ids=["the worker dies", "the answer is lost"]
)
def test_a_job_is_created_once_whatever_happens_right_after(make: MakeWorld, end: BaseException) -> None:
    """Whoever comes next finds it by its name, and goes on with it."""
    stage = make()
    deadly = Deadly(Connections(str(stage.kubeconfig))(None), end)
    stage.jobs = stage.worker(clusters=lambda _: deadly)
    id_ = stage.ask("3.2.1")
    with suppress(Killed):
        stage.work()
    assert not deadly.armed
    stage.jobs = stage.worker()
    stage.queue.put("deployment", "advance", id_)
    stage.work()
    release = stage.load(id_)
    assert release.state is State.RELEASED, release
    assert kinds(stage) == ["backup", "migration"]
    started = [each for each in stage.events(id_) if isinstance(each, e.JobStarted)]
    assert len(started) == 2


@pytest.mark.requirement("V4", "C1")
@pytest.mark.parametrize("verb", ["create", "watch"])
def test_a_right_that_is_missing_is_named_before_anything_is_touched(make: MakeWorld, verb: str) -> None:
    """A Job that may not be created, or not be followed, stops the plan and not the release."""
    stage = make()
    rules = [
        replace(rule, verbs=tuple(each for each in rule.verbs if each != verb))
        if "jobs" in rule.resources
        else rule
        for rule in role()
    ]
    stage.cluster.add_user(TOKEN, "buzzy-worker", rules)
    release = stage.release("3.2.1")
    assert release.state is State.IMPOSSIBLE
    assert f"its Role there needs batch/jobs: {verb}" in release.reason
    assert jobs(stage) == {}


@pytest.mark.requirement("V4")
def test_where_nobody_kept_track_all_are_run(make: MakeWorld, registry: RunningRegistry) -> None:
    """The image of the version that runs does not say what it had: the plan says that it is not known."""
    stage = make()
    push(registry, "3.2.0", None)
    release = stage.release("3.2.1")
    assert release.state is State.RELEASED, release
    assert release.plan is not None
    assert "Which migrations ran before is not known" in release.plan.warnings[0]
    assert has(release) == ["first", "index-exports"]


@pytest.mark.requirement("Q3", "V4")
def test_migrations_that_become_others_are_asked_about_again(
    make: MakeWorld, registry: RunningRegistry
) -> None:
    """What was approved is what runs: another label under the same tag is another plan."""
    approval = e.ApprovalNeeded(quorum=1, approvers=("U0BOB",), own_release=True, expires_seconds=600)
    stage = make()
    id_ = stage.ask("3.2.1", approval=approval)
    stage.work()
    plan = stage.load(id_).plan
    assert plan is not None
    push(registry, "3.2.1", json.dumps(LISTS["3.3.0"]))
    stage.write(id_, e.ApprovalGiven(at=now(), by=BOB, digest=plan.digest, via="reaction"))
    stage.write(id_, e.Approved(at=now(), digest=plan.digest))
    stage.queue.put("deployment", "advance", id_)
    stage.work()
    again = stage.load(id_)
    assert again.state is State.WAITING
    assert again.replanned_because is not None
    assert "the migrations are others (index-exports, split-names, drop-legacy)" in again.replanned_because
    assert jobs(stage) == {}
