"""Measuring: Prometheus' HTTP API, and requests that are made to see whether they are answered.

That something could not be measured is a `MetricsError`, never a value.
"""

from workers.metrics.port import Metrics, MetricsAwayError, MetricsError, Point, QueryError, Series
from workers.metrics.probing import probe
from workers.metrics.prometheus import PrometheusMetrics

__all__ = [
    "Metrics",
    "MetricsAwayError",
    "MetricsError",
    "Point",
    "PrometheusMetrics",
    "QueryError",
    "Series",
    "probe",
]
