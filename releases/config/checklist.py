"""The items of an environment's checklist: those that check themselves, and those that a person ticks."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from releases.config.section import PersonOrGroup, Section

Check = Literal[
    "proven",
    "image",
    "compatible",
    "configuration",
    "backup",
    "migrations",
    "rollback",
    "capacity",
    "alerts",
    "on-call",
]
CHECKS: tuple[Check, ...] = get_args(Check)
ALWAYS: tuple[Check, ...] = ("image", "compatible", "configuration", "rollback")
"""What is checked where an environment says nothing: what planning finds out in any case."""

TICK_LENGTH = 60


class ChecklistItem(Section):
    """An item: the name of one that checks itself, or what a person confirms and who may."""

    check: Check | None = Field(default=None, description="an item that checks itself", examples=["image"])
    tick: str | None = Field(
        default=None,
        min_length=1,
        max_length=TICK_LENGTH,
        description="what a person confirms by pressing a button",
        examples=["release notes read"],
    )
    by: tuple[PersonOrGroup, ...] = Field(
        default=(),
        description="who may: ids of people (U…) and user groups (S…)",
        examples=[["S0APPROVERS"]],
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return {"check": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> ChecklistItem:
        if (self.check is None) == (self.tick is None):
            raise ValueError(
                f"must be one of {', '.join(CHECKS)}, or {{tick: release notes read, by: [S0APPROVERS]}}"
            )
        if self.tick is not None and not self.by:
            raise ValueError("says nobody who may tick it: write by: [S0APPROVERS]")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """What is written as a mapping: items that check themselves are written by their names."""
        item = handler(schema)
        inner = handler.resolve_ref_schema(item)
        del inner["properties"]["check"]
        inner["required"] = ["tick", "by"]
        return item


class _OrName:
    """In the schema for editors: an item, or the name of one that checks itself."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "enum": list(CHECKS)}, handler(schema)]}


NamedOrTicked = Annotated[ChecklistItem, _OrName()]
