"""The files of versions, as they lie in a folder beside buzzy.yaml, and in ConfigMaps.

A plan names each file by its digest and does not hold it: records and ledgers stay small, and what was
approved is what is written, because a file that has changed since is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from releases.config import Files
from releases.filesets import MOST_BYTES, nearest
from releases.version import InvalidVersion, Version

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_SHOWN = 5

Contents = Mapping[str, bytes]
"""What is in each file, by its name."""


class FilesError(Exception):
    """There are no files that could be used. Its text is a sentence without a full stop."""


@dataclass(frozen=True)
class FileSet:
    """The files for a version. `folder` is where they are, from where buzzy.yaml is."""

    folder: str
    contents: Contents


class FileSets:
    """Reads sets of files."""

    def __init__(self, root: Path) -> None:
        """`root` is the folder that buzzy.yaml is in."""
        self._root = root

    def of(self, files: Files, version: Version) -> FileSet:
        """The files for a version. Raises `FilesError`."""
        base, rest = files.parts
        there = self.versions(files)
        found = nearest(version, there)
        if found is None:
            have = ", ".join(str(each) for each in sorted(there)[-_SHOWN:]) or "no version"
            series = f"{version.major}.{version.minor}"
            raise FilesError(
                f"there are no files for {version} in {base}: it has those of {have}, and needs those of "
                f"{version}, or of a {series} before it"
            )
        folder = str(PurePosixPath(base, there[found], rest))
        return FileSet(folder, self.read(folder))

    def versions(self, files: Files) -> Mapping[Version, str]:
        """The versions for which there are files, with the names of their folders. Raises `FilesError`."""
        base, _ = files.parts
        try:
            names = [each.name for each in (self._root / base).iterdir() if each.is_dir()]
        except OSError as error:
            raise FilesError(f"the folder {base} beside buzzy.yaml cannot be read") from error
        found: dict[Version, str] = {}
        for name in sorted(names):
            try:
                found.setdefault(Version.parse(name), name)
            except InvalidVersion:
                continue  # other people's folders, and what Kubernetes keeps in a volume (`..data`)
        return found

    def read(self, folder: str) -> Contents:
        """The files in a folder. Raises `FilesError`."""
        contents: dict[str, bytes] = {}
        try:
            for each in sorted((self._root / folder).iterdir()):
                if each.name.startswith(".."):
                    continue  # Kubernetes' own, where the folder is a mounted ConfigMap
                if each.is_dir():
                    raise FilesError(f"{folder}/{each.name} is a folder: a ConfigMap holds files only")
                if not _KEY.fullmatch(each.name):
                    raise FilesError(
                        f"{folder} has a file that no ConfigMap could hold: its name may have letters, "
                        "digits, dots, dashes and underscores"
                    )
                contents[each.name] = each.read_bytes()
        except OSError as error:
            raise FilesError(f"the folder {folder} beside buzzy.yaml cannot be read") from error
        if not contents:
            raise FilesError(f"the folder {folder} is empty")
        size = sum(len(name) + len(content) for name, content in contents.items())
        if size > MOST_BYTES:
            raise FilesError(
                f"the files of {folder} have {size / 1024:.0f} KiB, and Kubernetes stores 1024 KiB at most"
            )
        return contents


def digests(contents: Contents) -> dict[str, str]:
    """What names the content of each file."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}


def split(contents: Contents) -> tuple[dict[str, str], dict[str, bytes]]:
    """The files as a ConfigMap holds them: what is text, and what is not."""
    texts: dict[str, str] = {}
    parts: dict[str, bytes] = {}
    for name, content in contents.items():
        try:
            text = content.decode()
        except UnicodeDecodeError:
            parts[name] = content
            continue
        if "\0" in text:
            parts[name] = content
        else:
            texts[name] = text
    return texts, parts


def joined(texts: Mapping[str, str], parts: Mapping[str, bytes]) -> Contents:
    """The files that a ConfigMap holds."""
    return {**{name: text.encode() for name, text in texts.items()}, **parts}
