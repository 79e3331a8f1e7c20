"""The worker: what it is made of, put together here and nowhere else."""

from __future__ import annotations

import logging
import signal
import time
from functools import partial

import redis
import structlog
from rq.exceptions import StopRequested

from releases import grammar
from releases.config import Config, ConfigError, parse_config, strategies_of
from releases.lifecycle import Release
from releases.logs import set_up as set_up_logs
from releases.record import JobQueue, Questions, Record, RecordUnavailableError, Store, health
from releases.record.closures import Closures
from releases.record.drifts import Drifts
from releases.record.rounds import Rounds
from releases.record.schedules import Schedules
from releases.record.told import Told
from workers.advance import Tools
from workers.afterwards import Afterwards, Watcher
from workers.answering import Answers
from workers.around import Around
from workers.builds import Builds
from workers.cluster import ClusterError
from workers.cluster.connections import Clusters, Connections
from workers.drafting import Drafts, now
from workers.files import FileSets
from workers.jobs import Jobs
from workers.measuring import metrics_of
from workers.reaper import Reaper
from workers.registry import Login, Logins, OciRegistry, read_logins
from workers.runner import Runner
from workers.settings import WorkerSettings
from workers.standbys import Standbys
from workers.stopping import Stopping
from workers.tidying import Tidier, Tidying
from workers.timekeeper import Timekeeper

log = structlog.stdlib.get_logger(__name__)

QUIET = {
    "rq.worker": logging.WARNING,
    "rq.job": logging.WARNING,
    "urllib3": logging.ERROR,
    "httpx": logging.WARNING,
    "pymongo": logging.ERROR,
}
"""Libraries whose everyday talk nobody needs."""

ANSWER_SECONDS = 5.0
"""Nobody waits for a worker's answer within Slack's 3 s: it can wait for Redis longer than the bot."""

FIRST_WAIT_SECONDS = 60.0
"""How long Redis is waited for at the start; after that its address is more likely wrong than early."""

TELL_SECONDS = 10.0
PAUSE_SECONDS = 1.0


def run(settings: WorkerSettings) -> int:
    """Run until SIGTERM or Ctrl-C; the exit code. 1 when it cannot start."""
    set_up_logs(QUIET)
    config = _read_config(settings)
    if config is None:
        return 1
    connections = Connections(settings.kubeconfig)
    connections.warm()
    _try_clusters(config, connections)
    store = Store.connect(settings.redis_url, answer_seconds=ANSWER_SECONDS)
    try:
        if not _wait_for_redis(store, FIRST_WAIT_SECONDS):
            return 1
        health.warn(store)
        return _serve(settings, config, connections, store)
    except (StopRequested, KeyboardInterrupt):
        return 0


def _serve(settings: WorkerSettings, config: Config, clusters: Clusters, store: Store) -> int:
    """Take jobs until asked to end; a Redis that was away is waited for."""
    stopping, record = Stopping(), Record(store)
    queue, questions = JobQueue.connect(settings.redis_url), Questions(store)
    around, rounds = _around(settings, config, record, store), Rounds(store)
    drafts = Drafts(record, config, clusters, around=around)
    drifted = partial(drafts.twins.look, drifts=Drifts(store))
    answers = Answers(record, questions, config, drafts, _grammar(config), now, drifted)
    timekeeper = Timekeeper(config, record, Closures(store), Schedules(store), now)
    tools = Tools(
        record,
        config,
        clusters,
        drafts,
        stopping,
        holds_back=timekeeper.holds_back,
        metrics=partial(metrics_of, config),
    )
    builds = Builds(
        record,
        config,
        queue,
        rounds,
        registry=around.registry,
        look=drafts.look,
        now=now,
        closed_to=timekeeper.closed_to,
    )
    tidier = Tidier(config, record, clusters, now)
    watcher = Watcher(config, record, store, clusters, tools.metrics, now)
    jobs = Jobs(
        tools,
        queue,
        questions,
        answers,
        {"drift": drifted, "latest": builds.look, "tidy": tidier.tidy, "watch": watcher.watch},
    )
    standbys = Standbys(record, config, queue, now=now, closed_to=timekeeper.closed_to, rounds=rounds)
    tidying = Tidying(config, record, store, queue, now)
    afterwards = Afterwards(config, record, rounds, queue, now)
    reaper = Reaper(
        store,
        record,
        queue,
        now=now,
        timekeeper=timekeeper,
        standbys=standbys,
        tidying=tidying,
        afterwards=afterwards,
    )
    while True:
        connection = redis.Redis.from_url(settings.redis_url, socket_connect_timeout=ANSWER_SECONDS)
        try:
            worker = Runner(connection, jobs.table, reaper, stopping)
            worker.work(logging_level=None)
            if worker.asked_to_end:
                log.info("ended as asked")
                return 0
        except redis.RedisError as error:
            log.warning("Redis is away", why=str(error))
            if stopping():
                return 0
        finally:
            connection.close()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.default_int_handler)  # RQ's handlers belong to the worker that ended
        _wait_for_redis(store, float("inf"))


