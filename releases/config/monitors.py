"""What is watched after a release: where metrics are, for how long it is, and what is too much."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from releases.config.amounts import Amount, Limit
from releases.config.durations import Duration
from releases.config.section import VARIABLE, Section
from releases.monitoring import Condition, Trigger
from releases.presets import PRESETS, Preset, PresetName

EVERY = timedelta(seconds=30)
WINDOW = timedelta(minutes=15)
UNREADY = timedelta(seconds=30)
PROBE = timedelta(seconds=30)
SAMPLES = 20
"""How many requests have to be behind a value before it means anything."""

MOST_TRIGGERS = 20
NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$"
REASON = r"^[A-Za-z]{1,63}$"
_PLACEHOLDER = re.compile(r"\$[A-Za-z_]+")
PLACEHOLDERS = ("$labels", "$namespace", "$pods", "$range")


def _address(text: str) -> str:
    parts = _split(text)
    if parts is None:
        raise ValueError("is no address, such as http://prometheus.monitoring:9090")
    if "@" in parts:
        raise ValueError("has a login in it: put a token into an environment variable and name it (token: …)")
    return text.rstrip("/")


def _url(text: str) -> str:
    parts = _split(text)
    if parts is None or "@" in parts:
        raise ValueError("is no address without a login, such as https://shop.example.com/health")
    return text


def _split(text: str) -> str | None:
    """The host with what stands before and behind it; None when it is no address of HTTP."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return None
    return parts.netloc if parts.scheme in {"http", "https"} and parts.hostname else None


def _query(text: str) -> str:
    unknown = [name for name in _PLACEHOLDER.findall(text) if not name.startswith(PLACEHOLDERS)]
    if unknown:
        raise ValueError(f"has a placeholder that nobody fills in; there are {', '.join(PLACEHOLDERS)}")
    return text


Query = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(_query)]


class Prometheus(Section):
    """Where metrics are asked for."""

    address: Annotated[str, AfterValidator(_address)] = Field(
        description="its address; /api/v1/query is asked under it",
        examples=["http://prometheus.monitoring:9090"],
    )
    token: Annotated[str, Field(pattern=VARIABLE)] | None = Field(
        default=None,
        description="the workers' environment variable that holds a bearer token",
        examples=["PROMETHEUS_TOKEN"],
    )
    queries: Mapping[PresetName, Query] = Field(
        default={},
        description="PromQL for a named metric; $labels, $namespace, $pods and $range are filled in",
        examples=[{"user_activity": "sum(sessions_open{$labels})"}],
    )


class Threshold(Section):
    """When a metric is past its limit."""

    above: Amount | None = Field(default=None, description="more than this", examples=["2%"])
    below: Amount | None = Field(default=None, description="less than this", examples=["0.5x"])
    lasting: Duration | None = Field(
        default=None,
        alias="for",
        description="for how long, without a break, and over which time a rate is taken; 1m unless given",
        examples=["1m"],
    )
    samples: int = Field(
        default=SAMPLES,
        ge=1,
        description="how many requests must be behind a value; fewer mean nothing",
        examples=[50],
    )

    @model_validator(mode="after")
    def _one(self) -> Threshold:
        if (self.above is None) == (self.below is None):
            raise ValueError("needs one of above and below, such as above: 2%")
        return self


class Health(Section):
    """Pods that are not ready."""

    lasting: Duration = Field(
        default=UNREADY, alias="for", description="for how long; crash loops count at once", examples=["30s"]
    )


class Probe(Section):
    """A request that is made again and again."""

    url: Annotated[str, AfterValidator(_url)] = Field(
        description="what is asked for", examples=["https://shop.example.com/health"]
    )
    status: int = Field(default=200, ge=100, le=599, description="what must be answered", examples=[200])
    within: Duration = Field(
        default=timedelta(seconds=5), description="how fast; at most 10s", examples=["2s"]
    )


