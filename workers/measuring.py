"""Which Prometheus an environment's metrics are asked of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from releases.config import Config, Environment
from releases.findings import Finding, good, problem
from workers.metrics import Metrics, MetricsError, PrometheusMetrics, QueryError
from workers.settings import secret


def metrics_of(config: Config, environment: Environment) -> Metrics | None:
    """Where an environment's metrics are asked for, with a token as it is now; None when that is not said."""
    rule = config.prometheus_of(environment)
    return None if rule is None else PrometheusMetrics(rule.address, secret(rule.token))


def check(config: Config, environment: Environment) -> Iterator[Finding]:
    """Whether metrics can be had, where they are needed."""
    rule, metrics = config.prometheus_of(environment), metrics_of(config, environment)
    watched = environment.monitor is not None and environment.monitor.asks_prometheus
    if not watched or rule is None or metrics is None:
        return
    if rule.token is not None and secret(rule.token) is None:
        fix = f"Set {rule.token} for the workers, or leave prometheus.token out."
        yield problem(environment.name, f"the token for Prometheus, {rule.token}, is not set", fix)
        return
    try:
        metrics.at("vector(1)", datetime.now(UTC))
    except QueryError:
        pass  # it answers, and understands less than the real one
    except MetricsError as error:
        yield problem(environment.name, str(error), "Look at prometheus.address and its token.")
        return
    yield good(environment.name, "Prometheus answers")
