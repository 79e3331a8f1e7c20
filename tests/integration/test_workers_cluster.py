"""The workers' own view of a cluster: reads, writes with preconditions, dry runs, and following a rollout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.cluster import Cluster as Sandbox
from sandbox.cluster import running_cluster
from sandbox.cluster.api.faults import Fault
from tests.integration.workers_world import NAMESPACE, settle
from workers.cluster import (
    AlreadyExistsError,
    Cluster,
    ClusterUnknownError,
    ClusterUnreachableError,
    ConflictError,
    CredentialsRefusedError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RolloutSeen,
    TemplateWrite,
    despite_conflicts,
)
from workers.cluster.connections import Connections
from workers.templates import with_image


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A cluster with Buzzy in it."""
    with running_cluster() as running:
        running.seed_buzzy(namespaces=(NAMESPACE,))
        settle(running)
        yield running


@pytest.fixture
def cluster(sandbox: Sandbox, tmp_path: Path) -> Cluster:
    """The same, as a worker has it."""
    return Connections(str(sandbox.kubeconfig(tmp_path / "kubeconfig")))(None)


def to(cluster: Cluster, tag: str) -> TemplateWrite:
    """Another version of the API, decided from how it is now."""
    deployment = cluster.deployment(NAMESPACE, "buzzy-api")
    return TemplateWrite(
        deployment,
        with_image(deployment.template, "buzzy-api", f"buzzybuzz/buzzy-api:{tag}"),
        {"buzzy/x.y": "1"},
    )


def followed(
    cluster: Cluster, until: Callable[[RolloutSeen], bool], act: Callable[[], object] = lambda: None
) -> list[RolloutSeen]:
    """The pictures until one is as wanted; `act` is done when the first complete one was seen."""
    pictures: list[RolloutSeen] = []
    with cluster.follow(NAMESPACE, cluster.deployment(NAMESPACE, "buzzy-api")) as following:
        for seen in following:
            if seen.complete and not any(picture.complete for picture in pictures):
                act()
            pictures.append(seen)
            if until(seen):
                return pictures
            assert len(pictures) < 2_000
    return pictures


def updated(seen: RolloutSeen) -> bool:
    """Whether the new template's pods are all there."""
    return (
        seen.deployment is not None
        and seen.deployment.template["spec"]["containers"][0]["image"].endswith(":3.2.1")
        and seen.deployment.observed_generation == seen.deployment.generation
        and seen.deployment.available == seen.deployment.updated == seen.deployment.pods == 3
    )


def test_a_template_that_was_written_is_read_back_the_same(cluster: Cluster) -> None:
    """Plans are compared by what the templates hold: what the server fills in must be in them already."""
    write = to(cluster, "3.2.1")
    would_be = cluster.write_template(NAMESPACE, write, rehearse=True)
    assert cluster.deployment(NAMESPACE, "buzzy-api").template != write.template
    written = cluster.write_template(NAMESPACE, write)
    assert would_be.template == written.template == write.template
    assert cluster.deployment(NAMESPACE, "buzzy-api").template == write.template
    assert written.annotations["buzzy/x.y"] == "1"


def test_a_write_that_was_decided_from_an_old_state_is_refused(cluster: Cluster) -> None:
    """Then it is looked at again and decided again."""
    old = to(cluster, "3.2.1")
    cluster.write_template(NAMESPACE, to(cluster, "3.2.2"))
    with pytest.raises(ConflictError):
        cluster.write_template(NAMESPACE, old)
    tried: list[TemplateWrite] = [old]

    def decide() -> str:
        write = tried.pop() if tried else to(cluster, "3.2.1")
        return str(cluster.write_template(NAMESPACE, write).template["spec"]["containers"][0]["image"])

    assert despite_conflicts(decide) == "buzzybuzz/buzzy-api:3.2.1"


def test_conflicts_without_an_end_are_given_up() -> None:
    """Somebody else never stops writing."""

    def decide() -> None:
        raise ConflictError("again")

    with pytest.raises(ConflictError):
        despite_conflicts(decide)


def test_a_template_that_is_not_valid_is_refused_in_the_clusters_words(cluster: Cluster) -> None:
    """Before anything is touched, when it is rehearsed."""
    write = to(cluster, "3.2.1")
    write.template["spec"]["containers"][0]["ports"] = [{"containerPort": 99_999_999}]
    with pytest.raises(InvalidError, match="containerPort"):
        cluster.write_template(NAMESPACE, write, rehearse=True)


def test_a_config_map_is_created_once(cluster: Cluster) -> None:
    """A rehearsal leaves nothing behind."""
    cluster.create_config_map(NAMESPACE, "c-1", {"A": "1"}, {}, rehearse=True)
    with pytest.raises(NotFoundError):
        cluster.config_map(NAMESPACE, "c-1")
    cluster.create_config_map(NAMESPACE, "c-1", {"A": "1"}, {"app": "x"})
    assert cluster.config_map(NAMESPACE, "c-1") == {"A": "1"}
    with pytest.raises(AlreadyExistsError):
        cluster.create_config_map(NAMESPACE, "c-1", {"A": "2"}, {})


