"""What `buzzy check` asks for is what deploy/ gives: no scope and no right is forgotten or too many."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.checking import SCOPES
from workers.checking import RIGHTS
from workers.cluster import Right

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.requirement("C11")
def test_the_scopes_are_those_of_the_manifest() -> None:
    """Whoever adds one to the manifest is told here."""
    manifest = yaml.safe_load((DEPLOY / "slack-manifest.yaml").read_text())
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == SCOPES


@pytest.mark.requirement("Q5")
def test_the_rights_are_those_of_the_role() -> None:
    """Whoever adds one to the Role is told here."""
    documents = yaml.safe_load_all((DEPLOY / "kubernetes" / "workers-rbac.yaml").read_text())
    role = next(each for each in documents if each["kind"] == "Role")
    given = {
        Right(verb, f"{group}/{resource}" if group else resource, name)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
        for verb in rule["verbs"]
    }
    assert given == set(RIGHTS)
