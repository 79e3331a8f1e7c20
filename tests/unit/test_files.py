"""Files of versions: which set a version gets, how they are read, and how templates find them."""

from __future__ import annotations

from pathlib import Path

import pytest

from releases.config import Files, parse_config
from releases.filesets import MOST_BYTES, changes, nearest
from releases.findings import Level
from releases.version import Version
from tests.unit.workers_things import pod_template
from workers.checking import of_files
from workers.files import FilesError, FileSets, digests, joined, split
from workers.templates import VOLUME, config_maps, files_of, with_files

PREFIX = "buzzy-version-files-"
FILES = Files(folder="config/{version}", at="/etc/buzzy/files")


def versions(*texts: str) -> list[Version]:
    """Some versions."""
    return [Version.parse(text) for text in texts]


@pytest.mark.requirement("V3")
@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("3.2.1", "3.2.1"),
        ("3.2.4", "3.2.2"),
        ("3.2.0", "3.2.0-rc.1"),
        ("3.3.0", None),
        ("3.1.9", None),
        ("4.0.0", None),
        ("3.2.0-beta", None),
    ],
    ids=["its own", "the newest before", "its candidate", "minor", "older minor", "major", "before all"],
)
def test_a_version_has_its_own_files_or_those_of_the_nearest_before(version: str, found: str | None) -> None:
    """With the same first two numbers: what is new in 3.3 somebody has to say."""
    there = versions("3.2.0-rc.1", "3.2.1", "3.2.2", "3.2.7", "2.9.0")
    assert nearest(Version.parse(version), there) == (None if found is None else Version.parse(found))


