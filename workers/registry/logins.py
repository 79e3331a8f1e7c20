"""Who Buzzy is to registries: from a docker `config.json`, or a Kubernetes pull secret mounted as a file."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.registry.errors import RegistryError
from workers.registry.places import host_of

FILES = ("config.json", ".dockerconfigjson", ".dockercfg")
"""What the file is called in a folder: docker's own, and the two kinds of pull secrets."""


@dataclass(frozen=True)
class Login:
    """A name and a password; neither is ever shown."""

    username: str = field(repr=False)
    password: str = field(repr=False)


class LoginFileError(RegistryError):
    """A file of logins that cannot be used. Its text says why, and holds nothing of the file."""

    def __init__(self, why: str) -> None:
        """`why` goes on after the file's name."""
        super().__init__(f"the file of REGISTRY_CONFIG {why}")


class Logins:
    """The logins that are known, by registry."""

    def __init__(self, known: Mapping[str, Login] | None = None) -> None:
        """`known` is by host, address, or a docker config's key."""
        self._known = {host_of(name): login for name, login in (known or {}).items()}

    def of(self, host: str) -> Login | None:
        """The login for a registry; None for one that is asked as a stranger."""
        return self._known.get(host_of(host))


def read_logins(path: Path) -> dict[str, Login]:
    """The logins of a file, or of the one in a folder. Raises `LoginFileError`."""
    file = next((path / name for name in FILES if (path / name).is_file()), path) if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise LoginFileError(f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise LoginFileError("is no JSON") from None
    if not isinstance(content, dict):
        raise LoginFileError("is no docker config.json: it has no auths")
    entries = content.get("auths", content if file.name == ".dockercfg" else None)
    if not isinstance(entries, dict):
        helpers = "credsStore" in content or "credHelpers" in content
        what = (
            "its logins are kept by a credential helper, which is not asked" if helpers else "it has no auths"
        )
        raise LoginFileError(f"is no docker config.json with logins in it: {what}")
    return {name: login for name, entry in entries.items() if (login := _login(entry)) is not None}


def _login(entry: Any) -> Login | None:  # noqa: ANN401 - JSON
    """An entry's login; None when a credential helper keeps it, or when it is no name and password."""
    if not isinstance(entry, dict):
        return None
    username, password = entry.get("username"), entry.get("password")
    if not (username and password):
        try:
            text = base64.b64decode(str(entry.get("auth", ""))).decode()
        except ValueError:
            raise LoginFileError("has an auth that is no base64") from None
        username, _, password = text.partition(":")
    return Login(str(username), str(password)) if username and password else None
