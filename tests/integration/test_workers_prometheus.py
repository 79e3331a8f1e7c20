"""Releases that a real Prometheus watches: a real service under load, and what it measures of it.

`BUZZY_ALARMS=20` plays each so many times, to see that there is no false alarm and no miss.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from releases.config import Config
from releases.lifecycle import State
from releases.monitoring import Verdict
from releases.presets import PRESETS
from releases.record import Store
from sandbox.cluster import Cluster, running_cluster
from sandbox.cluster.resources import PODS
from tests.integration.prometheus_server import Shop, binary, prometheus_over
from tests.integration.test_workers_crash import until
from tests.integration.workers_world import CONFIG, NAMESPACE, TOKEN, World, now, role, settle
from workers.metrics import PrometheusMetrics, QueryError
from workers.steps.queries import Queries, before_pods

TIMES = range(1, int(os.environ.get("BUZZY_ALARMS", "1")) + 1)
RULE = (
    "    monitor: {window: 6s, every: 1s, triggers: [health, "
    "{error_rate: {above: 5%, for: 3s}}, {latency_p95: {above: 4x, for: 3s}}]}\n"
)


@pytest.fixture(autouse=True)
def _there() -> None:
    """Nothing is started where there is no Prometheus."""
    binary()


def ready_pods(cluster: Cluster) -> Mapping[str, str]:
    """The pods that are ready, with the tags of their images."""

    def read() -> dict[str, str]:
        found = {}
        for pod in cluster.store.listing(PODS, NAMESPACE):
            conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", ())}
            if conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]:
                image = pod["spec"]["containers"][0]["image"]
                found[pod["metadata"]["name"]] = image.partition("@")[0].rpartition(":")[2]
        return found

    return cluster.run(read)


@contextmanager
def under_load(store: Store, folder: Path) -> Iterator[tuple[World, Shop, PrometheusMetrics]]:
    """A world whose pods take requests, which have been measured for a while."""
    with running_cluster(speed=20.0) as cluster:
        cluster.seed_buzzy(namespaces=(NAMESPACE,))
        settle(cluster)
        cluster.add_user(TOKEN, "buzzy-worker", role())
        kubeconfig = cluster.kubeconfig(folder / "kubeconfig", token=TOKEN)
        with prometheus_over(folder, NAMESPACE, lambda: ready_pods(cluster)) as (address, shop):
            metrics = PrometheusMetrics(address)
            config = f"prometheus: {{address: '{address}'}}\n" + CONFIG.replace(
                "  development:", f"{RULE}  development:"
            )
            world = World(cluster, kubeconfig, store, config=config, metrics=lambda _: metrics)
            counted = _counted(world.config)
            until(lambda: sum(metrics.at(counted, now())) > 100, 90)
            yield world, shop, metrics


def _counted(config: Config) -> str:
    queries = Queries(NAMESPACE, "-", before_pods([each.deployment for each in config.services]), now())
    return queries.filled(PRESETS["error_rate"].samples, queries.before, timedelta(seconds=50))


@pytest.mark.requirement("M1")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", TIMES)
def test_a_healthy_release_trips_none(store: Store, tmp_path: Path, number: int) -> None:
    """What Prometheus measured of both versions is about the same, and the release ends well."""
    with under_load(store, tmp_path) as (here, _, _):
        release = here.release("3.2.1")
        assert release.state is State.RELEASED, release.turned_back_because
        readings = {each.trigger: each for each in release.readings}
        assert readings["error rate"].value == 0
        assert readings["latency p95"].verdict is Verdict.PASSED
        assert readings["latency p95"].before is not None


@pytest.mark.requirement("B2", "B3", "X8")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", TIMES)
@pytest.mark.parametrize("wrong", ["errors", "latency"])
def test_what_is_measured_trips(store: Store, tmp_path: Path, wrong: str, number: int) -> None:
    """A version that fails or is slow under load goes back; the chart has both versions."""
    with under_load(store, tmp_path) as (here, shop, _):
        (shop.failing if wrong == "errors" else shop.slow).add("3.2.1")
        release = here.release("3.2.1")
        assert release.state is State.ROLLED_BACK
        says = "error rate" if wrong == "errors" else "latency p95"
        assert (release.turned_back_because or "").startswith(says)
        assert release.failure is not None
        chart = release.failure.chart
        assert chart is not None
        assert chart.before is not None
        new = [value for value in chart.new.values if value is not None]
        before = [value for value in chart.before.values if value is not None]
        assert max(new) > chart.limit > max(before)
        assert set(here.versions().values()) == {"3.2.0"}


@pytest.mark.requirement("M1")
@pytest.mark.timeout(240)
def test_prometheus_understands_every_preset(store: Store, tmp_path: Path) -> None:
    """None of the templates is refused, also where nothing exports its metrics; what is wrong PromQL is."""
    with under_load(store, tmp_path) as (here, _, metrics):
        pods = before_pods([each.deployment for each in here.config.services])
        queries = Queries(NAMESPACE, pods, pods, now())
        found = {}
        for name, preset in PRESETS.items():
            query = queries.filled(preset.query, pods, timedelta(seconds=30))
            found[name] = metrics.at(query, now())
            metrics.over(query, now() - timedelta(seconds=10), now(), timedelta(seconds=1))
        assert found["error_rate"] == (0.0,)
        assert 0 < found["latency_p50"][0] <= found["latency_p95"][0] <= found["latency_p99"][0]
        assert found["throughput"][0] > 1
        assert found["user_experience"] == (1.0,)
        assert found["cpu"] == found["memory"] == found["storage"] == found["user_activity"] == ()
        with pytest.raises(QueryError):
            metrics.at("sum(", now())
