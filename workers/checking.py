"""What `buzzy check` looks at on the workers' side: Redis, clusters, rights, and what they remember."""

from __future__ import annotations

from collections.abc import Iterator

from releases.config import Config, Environment
from releases.findings import Finding, good, problem, unknown
from releases.ledger import NAME, UnreadableLedgerError
from releases.record import Record, RecordUnavailableError, Store, health
from workers import measuring
from workers.cluster import Cluster, ClusterError, DeploymentSeen, Right
from workers.cluster.connections import Clusters, Connections
from workers.files import FilesError, FileSets
from workers.ledger import REBUILD, AheadError, Ledgers
from workers.settings import WorkerSettings
from workers.templates import containers
from workers.tenure import NAME as LEASE
from workers.words import of_error

ANSWER_SECONDS = 5.0
MOST_VERSIONS = 5

ROLE = "deploy/kubernetes/workers-rbac.yaml"
TWO_SLOTS = (
    Right("create", "apps/deployments"),
    *(Right(verb, "services") for verb in ("get", "list", "create", "patch")),
    *(Right(verb, "autoscaling/horizontalpodautoscalers") for verb in ("list", "patch")),
    Right("list", "policy/poddisruptionbudgets"),
)
"""What only environments need whose releases may be blue-green."""

RIGHTS = (
    *TWO_SLOTS,
    *(Right(verb, "apps/deployments") for verb in ("get", "list", "watch", "patch")),
    *(Right(verb, "apps/replicasets") for verb in ("list", "watch")),
    *(Right(verb, "batch/jobs") for verb in ("get", "list", "watch", "create", "patch")),
    *(Right(verb, "pods") for verb in ("list", "watch")),
    Right("get", "pods/log"),
    Right("list", "events"),
    Right("list", "resourcequotas"),
    *(Right(verb, "configmaps") for verb in ("get", "create")),
    Right("update", "configmaps", NAME),
    Right("create", "coordination.k8s.io/leases"),
    *(Right(verb, "coordination.k8s.io/leases", LEASE) for verb in ("get", "update")),
)
"""What the Role of deploy/ gives."""


def check(settings: WorkerSettings, config: Config) -> Iterator[Finding]:
    """Everything, in the order in which one thing needs the other."""
    store = Store.connect(settings.redis_url, answer_seconds=ANSWER_SECONDS)
    try:
        yield from health.look_at(store)
        record, clusters = Record(store), Connections(settings.kubeconfig)
        yield from _record(record)
        for environment in config.environments.values():
            yield from of_environment(config, environment, clusters, record)
            yield from of_files(environment, FileSets(settings.buzzy_config.parent))
    finally:
        store.close()


def of_environment(
    config: Config, environment: Environment, clusters: Clusters, record: Record
) -> Iterator[Finding]:
    """One environment: its metrics, its cluster, Buzzy's rights there, its Deployments, its ledger."""
    name, namespace = environment.name, environment.namespace
    yield from measuring.check(config, environment)
    try:
        cluster = clusters(environment.cluster.context)
        yield good(name, f"Kubernetes {cluster.version()}")
        missing = [right for right in needed(environment) if not cluster.may(namespace, right)]
    except ClusterError as error:
        yield problem(name, of_error(error), "Look at KUBECONFIG and the environment's cluster.context.")
        return
    if missing:
        lacking = ", ".join(f"{right.resource}: {right.verb}" for right in missing)
        fix = f"kubectl apply -n {namespace} -f {ROLE}"
        yield problem(name, f"Buzzy's Role in {namespace} lacks {lacking}", fix)
    else:
        yield good(name, f"every right of the Role in {namespace}")
    if Right("list", "apps/deployments") not in missing:
        yield from _deployments(config, environment, cluster)
    if Right("get", "configmaps") not in missing:
        yield _ledger(environment, Ledgers(record, config, clusters), record)


def of_files(environment: Environment, sets: FileSets) -> Iterator[Finding]:
    """The files of versions, where an environment has some: each set, as it would be read for a release."""
    if environment.files is None:
        return
    name = environment.name
    try:
        versions = sorted(sets.versions(environment.files))
        for version in versions:
            sets.of(environment.files, version)
    except FilesError as error:
        yield problem(
            name, str(error), f"Look at environments.{name}.files in buzzy.yaml, and at the folder."
        )
        return
    if not versions:
        yield problem(name, "there are files of no version", f"Make {environment.files.folder} for one.")
        return
    yield good(name, f"files of {', '.join(str(each) for each in versions[-MOST_VERSIONS:])}")


def needed(environment: Environment) -> tuple[Right, ...]:
    """The rights without which releases to an environment could not be made."""
    slotted = "blue-green" in environment.may_go_by
    return tuple(right for right in RIGHTS if slotted or right not in TWO_SLOTS)


def _record(record: Record) -> Iterator[Finding]:
    try:
        if record.archive.rebuilding:
            yield problem("record", "a rebuild has not come to its end", REBUILD)
    except RecordUnavailableError:
        return  # what is wrong with Redis is told already


def _deployments(config: Config, environment: Environment, cluster: Cluster) -> Iterator[Finding]:
    name, namespace = environment.name, environment.namespace
    try:
        found = {each.name: each for each in cluster.deployments(namespace)}
    except ClusterError as error:
        yield problem(name, of_error(error))
        return
    services = config.services_of(environment)
    if not found:
        fix = "Is the namespace right? Deploy the services once; Buzzy releases what is there."
        yield problem(name, f"there is no Deployment in {namespace}", fix)
        return
    wrong = [
        each
        for service in services
        if (each := _wrong(name, found.get(service.deployment), service.deployment, service.container))
    ]
    yield from wrong
    if not wrong:
        yield good(name, f"{len(services)} services, each with its Deployment and container")


def _wrong(name: str, deployment: DeploymentSeen | None, called: str, container: str) -> Finding | None:
    if deployment is None:
        fix = "Deploy it, or say in buzzy.yaml which Deployment the service has."
        return problem(name, f"there is no Deployment {called}", fix)
    there = containers(deployment.template)
    if container not in there:
        fix = f"Its containers: {', '.join(there)}. Say in buzzy.yaml which one is released."
        return problem(name, f"the Deployment {called} has no container {container}", fix)
    return None


def _ledger(environment: Environment, ledgers: Ledgers, record: Record) -> Finding:
    name = environment.name
    try:
        ledgers.check(environment)
        behind = name in record.archive.forgotten()
    except AheadError as error:
        what = f"the record was lost, or is an old copy: {error}"
        return problem(name, what, REBUILD)
    except (ClusterError, UnreadableLedgerError) as error:
        return problem(name, of_error(error))
    except RecordUnavailableError:
        return unknown(name, "whether the ledger is in step cannot be said without Redis")
    if behind:
        what = "the ledger does not know the newest releases yet"
        return problem(name, what, "A worker writes it within a minute; if not, its log says why.")
    return good(name, "the ledger is in step with the record")
