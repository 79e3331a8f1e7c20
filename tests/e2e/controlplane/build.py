"""Build the control plane's commands from their Go modules, once for each state of the sources.

`python tests/e2e/controlplane/build.py` prints the folder of the commands. The first build takes some
minutes; its result is kept in the user's cache, named by the sources, and appears there in one step, so
that whoever finds it finds it whole.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMANDS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")

_SOURCES = Path(__file__).parent
_LAST_LINES = 15
_VERSION = "k8s.io/component-base/version"
_REQUIRED = re.compile(r"^\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\.\S+)", re.MULTILINE)
_NOT_SERVED = re.compile(r"(\S+@v\S+): (?:reading|unrecognized import path|not found)")


class BuildError(Exception):
    """The control plane cannot be had on this machine; the message says why."""


def commands() -> Path:
    """Return the folder of the commands, built from the sources beside this file if it is not there yet.

    Raises:
        BuildError: There is no Go, a module is not served, or the sources do not build.
    """
    kept = _cache() / _fingerprint()
    if not kept.exists():
        with _alone(kept):
            # Another run may have built it while this one waited for its turn.
            if not kept.exists():
                _build(kept)
    return kept


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "buzzy-controlplane"


def _fingerprint() -> str:
    """Name a state of the sources, this file with its flags included, on one kind of machine."""
    digest = hashlib.sha256(f"{sys.platform} {platform.machine()}".encode())
    for name in ("go.mod", "go.sum", "main.go", "build.py"):
        digest.update((_SOURCES / name).read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """Let one run build and the others wait for it: two at once would take twice as long for nothing."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(kept: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise BuildError("Go is not installed: the control plane is built from its Go modules.")
    sys.stderr.write("Building the control plane from source, once: this takes some minutes …\n")
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".building-") as scratch:
        folder = Path(scratch) / "commands"
        folder.mkdir()
        _compile(go, folder / "controlplane")
        for command in COMMANDS:
            (folder / command).symlink_to("controlplane")
        folder.rename(kept)


def _compile(go: str, binary: Path) -> None:
    # Without these the API server would report itself as an unreleased v0.0.0.
    version, major, minor = _kubernetes_version()
    facts = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    flags = " ".join(["-s -w", *(f"-X {_VERSION}.{name}={value}" for name, value in facts.items())])
    arguments = ["-mod=readonly", "-buildvcs=false", "-trimpath", f"-ldflags={flags}", "-o", str(binary), "."]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [go, "build", *arguments],
        cwd=_SOURCES,
        env=os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(_explain(done.stderr))


def _kubernetes_version() -> tuple[str, str, str]:
    found = _REQUIRED.search((_SOURCES / "go.mod").read_text(encoding="utf-8"))
    if found is None:
        raise BuildError("go.mod does not require k8s.io/kubernetes.")
    return found[1], found[2], found[3]


def _explain(output: str) -> str:
    """Say which modules could not be had, if that is what went wrong, before Go's own last words."""
    missing = sorted(set(_NOT_SERVED.findall(output)))
    cause = f"These modules are not served here: {', '.join(missing)}." if missing else "Go says:"
    lines = [line for line in output.splitlines() if not line.startswith("go: downloading")]
    last_words = "\n".join(lines[-_LAST_LINES:])
    return f"The control plane could not be built. {cause}\n{last_words}"


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{commands()}\n")
    except BuildError as error:
        sys.exit(str(error))
