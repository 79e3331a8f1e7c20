"""What version an environment's MongoDB is. Nothing outside this module speaks to a MongoDB."""

from __future__ import annotations

from pathlib import Path

import pymongo
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError

from releases.config import Database

SECONDS = 4.0

# What a server that is too old for the driver says of itself in its handshake: `maxWireVersion` → version
# (https://github.com/mongodb/specifications/blob/master/source/wireversion-featurelist).
_TOO_OLD = {0: "2.4", 2: "2.6", 3: "3.0", 4: "3.2", 5: "3.4", 6: "3.6", 7: "4.0", 8: "4.2"}


class MongoDbError(Exception):
    """The version could not be found out. Its text is a sentence without a full stop, and has no address."""


def server_version(database: Database) -> str:
    """The version of the server, as it says itself. Raises `MongoDbError`."""
    address = _address(database)
    try:
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
            address,
            appname="buzzy",
            serverSelectionTimeoutMS=int(SECONDS * 1000),
            connectTimeoutMS=int(SECONDS * 1000),
            socketTimeoutMS=int(SECONDS * 1000),
            retryReads=False,
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise MongoDbError("the address of MongoDB is none that could be used") from error
    with client:
        try:
            return str(client.server_info()["version"])
        except ConfigurationError as error:
            old = _handshake(client)
            if old is None:
                raise MongoDbError("MongoDB speaks a protocol that Buzzy does not know") from error
            return old
        except OperationFailure as error:
            raise MongoDbError(f"MongoDB does not say its version to Buzzy (code {error.code})") from error
        except (PyMongoError, KeyError) as error:
            raise MongoDbError("MongoDB does not answer") from error


def _address(database: Database) -> str:
    if database.file is None:
        return database.address or ""
    try:
        return Path(database.file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise MongoDbError(
            f"the file with the address of MongoDB cannot be read ({database.file})"
        ) from error


def _handshake(client: pymongo.MongoClient[dict[str, object]]) -> str | None:
    """The version by the handshake; None when it says none."""
    seen = client.topology_description.server_descriptions().values()
    return next((old for each in seen if (old := _TOO_OLD.get(each.max_wire_version)) is not None), None)