def test_a_namespace_that_is_not_there_is_empty(cluster: Cluster) -> None:
    """As the API has it; asking for one object says that it is not there."""
    assert not any(look("nowhere") for look in (cluster.deployments, cluster.replica_sets, cluster.pods))
    with pytest.raises(NotFoundError, match="there is no deployment api in nowhere"):
        cluster.deployment("nowhere", "api")


def test_following_shows_a_rollout_to_its_end(cluster: Cluster) -> None:
    """Each picture has the Deployment, its revisions and its pods; the last one has the new ones only."""
    pictures = followed(cluster, updated, lambda: cluster.write_template(NAMESPACE, to(cluster, "3.2.1")))
    last = pictures[-1]
    assert [each.revision for each in sorted(last.replica_sets, key=lambda each: each.revision or 0)] == [
        1,
        2,
        3,
    ]
    assert all(pod.owner.startswith("buzzy-api-") for pod in last.pods)
    assert not any(picture.trouble for picture in pictures)


def test_following_shows_that_a_deployment_is_gone(cluster: Cluster, sandbox: Sandbox) -> None:
    """None is left in the picture."""
    from sandbox.cluster.deletion import DeleteOptions  # noqa: PLC0415 - this test's only
    from sandbox.cluster.resources import DEPLOYMENTS  # noqa: PLC0415

    def delete() -> None:
        sandbox.run(
            lambda: sandbox.registry.delete(
                DEPLOYMENTS, NAMESPACE, "buzzy-api", DeleteOptions(propagation="Background")
            )
        )

    pictures = followed(cluster, lambda seen: seen.complete and seen.deployment is None, delete)
    assert pictures[-1].complete


def test_following_outlives_an_outage(cluster: Cluster, sandbox: Sandbox) -> None:
    """The trouble is in the picture while it lasts, and what happened meanwhile is in the next one."""
    troubled: list[RolloutSeen] = []

    def until(seen: RolloutSeen) -> bool:
        if seen.trouble is not None:
            troubled.append(seen)
        return bool(troubled) and seen.trouble is None and updated(seen)

    def act() -> None:
        sandbox.leave_for(0.5)

    followed(cluster, lambda seen: seen.complete)
    cluster.write_template(NAMESPACE, to(cluster, "3.2.1"))
    followed(cluster, until, act)
    assert isinstance(troubled[0].trouble, ClusterUnreachableError)
    assert troubled[0].deployment is not None


def test_following_ends_with_what_trying_again_does_not_help_against(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A right that is missing is said at once."""
    from sandbox.cluster.access import Rule  # noqa: PLC0415 - this test's only

    sandbox.add_user("some", "some", [Rule(("get", "list", "watch"), ("deployments", "replicasets"))])
    kubeconfig = sandbox.kubeconfig(tmp_path / "some", token="some")
    cluster = Connections(str(kubeconfig))(None)
    with pytest.raises(ForbiddenError, match="pods: list"):
        followed(cluster, lambda _: False)


def test_nobody_waits_for_an_answer_for_ever(
    cluster: Cluster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection on which nothing comes is given up."""
    monkeypatch.setattr("workers.cluster.asking.TIMES", (1.0, 0.3))
    sandbox.add_fault(Fault("hang", path="deployments"))
    with pytest.raises(ClusterUnreachableError, match="no answer in time"):
        cluster.deployments(NAMESPACE)
    sandbox.add_fault(Fault("cut", path="deployments"))
    with pytest.raises(ClusterUnreachableError):
        cluster.deployments(NAMESPACE)


def test_who_buzzy_is_may_be_unknown(sandbox: Sandbox, tmp_path: Path) -> None:
    """An expired token is no outage."""
    kubeconfig = sandbox.kubeconfig(tmp_path / "old", token="expired")
    with pytest.raises(CredentialsRefusedError):
        Connections(str(kubeconfig))(None).deployments(NAMESPACE)


def test_where_a_cluster_is_may_be_unknown(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A context that is missing is named; a cluster that Buzzy does not run in is not looked for."""
    kubeconfig = str(sandbox.kubeconfig(tmp_path / "kubeconfig", context="here"))
    assert Connections(kubeconfig)("here").deployments(NAMESPACE)
    with pytest.raises(ClusterUnknownError, match="the cluster of context there"):
        Connections(kubeconfig)("there")
    with pytest.raises(ClusterUnknownError, match="where the cluster is"):
        Connections(str(tmp_path / "missing"))(None)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(ClusterUnknownError):
        Connections(kubeconfig)(None)


def test_one_connection_is_kept_for_each_context(sandbox: Sandbox, tmp_path: Path) -> None:
    """And none is made before it is needed."""
    connections = Connections(str(sandbox.kubeconfig(tmp_path / "kubeconfig", context="here")))
    assert connections("here") is connections("here")
    assert not sandbox.requests()
    connections.warm()
    assert not sandbox.requests()