@pytest.mark.requirement("V3")
def test_what_changes_is_said_file_by_file() -> None:
    """What stays as it is is not."""
    assert changes({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}) == ("~ b", "- c", "+ d")
    assert changes({"a": "1"}, {"a": "1"}) == ()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder beside buzzy.yaml with files for 3.2.0, and what else lies about there."""
    there = tmp_path / "config" / "3.2.0"
    there.mkdir(parents=True)
    (there / "routes.json").write_text('{"files": "on"}\n')
    (there / "logo.png").write_bytes(b"\x89PNG\xff\x00")
    (tmp_path / "config" / "drafts").mkdir()
    (tmp_path / "config" / "README").write_text("not a set")
    return tmp_path


@pytest.mark.requirement("V3")
def test_a_set_is_read_as_it_lies_there(root: Path) -> None:
    """Text and what is none; only folders that are versions are sets."""
    found = FileSets(root).of(FILES, Version.parse("3.2.5"))
    assert found.folder == "config/3.2.0"
    assert set(found.contents) == {"routes.json", "logo.png"}
    texts, parts = split(found.contents)
    assert texts == {"routes.json": '{"files": "on"}\n'}
    assert parts == {"logo.png": b"\x89PNG\xff\x00"}
    assert joined(texts, parts) == found.contents
    assert digests(joined(texts, parts)) == digests(found.contents)
    assert list(FileSets(root).versions(FILES)) == versions("3.2.0")


def test_files_may_lie_deeper_than_the_version(root: Path) -> None:
    """One set for each environment, beside each other."""
    (root / "config" / "3.2.0" / "production").mkdir()
    (root / "config" / "3.2.0" / "production" / "a").write_text("1")
    deeper = Files(folder="config/{version}/production", at="/etc/buzzy/files")
    assert FileSets(root).of(deeper, Version.parse("3.2.0")).contents == {"a": b"1"}
    beside = Files(folder="{version}", at="/x")
    (root / "3.2.0").mkdir()
    (root / "3.2.0" / "b").write_text("2")
    assert FileSets(root).of(beside, Version.parse("3.2.0")).folder == "3.2.0"


def test_what_kubernetes_keeps_in_a_volume_is_no_file(root: Path) -> None:
    """Where the folder is a mounted ConfigMap its files are links into `..data`."""
    there = root / "config" / "3.2.0"
    (there / "..data").mkdir()
    (there / "..data" / "a.json").write_text("{}")
    (there / "a.json").symlink_to(there / "..data" / "a.json")
    found = FileSets(root).of(FILES, Version.parse("3.2.0"))
    assert set(found.contents) == {"routes.json", "logo.png", "a.json"}


@pytest.mark.requirement("V3")
def test_what_cannot_be_used_is_refused_with_what_is_there(root: Path) -> None:
    """No set, no folder, a folder in it, a name that no ConfigMap takes, too much, nothing."""
    sets, there = FileSets(root), root / "config" / "3.2.0"
    with pytest.raises(FilesError, match=r"no files for 3\.3\.0 in config: it has those of 3\.2\.0"):
        sets.of(FILES, Version.parse("3.3.0"))
    with pytest.raises(FilesError, match=r"the folder nowhere beside buzzy\.yaml cannot be read"):
        sets.of(Files(folder="nowhere/{version}", at="/x"), Version.parse("3.2.0"))
    (there / "inner").mkdir()
    with pytest.raises(FilesError, match=r"config/3\.2\.0/inner is a folder"):
        sets.read("config/3.2.0")
    (there / "inner").rmdir()
    (there / "two words").write_text("")
    with pytest.raises(FilesError, match="no ConfigMap could hold"):
        sets.read("config/3.2.0")
    (there / "two words").unlink()
    (there / "large").write_bytes(b"x" * MOST_BYTES)
    with pytest.raises(FilesError, match="Kubernetes stores 1024 KiB at most"):
        sets.read("config/3.2.0")
    with pytest.raises(FilesError, match="is empty"):
        sets.read("config/drafts")


def test_buzzy_check_reads_every_set(root: Path) -> None:
    """Before somebody needs it: what is there, or what is wrong with one of them."""
    config = parse_config("""
    services: [{name: main, image: buzzybuzz/main}]
    environments:
      staging:
        namespace: a
        channel: C0A
        files: {folder: "config/{version}", at: /etc/buzzy/files}
      production: {namespace: b, channel: C0B}
    """)
    staging, production = config.environments.values()
    assert [str(each) for each in of_files(staging, FileSets(root))] == ["ok      staging: files of 3.2.0"]
    assert list(of_files(production, FileSets(root))) == []
    (root / "config" / "3.2.1").mkdir()
    (found,) = of_files(staging, FileSets(root))
    assert found.level is Level.PROBLEM
    assert found.what == "the folder config/3.2.1 is empty"
    (root / "elsewhere" / "config").mkdir(parents=True)
    (found,) = of_files(staging, FileSets(root / "elsewhere"))
    assert found.what == "there are files of no version"


@pytest.mark.requirement("V3")
def test_a_template_finds_the_files_and_is_switched_to_the_next() -> None:
    """In one container, in one folder; what else is mounted there stays."""
    before = pod_template("api", "3.2.0")
    before["spec"]["volumes"] = [{"name": "cache", "emptyDir": {}}]
    before["spec"]["containers"][0]["volumeMounts"] = [{"name": "cache", "mountPath": "/cache"}]
    assert files_of(before, PREFIX) is None
    first = with_files(before, "api", f"{PREFIX}3.2.0-1", PREFIX, "/etc/files")
    assert files_of(first, PREFIX) == f"{PREFIX}3.2.0-1"
    assert config_maps(first) == [f"{PREFIX}3.2.0-1"]
    assert first["spec"]["containers"][0]["volumeMounts"] == [
        {"name": "cache", "mountPath": "/cache"},
        {"name": VOLUME, "mountPath": "/etc/files", "readOnly": True},
    ]
    second = with_files(first, "api", f"{PREFIX}3.2.1-2", PREFIX, "/etc/other")
    assert config_maps(second) == [f"{PREFIX}3.2.1-2"]
    assert [each["name"] for each in second["spec"]["volumes"]] == ["cache", VOLUME]
    assert second["spec"]["containers"][0]["volumeMounts"][1]["mountPath"] == "/etc/other"
    assert files_of(before, PREFIX) is None
