"""What all parts of the file have: their base, and how names, ids and paths are written."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

DNS_LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
DNS_NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"
CHANNEL = r"^[CG][A-Z0-9]+$"
PERSON_OR_GROUP = r"^[UWS][A-Z0-9]+$"
PERSON = r"^[UW][A-Z0-9]+$"
OS_USER = r"^[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,255}$"
HTTP_PATH = r"^/[!-~]*$"
ABSOLUTE_PATH = r"^(/[A-Za-z0-9._-]+)+$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"

_REPOSITORY = re.compile(
    r"(?:[a-zA-Z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
)


def _repository(text: str) -> str:
    name = text.rsplit("/", 1)[-1]
    if ":" in name or "@" in name:
        raise ValueError("has a tag or digest: leave it out, the version that is released is the tag")
    if not _REPOSITORY.fullmatch(text):
        raise ValueError("is no image repository, such as buzzybuzz/buzzy-main")
    return text


def _any_image(text: str) -> str:
    return text if _REPOSITORY.fullmatch(text) else _image(text)


def _image(text: str) -> str:
    name, _, digest = text.partition("@")
    repository, colon, tag = name.rpartition(":") if ":" in name.rsplit("/", 1)[-1] else (name, "", "")
    if not (tag or digest):
        raise ValueError("has no tag: write which one, such as buzzybuzz/backup:1.4")
    bad_tag = bool(colon) and not re.fullmatch(r"\w[\w.-]{0,127}", tag)
    bad_digest = bool(digest) and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
    if bad_tag or bad_digest or not _REPOSITORY.fullmatch(repository):
        raise ValueError("is no image, such as buzzybuzz/backup:1.4")
    return text


DnsLabel = Annotated[str, Field(pattern=DNS_LABEL)]
DnsName = Annotated[str, Field(pattern=DNS_NAME, max_length=253)]
Channel = Annotated[str, Field(pattern=CHANNEL)]
PersonOrGroup = Annotated[str, Field(pattern=PERSON_OR_GROUP)]
Person = Annotated[str, Field(pattern=PERSON)]
OsUser = Annotated[str, Field(pattern=OS_USER)]
Variable = Annotated[str, Field(pattern=VARIABLE)]
Repository = Annotated[str, AfterValidator(_repository)]
ImageName = Annotated[str, AfterValidator(_image)]
AnyImage = Annotated[str, AfterValidator(_any_image)]
# In the file a number or true and false may stand without quotes; they are read as they are written.
VariableValue = Annotated[str, WithJsonSchema({"type": ["string", "number", "boolean"]})]


class Section(BaseModel):
    """A mapping of the file: never changed once read, and without keys that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _not_empty(cls, value: object, info: ValidationInfo) -> object:
        # `approval:` with nothing behind it would otherwise mean that no approval is needed.
        if value is None and info.field_name != "context":
            raise ValueError("is empty: write a value, or leave the line out")
        return value
