"""MongoDB's version, through the official driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from releases.config import Database
from sandbox.mongodb import mongo_server
from workers.mongodb import MongoDbError, server_version


@pytest.mark.requirement("V6")
@pytest.mark.parametrize("version", ["4.3.9", "4.4.0", "4.4.0-rc1", "7.0.14"])
def test_the_server_says_its_version_itself(version: str) -> None:
    """All of it, also what is before a boundary."""
    with mongo_server(version) as address:
        assert server_version(Database(address=address)) == version


@pytest.mark.requirement("V6")
@pytest.mark.parametrize(("version", "known"), [("3.6.23", "3.6"), ("4.0.28", "4.0"), ("4.2.24", "4.2")])
def test_a_server_that_is_too_old_for_the_driver_is_known_by_its_handshake(version: str, known: str) -> None:
    """So that it is a mismatch, and not unknown."""
    with mongo_server(version) as address:
        assert server_version(Database(address=address)) == known


@pytest.mark.requirement("V6")
def test_the_address_may_stand_in_a_file(tmp_path: Path) -> None:
    """A mounted secret, with a line's end at its end."""
    with mongo_server("4.4.1") as address:
        file = tmp_path / "mongodb"
        file.write_text(f"{address}/?appName=x\n")
        assert server_version(Database(file=str(file))) == "4.4.1"


@pytest.mark.requirement("V6")
def test_what_cannot_be_found_out_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody there, no right, no file, no address; never the address itself, which may hold a password."""
    monkeypatch.setattr("workers.mongodb.SECONDS", 0.3)
    with mongo_server("4.4.1") as address:
        pass
    with pytest.raises(MongoDbError, match="does not answer"):
        server_version(Database(address=address))
    with mongo_server("4.4.1", refuses=True) as address, pytest.raises(MongoDbError, match="code 13"):
        server_version(Database(address=address))
    with pytest.raises(MongoDbError, match="cannot be read"):
        server_version(Database(file=str(tmp_path / "nothing")))
    odd = tmp_path / "odd"
    odd.write_text("mongodb://alice:s3cret@@host")
    with pytest.raises(MongoDbError, match="none that could be used") as raised:
        server_version(Database(file=str(odd)))
    assert "s3cret" not in str(raised.value)
