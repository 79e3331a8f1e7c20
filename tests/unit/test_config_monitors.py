"""What buzzy.yaml may say about what is watched, and what it means to a plan."""

from __future__ import annotations

import pytest

from releases.config import ConfigError, Environment, parse_config
from releases.config.amounts import Limit, parse_limit
from releases.monitoring import Trigger

SMALL = """\
services: [{name: main, image: buzzybuzz/main}]
prometheus: {address: "http://prometheus:9090", queries: {cpu: "sum(mine{$labels})"}}
environments:
  staging:
    namespace: buzzy-staging
    channel: C0STAGING
"""


def staging(*lines: str) -> Environment:
    """The environment with more lines."""
    return parse_config(SMALL + "".join(f"    {line}\n" for line in lines)).environment("staging")


def trigger(written: str) -> Trigger:
    """A trigger as a plan has it."""
    environment = staging(f"monitor: {{triggers: [{written}]}}")
    assert environment.monitor is not None
    config = parse_config(SMALL)
    assert config.prometheus is not None
    return environment.monitor.triggers[0].trigger(config.prometheus.queries)


def wrong(*lines: str) -> str:
    """What is said about a file."""
    with pytest.raises(ConfigError) as caught:
        staging(*lines)
    return str(caught.value)


@pytest.mark.requirement("B1", "M1")
def test_what_is_watched_goes_back_by_itself_unless_it_is_said_otherwise() -> None:
    """Without a monitor nothing does, unless that is said."""
    assert not staging().goes_back
    assert staging("on_failure: rollback").goes_back
    assert staging("monitor: {window: 5m}").goes_back
    assert not staging("monitor: {window: 5m}", "on_failure: ask").goes_back


@pytest.mark.requirement("B2", "B3", "B4", "M1")
def test_triggers_as_a_plan_has_them() -> None:
    """Limits in the metric's unit, times in seconds, and the queries that will be asked."""
    assert trigger("health") == Trigger(kind="health", name="health", for_seconds=30)
    errors = trigger("{error_rate: {above: 2%, for: 90s}}")
    assert (errors.name, errors.above, errors.unit, errors.for_seconds) == ("error rate", 0.02, "share", 90)
    assert errors.at_least == 20
    assert "http_requests_total{$labels" in errors.samples
    slower = trigger("{latency_p95: {above: 1.3x}}")
    assert (slower.above, slower.times, slower.unit, slower.for_seconds) == (1.3, True, "seconds", 60)
    own = trigger("{promql: 'sum(x)', below: 512Mi, name: cache}")
    assert (own.name, own.below, own.unit, own.query) == ("cache", 512 * 2**20, "bytes", "sum(x)")
    replaced = trigger("{cpu: {above: 0.5}}")
    assert (replaced.query, replaced.samples, replaced.at_least) == ("sum(mine{$labels})", "", 0)
    probe = trigger("{http: {url: 'https://shop.example.com/health', within: 2s}, for: 1m}")
    assert (probe.name, probe.within_seconds, probe.for_seconds) == ("shop.example.com", 2.0, 60)
    events = trigger("{kubernetes: events, reasons: [FailedMount]}")
    assert (events.name, events.above, events.reasons) == ("FailedMount", 0, ("FailedMount",))


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("2%", Limit(0.02, "share")),
        ("500ms", Limit(0.5, "seconds")),
        ("1.5 s", Limit(1.5, "seconds")),
        ("512Mi", Limit(512 * 2**20, "bytes")),
        ("1.3x", Limit(1.3, times=True)),
        ("5", Limit(5)),
    ],
)
def test_limits_as_people_write_them(text: str, limit: Limit) -> None:
    """With a unit, as a multiple, or bare."""
    assert parse_limit(text) == limit


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{error_rate: {above: 500ms}}", "error_rate is not in the metric's unit: write it like 2%"),
        ("{error_rate: {above: 2}}", "error_rate is not in the metric's unit: write it like 2%"),
        ("{throughput: {below: 5%}}", "throughput has a unit that the metric does not have"),
        ("{error_rate: {}}", "needs one of above and below, such as above: 2%"),
        ("{error_rate: {above: fast}}", "is no limit: write it like 2%, 500ms, 512Mi, 1.3x or 5"),
        ("{error_rate: {above: 0x}}", "must be more than nothing, such as 1.3x"),
        ("{eror_rate: {above: 2%}}", "did you mean error_rate?"),
        ("{}", "must be one of health, latency_p50"),
        ("{health: {}, error_rate: {above: 2%}}", "must be one of health, latency_p50"),
        ("{health: {}, above: 3}", "has above beside health, where it means nothing"),
        ("{error_rate: {above: 2%}, for: 1m}", "has for beside error_rate, where it means nothing"),
        ("{promql: up}", "needs one of above and below, such as above: 5"),
        ("{promql: 'up{$everything}', above: 3}", "has a placeholder that nobody fills in"),
        ("{http: {url: ftp://x}}", "is no address without a login"),
        ("{http: {url: 'https://me:secret@x/'}}", "is no address without a login"),
        ("{kubernetes: crash}", "must be restarts, oom-kills or events"),
        ("{kubernetes: restarts, above: 5%}", "counts: write a bare number"),
        ("{kubernetes: restarts, reasons: [BackOff]}", "has reasons, which only kubernetes: events has"),
        ("health, health", "has two triggers of one name"),
    ],
)
def test_triggers_that_mean_nothing(written: str, said: str) -> None:
    """Each is told with what to write instead, and without what was written."""
    text = wrong(f"monitor: {{triggers: [{written}]}}")
    assert said in text
    assert "secret" not in text
    assert len(text.splitlines()) == 1


def test_metrics_need_a_place() -> None:
    """A trigger that asks for metrics where nobody is said to have them."""
    without = SMALL.replace("prometheus:", "time_zone: UTC\n#")
    rule = "    monitor: {triggers: [{error_rate: {above: 2%}}]}\n"
    with pytest.raises(ConfigError, match="need metrics, and it is not said where those are"):
        parse_config(without + rule)
    own = "    prometheus: {address: 'http://prometheus:9090'}\n"
    assert parse_config(without + rule + own).environment("staging").monitor is not None
    assert "has a login in it" in wrong("prometheus: {address: 'http://me:secret@prometheus:9090'}")


def test_a_monitor_says_how_long_it_is_watched_in_blue_green_too() -> None:
    """Two lengths of time for one thing are one too many."""
    rule = "monitor: {window: 5m, triggers: [health]}"
    assert "blue_green.monitor: means nothing where there is a monitor" in wrong(
        rule, "blue_green: {monitor: 90s}"
    )
    assert staging(rule, "blue_green: {delay: 1h}").monitor is not None
    assert staging("blue_green: {monitor: 90s}").monitor is None
