"""What every mapping of `buzzy.yaml` has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

DNS_LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
DNS_NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"
CHANNEL = r"^[CG][A-Z0-9]+$"
PERSON_OR_GROUP = r"^[UWS][A-Z0-9]+$"
PERSON = r"^[UW][A-Z0-9]+$"
OS_USER = r"^[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,255}$"
HTTP_PATH = r"^/[!-~]*$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"

PersonOrGroup = Annotated[str, Field(pattern=PERSON_OR_GROUP)]
Person = Annotated[str, Field(pattern=PERSON)]
OsUser = Annotated[str, Field(pattern=OS_USER)]


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
