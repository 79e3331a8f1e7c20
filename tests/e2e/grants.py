"""The rights of the workers in a cluster, as deploy/ gives them: the ServiceAccount and its Role."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.controlplane.audit import Request
from tests.e2e.controlplane.plane import ControlPlane, KubectlError

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kubernetes"
RBAC = MANIFESTS / "workers-rbac.yaml"
PATIENCE = 20.0
ANYBODYS = "/version/"
"""What every account may ask for, without a Role."""


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource."""

    verb: str
    resource: str
    """With its API group in front, as people are told it: `apps/deployments`, `pods/log`."""
    name: str = field(default="", compare=False)
    """Of the one object that it is about; empty for all of them."""

    def __str__(self) -> str:
        return f"{self.resource}: {self.verb}"


class Grants:
    """Gives the ServiceAccount of deploy/ the Role of deploy/, whole or without some of it."""

    def __init__(self, plane: ControlPlane) -> None:
        """Make the ServiceAccount where deploy/ has it."""
        self._plane = plane
        account = self._account()
        self.name, self.home = account["metadata"]["name"], account["metadata"]["namespace"]
        plane.kubectl("apply", "-f", str(MANIFESTS / "namespace.yaml"))
        plane.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(account))
        self.rights = rights_of(self._role())
        """All that the Role of deploy/ allows."""

    def __call__(self, namespaces: list[str]) -> Path:
        """Give the whole Role in these namespaces; the kubeconfig of the ServiceAccount."""
        for namespace in namespaces:
            self.give(namespace)
        return self._plane.kubeconfig_for(self.name, self.home)

    def give(self, namespace: str, *, without: Right | None = None) -> None:
        """Apply deploy/'s own file in a namespace, and take one right away again if it is to be missing."""
        self._plane.kubectl("apply", "-n", namespace, "-f", str(RBAC))
        if without is not None:
            role = self._role()
            role["rules"] = [rule for each in role["rules"] for rule in _without(each, without)]
            self._plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump(role))
        # The API server takes a moment to learn of it.
        give_up = time.monotonic() + PATIENCE
        for right in self.rights if without is None else {without}:
            while self._has(namespace, right) is (without is not None):
                assert time.monotonic() < give_up, f"the API server does not learn of {right}"

    def _has(self, namespace: str, right: Right) -> bool:
        """Whether the API server agrees that the ServiceAccount has a right."""
        resource, _, subresource = _plural(right).partition("/")
        about = f"{resource}/{right.name}" if right.name else resource
        command = ["auth", "can-i", right.verb, about, "-n", namespace, "-q"]
        command += [f"--as=system:serviceaccount:{self.home}:{self.name}"]
        try:
            self._plane.kubectl(*command, *([f"--subresource={subresource}"] if subresource else []))
        except KubectlError:
            return False
        return True

    def requests(self, namespaces: list[str]) -> set[Request]:
        """What the ServiceAccount has asked for, in these namespaces or in none, that takes a right."""
        asked = self._plane.requests_of(self.name, self.home)
        return {each for each in asked if each.namespace in {*namespaces, ""} and each.resource != ANYBODYS}

    def _account(self) -> dict[str, Any]:
        made = yaml.safe_load_all(self._plane.kubectl("kustomize", str(MANIFESTS)))
        return next(each for each in made if each["kind"] == "ServiceAccount")

    def _role(self) -> dict[str, Any]:
        return next(each for each in yaml.safe_load_all(RBAC.read_text()) if each["kind"] == "Role")


def rights_of(role: dict[str, Any]) -> set[Right]:
    """The rights that a Role's rules come to."""
    return {
        Right(verb, _named(group, resource), name)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


def right_of(request: Request) -> Right:
    """The right that a request needs."""
    return Right(request.verb, _named(request.group, request.resource))


def _named(group: str, resource: str) -> str:
    return f"{group}/{resource}" if group else resource


def _plural(right: Right) -> str:
    """The resource in kubectl's words: `deployments.apps`, `pods/log`."""
    group, _, resource = right.resource.partition("/")
    return right.resource if not resource or group == "pods" else f"{resource}.{group}"


def _without(rule: dict[str, Any], right: Right) -> list[dict[str, Any]]:
    """A rule, of one group, without a right; nothing when that was all of it."""
    named = {_named(group, resource) for group in rule["apiGroups"] for resource in rule["resources"]}
    if right.resource not in named:
        return [rule]
    verbs = [verb for verb in rule["verbs"] if verb != right.verb]
    return [rule | {"verbs": verbs}] if verbs else []