class TriggerRule(Section):
    """One trigger: health, a named metric, PromQL, a probe, or something that Kubernetes tells."""

    health: Health | None = Field(
        default=None, description="pods that are not ready", examples=[{"for": "1m"}]
    )
    latency_p50: Threshold | None = Field(
        default=None, description="half of the requests", examples=[{"above": "1.5x"}]
    )
    latency_p95: Threshold | None = Field(
        default=None, description="95 % of the requests", examples=[{"above": "1.3x"}]
    )
    latency_p99: Threshold | None = Field(
        default=None, description="99 % of the requests", examples=[{"above": "2s"}]
    )
    throughput: Threshold | None = Field(
        default=None, description="requests a second", examples=[{"below": "0.5x"}]
    )
    error_rate: Threshold | None = Field(
        default=None, description="answers with 5xx", examples=[{"above": "2%"}]
    )
    cpu: Threshold | None = Field(default=None, description="cores a pod", examples=[{"above": "1.5x"}])
    memory: Threshold | None = Field(
        default=None, description="bytes of the largest pod", examples=[{"above": "512Mi"}]
    )
    storage: Threshold | None = Field(
        default=None, description="of the fullest volume", examples=[{"above": "85%"}]
    )
    user_activity: Threshold | None = Field(
        default=None, description="people at work", examples=[{"below": "0.5x"}]
    )
    user_experience: Threshold | None = Field(default=None, description="Apdex", examples=[{"below": "85%"}])
    promql: Query | None = Field(
        default=None, description="PromQL of your own", examples=["sum(rate(checkout_failures_total[1m]))"]
    )
    http: Probe | None = Field(
        default=None, description="a probe", examples=[{"url": "https://shop.example.com"}]
    )
    kubernetes: Condition | None = Field(
        default=None, description="what Kubernetes tells of the new pods", examples=["restarts"]
    )
    above: Amount | None = Field(
        default=None, description="of promql and kubernetes: more than this", examples=[5]
    )
    below: Amount | None = Field(default=None, description="of promql: less than this", examples=[1])
    lasting: Duration | None = Field(
        default=None, alias="for", description="of promql and http: for how long", examples=["1m"]
    )
    reasons: tuple[Annotated[str, Field(pattern=REASON)], ...] = Field(
        default=(), description="of kubernetes: events: only these", examples=[["FailedMount"]]
    )
    name: str | None = Field(
        default=None, pattern=NAME, description="what people call it", examples=["checkout"]
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return {"health": {}} if value == "health" else value

    @model_validator(mode="after")
    def _one(self) -> TriggerRule:
        kinds = self._kinds()
        if len(kinds) != 1:
            raise ValueError(f"must be one of {', '.join(KINDS)}")
        beside = {"above", "below", "lasting", "reasons"} & self.model_fields_set
        stray = beside - _BESIDE.get(kinds[0], frozenset())
        if stray:
            said = "for" if "lasting" in stray else min(stray)
            raise ValueError(
                f"has {said} beside {kinds[0]}, where it means nothing: write it inside, or leave it out"
            )
        if kinds[0] == "promql" and (self.above is None) == (self.below is None):
            raise ValueError("needs one of above and below, such as above: 5")
        if self.reasons and self.kubernetes != "events":
            raise ValueError("has reasons, which only kubernetes: events has")
        self._check_units(kinds[0])
        return self

    def _kinds(self) -> list[str]:
        return [kind for kind in KINDS if getattr(self, kind) is not None]

    def _check_units(self, kind: str) -> None:
        if kind in PRESETS:
            threshold: Threshold = getattr(self, kind)
            for limit in (threshold.above, threshold.below):
                if limit is not None and (why := limit.fits(PRESETS[kind].unit)):
                    raise ValueError(f"{kind} {why}")
        elif kind == "kubernetes" and self.above is not None and (self.above.times or self.above.unit):
            raise ValueError("counts: write a bare number, such as above: 2")

    def trigger(self, queries: Mapping[PresetName, str]) -> Trigger:
        """The trigger, as a plan has it. `queries` replace those of named metrics."""
        if self.health is not None:
            seconds = int(self.health.lasting.total_seconds())
            return Trigger(kind="health", name=self.name or "health", for_seconds=seconds)
        if self.http is not None:
            return Trigger(
                kind="http",
                name=self.name or urlsplit(self.http.url).netloc,
                for_seconds=int((self.lasting or PROBE).total_seconds()),
                url=self.http.url,
                status=self.http.status,
                within_seconds=min(self.http.within.total_seconds(), 10.0),
            )
        if self.kubernetes is not None:
            above = _OFTEN[self.kubernetes] if self.above is None else self.above.value
            name = self.name or (", ".join(self.reasons) or self.kubernetes)
            return Trigger(
                kind="kubernetes", name=name, condition=self.kubernetes, above=above, reasons=self.reasons
            )
        if self.promql is not None:
            unit = next((each.unit for each in (self.above, self.below) if each is not None), "")
            return Trigger(
                kind="query",
                name=self.name or "promql",
                query=self.promql,
                unit=unit,
                for_seconds=0 if self.lasting is None else int(self.lasting.total_seconds()),
                **_limits(self.above, self.below),
            )
        kind = self._kinds()[0]
        preset: Preset = PRESETS[kind]  # type: ignore[index] # the validator has seen to it
        threshold: Threshold = getattr(self, kind)
        lasting = threshold.lasting or timedelta(minutes=1)
        return Trigger(
            kind="query",
            name=self.name or preset.title,
            unit=preset.unit,
            query=queries.get(kind, preset.query),  # type: ignore[call-overload] # the same
            samples="" if kind in queries else preset.samples,
            at_least=threshold.samples if preset.samples and kind not in queries else 0,
            for_seconds=int(lasting.total_seconds()),
            **_limits(threshold.above, threshold.below),
        )


_OFTEN: dict[Condition, float] = {"restarts": 2, "oom-kills": 0, "events": 0}
_BESIDE = {
    "promql": frozenset({"above", "below", "lasting"}),
    "http": frozenset({"lasting"}),
    "kubernetes": frozenset({"above", "reasons"}),
}
KINDS: tuple[str, ...] = ("health", *get_args(PresetName), "promql", "http", "kubernetes")


def _limits(above: Limit | None, below: Limit | None) -> dict[str, float | bool | None]:
    given = above or below
    return {
        "above": None if above is None else above.value,
        "below": None if below is None else below.value,
        "times": given is not None and given.times,
    }


class _OrHealth:
    """In the schema for editors: a trigger, or the word `health`."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"const": "health"}, handler(schema)]}


class MonitorRule(Section):
    """What is watched when a release has come up, before it counts as released."""

    window: Duration = Field(default=WINDOW, description="for how long; 15m unless given", examples=["15m"])
    every: Duration = Field(default=EVERY, description="how often it is looked", examples=["30s"])
    after: Duration | None = Field(
        default=None,
        description="for how long it is looked at once it counts as released: what trips then is an alert, "
        "and nothing goes back by itself; not at all unless given",
        examples=["1h"],
    )
    triggers: tuple[Annotated[TriggerRule, _OrHealth()], ...] = Field(
        default=(TriggerRule.model_validate("health"),),
        min_length=1,
        max_length=MOST_TRIGGERS,
        description="what makes a release go back; health unless given",
        examples=[["health", {"error_rate": {"above": "2%", "for": "1m"}}]],
    )

    @model_validator(mode="after")
    def _sound(self) -> MonitorRule:
        names = [each.trigger({}).name for each in self.triggers]
        if len(set(names)) < len(names):
            raise ValueError("has two triggers of one name: give one of them another (name: …)")
        return self

    @property
    def asks_prometheus(self) -> bool:
        """Whether any trigger needs metrics."""
        return any(each.trigger({}).kind == "query" for each in self.triggers)


OnFailure = Literal["rollback", "ask"]
