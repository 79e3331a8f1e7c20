"""What `buzzy.yaml` may say. Only what has an effect is known: everything else is refused, not ignored."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, PrivateAttr, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from releases.compatibility import Row
from releases.config.checklist import NamedOrTicked
from releases.config.database import DatabaseCare
from releases.config.durations import Duration, DurationOrOff, write_duration
from releases.config.monitors import MonitorRule, OnFailure, Prometheus
from releases.config.rules import ApprovalByType, Permissions, Requires
from releases.config.section import (
    HTTP_PATH,
    Channel,
    DnsLabel,
    DnsName,
    OsUser,
    Person,
    PersonOrGroup,
    Repository,
    Section,
    Variable,
    VariableValue,
)
from releases.config.suites import Suite
from releases.config.surroundings import (
    Database,
    Documentation,
    Files,
    Needs,
    RegistryAddress,
    Versions,
)
from releases.config.trains import Train
from releases.config.windows import Freezes, Zone
from releases.version import ReleaseType


class Service(Section):
    """One part of the application: one Deployment, of which one container is released."""

    name: DnsLabel = Field(description="what people call it", examples=["buzzy-main"])
    image: Repository = Field(
        description="its image repository, without a tag", examples=["buzzybuzz/buzzy-main"]
    )
    deployment: DnsName = Field(
        default_factory=lambda data: data["name"],
        description="its Deployment; the service's name if left out",
        examples=["buzzy-main"],
    )
    container: DnsLabel = Field(
        default_factory=lambda data: data["name"],
        description="the container of that Deployment; the service's name if left out",
        examples=["buzzy-main"],
    )
    service: DnsLabel = Field(
        default_factory=lambda data: data["name"],
        description="the Service that leads to it, for blue-green; the service's name if left out",
        examples=["buzzy-main"],
    )
    port: int = Field(default=8080, ge=1, le=65535, description="where it answers", examples=[8080])
    health: str = Field(
        default="/health", pattern=HTTP_PATH, description="the path that answers 200", examples=["/health"]
    )
    deadline: Duration = Field(
        default=timedelta(minutes=5), description="how long its rollout may take", examples=["5m"]
    )

    @property
    def beside(self) -> str:
        """The Deployment beside its own, for blue-green."""
        return f"{self.deployment}-green"


class Cluster(Section):
    """Which Kubernetes cluster an environment is in."""

    context: str | None = Field(
        default=None,
        min_length=1,
        description="a context of the kubeconfig; without one, the cluster that Buzzy runs in, "
        "or else the kubeconfig's current context",
        examples=["staging"],
        json_schema_extra={"type": ["string", "null"]},
    )


class Alerts(Section):
    """Where trouble in the environment is told."""

    critical: Channel = Field(description="the channel for what cannot wait", examples=["C0ONCALL"])
    on_call: PersonOrGroup | None = Field(
        default=None,
        description="who is mentioned there: a person (U…) or a group (S…)",
        examples=["S0ONCALL"],
    )


Strategy = Literal["rolling", "blue-green"]


class BlueGreen(Section):
    """How long what has traffic now is watched, and what had it before is kept."""

    monitor: Duration = Field(
        default=timedelta(minutes=1),
        description="how long it is watched with traffic, where the environment has no monitor; "
        "whatever goes wrong by then sends the traffic back",
        examples=["5m"],
    )
    delay: Duration = Field(
        default=timedelta(minutes=10),
        description="how long what had the traffic is kept after that, so that going back is one switch",
        examples=["10m"],
    )
    preview: bool = Field(
        default=True,
        description="whether each service gets a second Service, `<name>-preview`, to look at it before",
        examples=[False],
    )
    validate_with: tuple[DnsLabel, ...] = Field(
        default=(),
        alias="validate",
        description="suites that what is new has to pass before it gets traffic",
        examples=[["smoke"]],
    )


class Environment(Section):
    """A cluster, a namespace in it, and what is asked of a release that goes there."""

    cluster: Cluster = Field(
        default=Cluster(), description="which cluster", examples=[{"context": "staging"}]
    )
    namespace: DnsLabel = Field(description="the namespace of its Deployments", examples=["buzzy-staging"])
    channel: Channel = Field(description="the channel where its releases are shown", examples=["C0STAGING"])
    strategy: Strategy = Field(
        default="rolling", description="how releases go about it", examples=["rolling"]
    )
    strategies: tuple[Strategy, ...] = Field(
        default=(),
        description="what `--strategy` may ask for besides",
        examples=[["rolling", "blue-green"]],
    )
    blue_green: BlueGreen = Field(
        default=BlueGreen(), description="how a blue-green release goes about it", examples=[{"delay": "10m"}]
    )
    services: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="the services that it has; all of them if left out",
        examples=[["buzzy-main"]],
    )
    approval: ApprovalByType | None = Field(
        default=None,
        description="who has to agree; nobody if left out",
        examples=[{"quorum": 1, "from": ["S0APPROVERS"]}],
    )
    grace: DurationOrOff | None = Field(
        default=None,
        description="the moment before a release's start in which it can be stopped; "
        "10s where somebody has to agree, and off elsewhere, if left out",
        examples=["10s"],
    )
    requires: Requires | None = Field(
        default=None,
        description="what a version has to have shown elsewhere; nothing if left out",
        examples=[{"proven_in": "staging", "soak": "24h"}],
    )
    permissions: Permissions | None = Field(
        default=None,
        description="who may ask for what; every member if left out",
        examples=[{"release": {"from": ["S0RELEASERS"]}}],
    )
    follows: DnsLabel | None = Field(
        default=None,
        description="a standby: the environment whose versions Buzzy releases here by itself",
        examples=["production"],
    )
    after: Duration | None = Field(
        default=None, description="how long a version must have run there first", examples=["24h"]
    )
    latest: Versions | None = Field(
        default=None,
        description="of which versions Buzzy itself releases the newest build here that the registry has",
        examples=["3.x"],
    )
    smaller: bool = Field(
        default=False,
        description="whether a standby may ask for fewer pods than what it follows",
        examples=[True],
    )
    audience: tuple[Channel, ...] = Field(
        default=(),
        description="channels that are told of releases asked for with --hotfix or --security",
        examples=[["C0GENERAL"]],
    )
    alerts: Alerts | None = Field(
        default=None, description="where trouble is told", examples=[{"critical": "C0ONCALL"}]
    )
    configuration: Mapping[Variable, VariableValue] = Field(
        default={},
        description="the environment variables of its services; each version gets its own unchangeable copy",
        examples=[{"LOG_LEVEL": "info"}],
    )
    files: Files | None = Field(
        default=None,
        description="files of its services, which each version may have its own of",
        examples=[{"folder": "config/{version}", "at": "/etc/buzzy/files"}],
    )
    mongodb: Database | None = Field(
        default=None,
        description="its MongoDB, which is asked for its version",
        examples=[{"address": "mongodb://mongodb.buzzy-staging:27017"}],
    )
    database: DatabaseCare | None = Field(
        default=None,
        description="its backups and migrations; releases leave the database alone if left out",
        examples=[{"backup": {"image": "buzzybuzz/backup:1.4", "fresh": "24h"}}],
    )
    not_known: Literal["stop", "go-on"] = Field(
        default="stop",
        description="what a version of the matrix that cannot be found out does to a release",
        examples=["stop"],
    )
    checklist: tuple[NamedOrTicked, ...] | None = Field(
        default=None,
        description="what must be so before a release starts; what planning finds out anyway if left out",
        examples=[["image", "compatible", {"tick": "release notes read", "by": ["S0APPROVERS"]}]],
    )
    before: tuple[DnsLabel, ...] = Field(
        default=(),
        description="suites that a version has to have passed before anything is changed",
        examples=[["unit", "security"]],
    )
    validate_with: tuple[DnsLabel, ...] = Field(
        default=(),
        alias="validate",
        description="suites that run behind the services of a release, which fails with them",
        examples=[["smoke"]],
    )
    prerelease: bool = Field(
        default=False, description="whether pre-release versions may go there", examples=[True]
    )
    time_zone: Zone | None = Field(
        default=None,
        description="the time zone of its calendar; the one at the top of the file if left out",
        examples=["Europe/Berlin"],
    )
    freezes: Freezes = Field(
        default=Freezes(),
        description="when releases may go there and when not, besides the freezes for all",
        examples=[{"windows": [{"deny": "0 16 * * FRI", "for": "64h"}]}],
    )
    shared: bool = Field(
        default=False,
        description="whether another installation of Buzzy, with a Redis of its own, releases there as well; "
        "the first that does keeps the ledger from which its record can be rebuilt",
        examples=[True],
    )
    history: int = Field(
        default=10, ge=1, le=50, description="how many releases `history` lists", examples=[10]
    )
    prometheus: Prometheus | None = Field(
        default=None,
        description="where its metrics are; as at the top of the file if left out",
        examples=[{"address": "http://prometheus.monitoring:9090"}],
    )
    monitor: MonitorRule | None = Field(
        default=None,
        description="what is watched before a release counts as released; nothing if left out",
        examples=[{"window": "15m", "triggers": ["health", {"error_rate": {"above": "2%"}}]}],
    )
    on_failure: OnFailure | None = Field(
        default=None,
        description="what a rolling release that is seen to be ill does: go back by itself, or ask; "
        "rollback where there is a monitor, ask elsewhere",
        examples=["rollback"],
    )
    _name: str = PrivateAttr(default="")

    @property
    def name(self) -> str:
        """What people call it: its key in the file."""
        return self._name

    @property
    def suites(self) -> tuple[str, ...]:
        """The suites that a release there has to pass, each as often as it runs."""
        return (*self.before, *self.blue_green.validate_with, *self.validate_with)

    @property
    def may_go_by(self) -> tuple[Strategy, ...]:
        """The strategies that its releases may have, the usual one first."""
        return tuple(dict.fromkeys((self.strategy, *self.strategies)))

    @property
    def goes_back(self) -> bool:
        """Whether a release that is seen to be ill goes back by itself."""
        return (self.on_failure or ("ask" if self.monitor is None else "rollback")) == "rollback"


class UnknownEnvironment(LookupError):  # noqa: N818 - it names what is wrong with the name, as `LookupError` does
    """No environment has that name. `close_match` is the one that was probably meant, or None."""

    def __init__(self, name: str, close_match: str | None, all_names: tuple[str, ...]) -> None:
        meant = f" Did you mean {close_match}?" if close_match else ""
        super().__init__(f'There is no environment "{name}".{meant}')
        self.name = name
        self.close_match = close_match
        self.all_names = all_names


class Config(Section):
    """The whole of `buzzy.yaml`."""

    application: DnsLabel = Field(default="buzzy", description="what is released", examples=["buzzy"])
    services: tuple[Service, ...] = Field(
        min_length=1,
        description="its parts, in the order in which they are rolled out",
        examples=[[{"name": "buzzy-main", "image": "buzzybuzz/buzzy-main"}]],
    )
    registry: RegistryAddress | None = Field(
        default=None,
        description="where tags are looked up and pinned to what they are; nothing is looked up if left out",
        examples=["https://registry.example.com"],
    )
    documentation: Documentation | None = Field(
        default=None,
        description="where the notes of a version are",
        examples=["https://docs.example.com/{version}/release-notes"],
    )
    compatibility: Mapping[Versions, Needs] = Field(
        default={},
        description="which versions of what is around it versions of the application run with",
        examples=[{"3.2.x": {"mongodb": ">=4.4", "kubernetes": ">=1.18", "node": "14.x"}}],
    )
    environments: Mapping[DnsLabel, Environment] = Field(
        min_length=1,
        description="where it is released, in the order of promotion",
        examples=[{"staging": {"namespace": "buzzy-staging", "channel": "C0STAGING"}}],
    )

    suites: Mapping[DnsLabel, Suite] = Field(
        default={},
        description="what shows that a version is good, by name",
        examples=[{"smoke": {"job": {"image": "buzzybuzz/smoke-tests:2"}}}],
    )
    operators: Mapping[OsUser, Person] = Field(
        default={},
        description="who may use `buzzy do`: which person of Slack (U…) each user of the operating system is",
        examples=[{"alice": "U0ALICE"}],
    )
    time_zone: Zone = Field(
        default="UTC",
        description="the time zone of the calendar: freezes, trains, times that people type",
        examples=["Europe/Berlin"],
    )
    freezes: Freezes = Field(
        default=Freezes(),
        description="when releases may go, to every environment, and when not",
        examples=[{"managers": ["S0MANAGERS"]}],
    )
    prometheus: Prometheus | None = Field(
        default=None,
        description="where metrics are, for environments that do not say",
        examples=[{"address": "http://prometheus.monitoring:9090"}],
    )
    trains: Mapping[DnsLabel, Train] = Field(
        default={},
        description="releases that leave by the calendar",
        examples=[{"monthly": {"leaves": "0 10 * * TUE#1", "environment": "production"}}],
    )

    @model_validator(mode="after")
    def _name_environments(self) -> Config:
        for name, environment in self.environments.items():
            environment._name = name  # noqa: SLF001 - the key stands here, the property there
        return self

    def environment(self, name: str) -> Environment:
        """The environment of that name. Raises `UnknownEnvironment`."""
        if name in self.environments:
            return self.environments[name]
        names = tuple(self.environments)
        close = difflib.get_close_matches(name, names, n=1)
        raise UnknownEnvironment(name, close[0] if close else None, names)

    @property
    def matrix(self) -> tuple[Row, ...]:
        """The compatibility matrix, in the order of the file."""
        return tuple(Row(versions, needs.requirements()) for versions, needs in self.compatibility.items())

    @property
    def standbys(self) -> tuple[str, ...]:
        """The environments that follow another one."""
        return tuple(name for name, each in self.environments.items() if each.follows is not None)

    @property
    def user_groups(self) -> frozenset[str]:
        """The user groups that rules of this file name."""
        named = {id_ for environment in self.environments.values() for id_ in _named(environment)}
        named |= {
            id_ for suite in self.suites.values() if suite.person is not None for id_ in suite.person.by
        }
        return frozenset(id_ for id_ in named.union(self.freezes.managers) if id_.startswith("S"))

    def prometheus_of(self, environment: Environment) -> Prometheus | None:
        """Where an environment's metrics are."""
        return environment.prometheus or self.prometheus

    def services_of(self, environment: Environment) -> tuple[Service, ...]:
        """The services that an environment has, in rollout order."""
        if environment.services is None:
            return self.services
        return tuple(service for service in self.services if service.name in environment.services)


def _named(environment: Environment) -> Iterator[str]:
    """The people and groups that an environment's rules name."""
    if environment.approval is not None:
        yield from environment.approval.approvers
        for type_ in ReleaseType:
            yield from (rule.approvers if (rule := environment.approval.of(type_)) is not None else ())
    if environment.permissions is not None:
        for _, permission in environment.permissions:
            yield from permission.people if permission is not None else ()
    if environment.alerts is not None and environment.alerts.on_call is not None:
        yield environment.alerts.on_call
    yield from environment.freezes.managers
    for item in environment.checklist or ():
        yield from item.by


def strategies_of(config: Config) -> tuple[Strategy, ...]:
    """All strategies that some environment may go by, in the order of the file."""
    return tuple(dict.fromkeys(each for one in config.environments.values() for each in one.may_go_by))


class _ForEditors(GenerateJsonSchema):
    """The schema of what may be written: a key that may be left out may not be empty for all that."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def encode_default(self, dft: object) -> object:
        return write_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `buzzy.yaml`, for editors."""
    return {
        "$schema": _ForEditors.schema_dialect,
        **Config.model_json_schema(by_alias=True, schema_generator=_ForEditors),
        "title": "buzzy.yaml",
    }
