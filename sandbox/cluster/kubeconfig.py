"""A kubeconfig file, so that kubectl and every client library find the cluster."""

from pathlib import Path

import yaml


def write_kubeconfig(path: Path, *, url: str, context: str, token: str) -> Path:
    """Write a kubeconfig with one context; a context of another cluster in the file is kept beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = yaml.safe_load(path.read_text()) if path.exists() else None
    config = known or {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    entries = (
        ("clusters", {"cluster": {"server": url}}),
        ("users", {"user": {"token": token}}),
        ("contexts", {"context": {"cluster": context, "user": context}}),
    )
    for section, entry in entries:
        others = [other for other in config[section] if other["name"] != context]
        config[section] = [*others, {"name": context, **entry}]
    config["current-context"] = context
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path
