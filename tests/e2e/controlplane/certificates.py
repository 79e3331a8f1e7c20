"""Certificates of one control plane: an authority, what the servers show, who the clients are.

They come from the `openssl` command, which is on any machine that builds software; a Python package for
this would be one more dependency for a few files.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
_DAYS = "7"
_ADDRESSES = "IP:127.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"

# A configuration of our own, since the machine's default one differs between systems.
_CONFIGURATION = f"""
[req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {_ADDRESSES}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs for one control plane; all its files are in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        (folder / "openssl.cnf").write_text(_CONFIGURATION, encoding="ascii")
        self._own = self._make("authority", "/CN=control-plane-authority", "authority")

    @property
    def certificate(self) -> Path:
        """What clients and servers check each other against."""
        return self._own.certificate

    def server(self, name: str) -> Certificate:
        """Make what a server on this machine shows."""
        return self._signed(name, f"/CN={name}", "server")

    def client(self, user: str, group: str) -> Certificate:
        """Make what Kubernetes takes as this user, of this group."""
        return self._signed(user.replace(":", "-"), f"/O={group}/CN={user}", "client")

    def _signed(self, name: str, subject: str, section: str) -> Certificate:
        own = self._own
        return self._make(name, subject, section, "-CA", str(own.certificate), "-CAkey", str(own.key))

    def _make(self, name: str, subject: str, section: str, *signer: str) -> Certificate:
        made = Certificate(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        configuration = ("-config", str(self._folder / "openssl.cnf"), "-extensions", section)
        files = ("-out", str(made.certificate), "-keyout", str(made.key))
        command = (
            "openssl",
            "req",
            "-x509",
            *_KEY,
            "-days",
            _DAYS,
            "-subj",
            subject,
            *configuration,
            *files,
            *signer,
        )
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own arguments
        return made
