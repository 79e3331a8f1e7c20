"""Metrics that have a name: what they ask of Prometheus, and which metrics they expect to be there.

Each is a fixed template. `$labels` stands for a matcher of namespace and pods (`namespace="…",pod=~"…"`) and
`$range` for the span over which it is looked back. buzzy.yaml may replace a template (`prometheus.queries`).

Metrics have their usual names: of Prometheus' client libraries (`http_requests_total` with a label
`code`, `http_request_duration_seconds`), of cAdvisor and kubelet (`container_…`, `kubelet_volume_stats_…`);
for people at work, a gauge of the application's own, `active_users`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from releases.monitoring import Unit

PresetName = Literal[
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "throughput",
    "error_rate",
    "cpu",
    "memory",
    "storage",
    "user_activity",
    "user_experience",
]


@dataclass(frozen=True)
class Preset:
    """A named metric. `samples` counts the requests behind it; empty where any value means something."""

    title: str
    unit: Unit
    query: str
    about: str
    samples: str = ""


_REQUESTS = "sum(increase(http_requests_total{$labels}[$range]))"
_DURATIONS = "sum(increase(http_request_duration_seconds_count{$labels}[$range]))"


def _quantile(share: str, title: str) -> Preset:
    return Preset(
        title,
        "seconds",
        f"histogram_quantile({share}, "
        "sum by (le) (rate(http_request_duration_seconds_bucket{$labels}[$range])))",
        f"how long requests take, {title.removeprefix('latency ')}",
        _DURATIONS,
    )


PRESETS: dict[PresetName, Preset] = {
    "latency_p50": _quantile("0.5", "latency p50"),
    "latency_p95": _quantile("0.95", "latency p95"),
    "latency_p99": _quantile("0.99", "latency p99"),
    "throughput": Preset(
        "throughput", "per second", "sum(rate(http_requests_total{$labels}[$range]))", "requests a second"
    ),
    "error_rate": Preset(
        "error rate",
        "share",
        '(sum(rate(http_requests_total{$labels,code=~"5.."}[$range])) or vector(0)) '
        "/ sum(rate(http_requests_total{$labels}[$range]))",
        "the share of requests that are answered with 5xx",
        _REQUESTS,
    ),
    "cpu": Preset(
        "CPU",
        "cores",
        'avg(sum by (pod) (rate(container_cpu_usage_seconds_total{$labels,container!=""}[$range])))',
        "cores that a pod uses, on average",
    ),
    "memory": Preset(
        "memory",
        "bytes",
        'max(sum by (pod) (container_memory_working_set_bytes{$labels,container!=""}))',
        "bytes that the largest pod has in use",
    ),
    "storage": Preset(
        "storage",
        "share",
        'max(kubelet_volume_stats_used_bytes{namespace="$namespace"} '
        '/ kubelet_volume_stats_capacity_bytes{namespace="$namespace"})',
        "the share of the fullest volume that is used",
    ),
    "user_activity": Preset("user activity", "", "sum(active_users{$labels})", "people at work"),
    "user_experience": Preset(
        "user experience",
        "share",
        '(sum(rate(http_request_duration_seconds_bucket{$labels,le="0.5"}[$range])) '
        '+ sum(rate(http_request_duration_seconds_bucket{$labels,le="2.5"}[$range]))) / 2 '
        "/ sum(rate(http_request_duration_seconds_count{$labels}[$range]))",
        "Apdex: content within 0.5 s, bearing it within 2.5 s",
        _DURATIONS,
    ),
}