def _around(settings: WorkerSettings, config: Config, record: Record, store: Store) -> Around:
    """What is asked beside the clusters: the registry, if there is one, and the alerts that are open."""
    told = Told(store, "worker")
    address = config.registry

    def failed(environment: str) -> list[Release]:
        return [record.load(id_).release for id_ in sorted(told.alerts(environment))]

    def registry() -> OciRegistry:
        return OciRegistry(address or "", _logins(settings, address or ""))

    files = FileSets(settings.buzzy_config.parent)
    return Around(registry=None if address is None else registry, alerts=failed, files=files)


def _logins(settings: WorkerSettings, address: str) -> Logins:
    """Read for each plan: a mounted secret is renewed now and then. Raises `RegistryError`."""
    known = {} if settings.registry_config is None else read_logins(settings.registry_config)
    if settings.registry_username is not None and settings.registry_password is not None:
        known[address] = Login(settings.registry_username, settings.registry_password.get_secret_value())
    return Logins(known)


def _read_config(settings: WorkerSettings) -> Config | None:
    path = settings.buzzy_config
    try:
        return parse_config(path.read_text(encoding="utf-8"))
    except OSError as error:
        log.critical("no configuration", file=str(path), why=error.strerror, fix="check BUZZY_CONFIG")
    except ConfigError as error:
        log.critical("the configuration has problems", file=str(path), problems=str(error).splitlines())
    return None


def _try_clusters(config: Config, clusters: Clusters) -> None:
    """Say early which environments are in a cluster that cannot be found; the others can be worked for."""
    for name, environment in config.environments.items():
        try:
            clusters(environment.cluster.context)
        except ClusterError as error:
            log.warning(
                "cluster not known", environment=name, why=str(error), fix="KUBECONFIG, or its contexts"
            )


def _wait_for_redis(store: Store, longest: float) -> bool:
    began = time.monotonic()
    told = -TELL_SECONDS
    while True:
        try:
            store.now_ms()
        except RecordUnavailableError as error:
            waited = time.monotonic() - began
            if waited >= longest:
                log.critical("cannot start without Redis", why=str(error), fix="is REDIS_URL right?")
                return False
            if waited - told >= TELL_SECONDS:
                told = waited
                log.warning("waiting for Redis", why=str(error), seconds=round(waited))
            time.sleep(PAUSE_SECONDS)
        else:
            return True


def _grammar(config: Config) -> partial[grammar.Command]:
    vocabulary = grammar.Vocabulary(
        environments=tuple(config.environments),
        services=tuple(service.name for service in config.services),
        strategies=strategies_of(config),
        standbys=config.standbys,
        suites=tuple(config.suites),
    )
    return partial(grammar.parse, vocabulary=vocabulary)
