"""What one key of the file alone cannot show: parts of it that contradict each other."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from datetime import timedelta

from releases.config.durations import write_duration
from releases.config.models import Config, Environment
from releases.config.problems import Path, Problem, written
from releases.config.rules import Approval, ApprovalByType, ApprovalOfType
from releases.config.suites import Suite
from releases.version import ReleaseType

EVERY = "all"
"""The word for every environment in `lock` and `freeze`."""

CONFIG_MAP_BYTES = 1_048_576
"""What Kubernetes stores in a ConfigMap at most."""


def contradictions(config: Config) -> Iterator[Problem]:
    """Every contradiction, in the order of the file."""
    yield from _said_twice("services", "name", (service.name for service in config.services))
    yield from _said_twice("services", "deployment", (service.deployment for service in config.services))
    yield from _beside(config)
    for environment in config.environments.values():
        yield from _services(config, environment)
        if environment.approval is not None:
            yield from _quorums(environment, environment.approval)
            yield from _clocks(environment, environment.approval)
        yield from _leads(config, environment)
        yield from _latest(config, environment)
        yield from _audience(environment)
        yield from _size(environment)
        yield from _checklist(config, environment)
        yield from _database(config, environment)
        yield from _suites(config, environment)
        yield from _metrics(config, environment)
        if environment.name == EVERY:
            what = "is what people call all environments together, when they lock them"
            yield Problem(written(("environments", environment.name)), what, "give it another name")
    yield from _circles(config)
    yield from _trains(config)
    yield from _shared_namespaces(config)
    yield from _shared_accounts(config)


def _said_twice(path: str, key: str, values: Iterable[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if value in first:
            what = f"is the {key} of {path}[{first[value]}] as well"
            yield Problem(f"{path}[{index}].{key}", what, "give each service its own")
        else:
            first[value] = index


def _beside(config: Config) -> Iterator[Problem]:
    """Two services that would share a Service or a Deployment once a release is blue-green."""
    if not any("blue-green" in environment.may_go_by for environment in config.environments.values()):
        return
    yield from _said_twice("services", "service", (service.service for service in config.services))
    second = {service.beside: service for service in config.services}
    for index, service in enumerate(config.services):
        if service.deployment in second:
            other = second[service.deployment].name
            what = f"is what blue-green calls the second Deployment of {other}"
            yield Problem(f"services[{index}].deployment", what, "give it another name")


def _services(config: Config, environment: Environment) -> Iterator[Problem]:
    known = [service.name for service in config.services]
    named = environment.services or ()
    for index, name in enumerate(named):
        where = written(("environments", environment.name, "services", index))
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            fix = f"did you mean {close[0]}?" if close else f"the services are {', '.join(known)}"
            yield Problem(where, "is no service of this file", fix)
        elif name in named[:index]:
            yield Problem(where, "is in the list already", "leave it out")


def _quorums(environment: Environment, approval: ApprovalByType) -> Iterator[Problem]:
    path = ("environments", environment.name, "approval")
    yield from _quorum((*path, "quorum"), approval)
    for type_ in ReleaseType:
        rule: ApprovalOfType | None = getattr(approval, type_.value)
        asked = approval.of(type_)
        if rule is not None and asked is not None and (rule.quorum, rule.approvers) != (None, None):
            yield from _quorum((*path, type_.value, "quorum"), asked)


def _clocks(environment: Environment, approval: ApprovalByType) -> Iterator[Problem]:
    """What would never be heard: it comes after the expiry, or nobody is on call."""
    path = ("environments", environment.name, "approval")
    rules: list[tuple[Path, Approval, Approval | ApprovalOfType]] = [(path, approval, approval)]
    for type_ in ReleaseType:
        of_type, asked = approval.of_type(type_), approval.of(type_)
        if of_type is not None and asked is not None:
            rules.append(((*path, type_.value), asked, of_type))
    for where, merged, own in rules:
        said = own.expires is not None and "expires" in own.model_fields_set
        for key in ("remind", "escalate"):
            at: timedelta | None = getattr(merged, key)
            here = said or getattr(own, key) is not None
            if at is not None and here and at >= merged.expires:
                what = f"comes after the release has expired, at {write_duration(merged.expires)}"
                yield Problem(written((*where, key)), what, "write less, or off")
        if own.escalate and environment.alerts is None:
            yield Problem(
                written((*where, "escalate")), "needs somebody to tell", "write alerts, or leave it out"
            )


def _quorum(path: Path, approval: Approval) -> Iterator[Problem]:
    if any(approver.startswith("S") for approver in approval.approvers):
        return  # How many people a group has, only Slack knows.
    people = len(set(approval.approvers))
    if approval.quorum > people:
        what = f"can never be reached: only {people} {'person' if people == 1 else 'people'} may approve"
        yield Problem(written(path), what, f"write {people} or fewer, or add approvers")


def _leads(config: Config, environment: Environment) -> Iterator[Problem]:
    """What stands before an environment: where its versions are proven, and what it is a standby of."""
    path = ("environments", environment.name)
    if environment.requires is not None:
        before = environment.requires.proven_in
        yield from _lead(config, environment, (*path, "requires", "proven_in"), before)
    if environment.follows is not None:
        yield from _lead(config, environment, (*path, "follows"), environment.follows)
        if environment.after is None:
            what = "says not how long a version must have run there first"
            yield Problem(written((*path, "follows")), what, "write after: 24h beside it")
    elif environment.smaller:
        what = "is about standbys"
        yield Problem(
            written((*path, "smaller")), what, "write which environment it follows, or leave it out"
        )
    elif environment.after is not None:
        yield Problem(written((*path, "after")), "belongs to follows", "write which environment it follows")


def _latest(config: Config, environment: Environment) -> Iterator[Problem]:
    """What an environment with the newest build needs, and what it cannot be as well."""
    if environment.latest is None:
        return
    where = written(("environments", environment.name, "latest"))
    if config.registry is None:
        yield Problem(where, "needs a registry to look into", "write registry at the top of the file")
    if environment.follows is not None:
        yield Problem(where, "and follows both say what is released here", "leave one of them out")
    if environment.requires is not None:
        yield Problem(where, "would release what requires keeps out", "leave one of them out")


def _lead(config: Config, environment: Environment, path: Path, name: str) -> Iterator[Problem]:
    others = [each for each in config.environments if each != environment.name]
    if name == environment.name:
        fix = f"write another one, such as {others[0]}" if others else "leave it out"
        yield Problem(written(path), "is the environment itself", fix)
    elif name not in config.environments:
        close = difflib.get_close_matches(name, others, n=1)
        fix = f"did you mean {close[0]}?" if close else f"the others are {', '.join(others) or 'none'}"
        yield Problem(written(path), "is no environment of this file", fix)
    else:
        there = {service.name for service in config.services_of(config.environments[name])}
        missing = [each.name for each in config.services_of(environment) if each.name not in there]
        if missing:
            what = f"has not all of its services: {', '.join(missing)} cannot be proven there"
            yield Problem(written(path), what, f"add them to {name}, or leave them out here")


def _circles(config: Config) -> Iterator[Problem]:
    """Environments that wait for each other: nothing could ever get into any of them."""
    told: set[str] = set()
    for name in config.environments:
        chain = [name]
        while (before := _before(config, chain[-1])) is not None and before not in chain:
            chain.append(before)
        if before == name and len(chain) > 1 and not told & set(chain):
            told |= set(chain)
            circle = " → ".join([*chain, name])
            where = written(("environments", name, _KEY[config.environments[name].requires is not None]))
            yield Problem(where, f"leads in a circle: {circle}", "one of them has to come first")


_KEY = {True: "requires", False: "follows"}


def _before(config: Config, name: str) -> str | None:
    environment = config.environments.get(name)
    if environment is None:
        return None
    return environment.requires.proven_in if environment.requires is not None else environment.follows


def _audience(environment: Environment) -> Iterator[Problem]:
    for index, channel in enumerate(environment.audience):
        where = written(("environments", environment.name, "audience", index))
        if channel == environment.channel:
            yield Problem(where, "is the environment's own channel, which sees all of it", "leave it out")
        elif channel in environment.audience[:index]:
            yield Problem(where, "is in the list already", "leave it out")


def _size(environment: Environment) -> Iterator[Problem]:
    size = sum(len(key.encode()) + len(value.encode()) for key, value in environment.configuration.items())
    if size > CONFIG_MAP_BYTES:
        where = written(("environments", environment.name, "configuration"))
        yield Problem(where, "is larger than the 1 MiB that Kubernetes can store", "make it smaller")


def _checklist(config: Config, environment: Environment) -> Iterator[Problem]:
    """An item that is there twice, or that nothing could ever be said of."""
    items = environment.checklist or ()
    for index, item in enumerate(items):
        where = written(("environments", environment.name, "checklist", index))
        if item in items[:index] or (item.tick and item.tick in {each.tick for each in items[:index]}):
            yield Problem(where, "is in the list already", "leave it out")
        elif item.check == "compatible" and not config.compatibility:
            yield Problem(where, "needs a matrix to check", "write compatibility, or leave it out")
        elif item.check == "proven" and environment.requires is None:
            yield Problem(where, "needs a rule to check", "write requires, or leave it out")
        elif item.check in {"backup", "migrations"} and not _has(environment, item.check):
            yield Problem(where, "needs something to check", f"write database.{item.check}, or leave it out")


def _has(environment: Environment, part: str) -> bool:
    return environment.database is not None and getattr(environment.database, part) is not None


def _database(config: Config, environment: Environment) -> Iterator[Problem]:
    """Which migrations a version has is written on its image, and only a registry can show that."""
    if config.registry is None and _has(environment, "migrations"):
        where = written(("environments", environment.name, "database", "migrations"))
        yield Problem(where, "needs a registry to read them from", "write registry at the top of the file")


def _suites(config: Config, environment: Environment) -> Iterator[Problem]:
    for key, named in (
        ("before", environment.before),
        ("blue_green.validate", environment.blue_green.validate_with),
        ("validate", environment.validate_with),
    ):
        for index, name in enumerate(named):
            where = written(("environments", environment.name, key, index))
            if name not in config.suites:
                close = difflib.get_close_matches(name, config.suites, n=1)
                known = f"the suites are {', '.join(config.suites) or 'none: write them at the top'}"
                yield Problem(
                    where, "is no suite of this file", f"did you mean {close[0]}?" if close else known
                )
            elif name in named[:index]:
                yield Problem(where, "is in the list already", "leave it out")
            elif key == "before" and config.suites[name].person is not None:
                what = "is for a person, who has nothing to look at before a release"
                yield Problem(where, what, "write an item of the checklist: {tick: …, by: […]}")
            elif key != "validate" and config.suites[name].metric is not None:
                what = "is measured while a version is used, which it is not before that"
                yield Problem(where, what, f"write it into validate of {environment.name}")
            else:
                yield from _asks_what_is_there(config, environment, where, config.suites[name])


def _asks_what_is_there(
    config: Config, environment: Environment, where: str, suite: Suite
) -> Iterator[Problem]:
    """A suite that asks for what the environment has not."""
    if suite.metric is not None and config.prometheus_of(environment) is None:
        fix = "write prometheus: {address: http://…}, there or at the top of the file"
        yield Problem(where, "needs metrics, and it is not said where those are", fix)
    if suite.job is not None and suite.job.backup is not None and not _has(environment, "backup"):
        yield Problem(where, "needs backups to restore", "write database.backup, or leave it out")


def _metrics(config: Config, environment: Environment) -> Iterator[Problem]:
    rule = environment.monitor
    if rule is not None and "monitor" in environment.blue_green.model_fields_set:
        where = written(("environments", environment.name, "blue_green", "monitor"))
        yield Problem(where, "means nothing where there is a monitor, which says how long", "leave it out")
    if rule is not None and rule.asks_prometheus and config.prometheus_of(environment) is None:
        where = written(("environments", environment.name, "monitor", "triggers"))
        fix = "write prometheus: {address: http://…}, here or at the top of the file"
        yield Problem(where, "need metrics, and it is not said where those are", fix)


def _trains(config: Config) -> Iterator[Problem]:
    for name, train in config.trains.items():
        if train.environment not in config.environments:
            where = written(("trains", name, "environment"))
            close = difflib.get_close_matches(train.environment, config.environments, n=1)
            known = f"the environments are {', '.join(config.environments)}"
            yield Problem(
                where, "is no environment of this file", f"did you mean {close[0]}?" if close else known
            )


def _shared_namespaces(config: Config) -> Iterator[Problem]:
    """Two environments in one namespace would release over each other."""
    first: dict[tuple[str | None, str], str] = {}
    for name, environment in config.environments.items():
        place = (environment.cluster.context, environment.namespace)
        other = first.setdefault(place, name)
        if other != name:
            where = written(("environments", name, "namespace"))
            yield Problem(where, f"is the namespace of {other} as well", "give each environment its own")


def _shared_accounts(config: Config) -> Iterator[Problem]:
    """Whoever administers a machine can be root, so root is nobody in particular."""
    if "root" in config.operators:
        what = "is the account of everybody who administers the machine"
        yield Problem("operators.root", what, "let people run `buzzy do` as themselves")
