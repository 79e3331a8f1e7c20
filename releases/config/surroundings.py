"""What a release needs around it: a registry, a database, the versions of the compatibility matrix."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, model_validator

from releases.compatibility import InvalidRange, Requirements, check_pattern, check_range
from releases.config.section import ABSOLUTE_PATH, Section


def _registry(text: str) -> str:
    parts = _split(text)
    if parts is None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("is no address of a registry, such as https://registry.example.com")
    if "@" in parts.netloc:
        raise ValueError("has a login in it: that belongs into REGISTRY_USERNAME and REGISTRY_PASSWORD")
    return text.rstrip("/")


def _documentation(text: str) -> str:
    if _split(text) is None:
        raise ValueError("is no address, such as https://docs.example.com/{version}/release-notes")
    if "{version}" not in text:
        raise ValueError("is the same for every version: write {version} where the version belongs")
    try:
        text.format(version="1.0.0")
    except (KeyError, IndexError, ValueError):
        raise ValueError("has other braces than {version}: write them as {{ and }}") from None
    return text


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and parts.hostname else None


PLACE = "{version}"


def _folder(text: str) -> str:
    parts = text.strip("/").split("/")
    if text.startswith("/") or ".." in parts or "\\" in text:
        raise ValueError("must be a folder beside buzzy.yaml, such as config/{version}")
    if parts.count(PLACE) != 1 or sum("{" in part or "}" in part for part in parts) != 1:
        raise ValueError("needs one folder of its path to be {version}, such as config/{version}")
    return text


def _mongodb(text: str) -> str:
    if not text.startswith(("mongodb://", "mongodb+srv://")):
        raise ValueError("is no address of a MongoDB, such as mongodb://mongodb.buzzy-staging:27017")
    if "@" in text:
        raise ValueError(
            "has a login in it: put the whole address into a file (a mounted Secret) and name it (file: …)"
        )
    return text


def _range(text: str) -> str:
    try:
        return check_range(text)
    except InvalidRange:
        raise ValueError("is no range of versions, such as >=4.4 or 14.x") from None


def _pattern(text: str) -> str:
    try:
        return check_pattern(text)
    except InvalidRange:
        raise ValueError("is no range of versions, such as 3.2.x") from None


RegistryAddress = Annotated[str, AfterValidator(_registry)]
Documentation = Annotated[str, AfterValidator(_documentation)]
Range = Annotated[str, AfterValidator(_range)]
Versions = Annotated[str, AfterValidator(_pattern)]


class Needs(Section):
    """A row of the matrix: what versions of Buzzy need. What is left out is not asked for."""

    mongodb: Range | None = Field(default=None, description="versions of MongoDB", examples=[">=4.4"])
    kubernetes: Range | None = Field(default=None, description="versions of Kubernetes", examples=[">=1.18"])
    node: Range | None = Field(
        default=None, description="versions of Node.js in the images", examples=["14.x"]
    )

    def requirements(self) -> Requirements:
        """What is needed, by what it is needed of, in the order of people's interest."""
        needs = {"mongodb": self.mongodb, "kubernetes": self.kubernetes, "node": self.node}
        return {what: wanted for what, wanted in needs.items() if wanted is not None}


class Files(Section):
    """Files that a version brings along: where they lie, and where the containers find them."""

    folder: Annotated[str, AfterValidator(_folder)] = Field(
        description="a folder beside buzzy.yaml that has one for each version; {version} stands for its name",
        examples=["config/{version}"],
    )
    at: str = Field(
        pattern=ABSOLUTE_PATH,
        description="the folder in which the containers of the services find them",
        examples=["/etc/buzzy/files"],
    )

    @property
    def parts(self) -> tuple[str, str]:
        """The folder in which there is one for each version, and what follows behind that, if anything."""
        before, _, behind = self.folder.strip("/").partition(PLACE)
        return before.strip("/") or ".", behind.strip("/")


class Database(Section):
    """Where an environment's MongoDB is: it is asked for its version, and nothing else."""

    address: Annotated[str, AfterValidator(_mongodb)] | None = Field(
        default=None,
        description="its address, without a login",
        examples=["mongodb://mongodb.buzzy-staging:27017"],
    )
    file: str | None = Field(
        default=None,
        min_length=1,
        description="a file that holds the address, login included, such as a mounted Secret",
        examples=["/etc/buzzy/secrets/mongodb-staging"],
    )

    @model_validator(mode="after")
    def _one(self) -> Database:
        if (self.address is None) == (self.file is None):
            raise ValueError("needs one of address and file")
        return self
