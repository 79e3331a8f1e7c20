"""A method's arguments, which arrive as a form, as JSON, or as JSON inside a form."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from sandbox.workspace.errors import SlackError

Json = dict[str, Any]


class Args:
    """Reads arguments the way Slack does: numbers and flags may be strings, structures may be JSON text."""

    def __init__(self, values: Json) -> None:
        self.values = values

    @classmethod
    def parse(cls, content_type: str, body: bytes, query: str) -> Args:
        """The arguments of a request; `SlackError` when its body is not what its content type says."""
        values: Json = dict(parse_qsl(query, keep_blank_values=True))
        if content_type.startswith("application/json"):
            try:
                sent = json.loads(body or b"{}")
            except ValueError as error:
                raise SlackError("invalid_json") from error
            if not isinstance(sent, dict):
                raise SlackError("json_not_object")
            values |= sent
        elif body:
            values |= dict(parse_qsl(body.decode(), keep_blank_values=True))
        return cls({key: value for key, value in values.items() if value is not None})

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        """A string, `default` when it is not given."""
        return str(self.values.get(name, default))

    def required(self, name: str, error: str = "invalid_arguments") -> str:
        """A string that must be given; `error` is what this method answers without."""
        value = self.text(name)
        if not value:
            raise SlackError(
                error, response_metadata={"messages": [f"[ERROR] missing required field: {name}"]}
            )
        return value

    def flag(self, name: str) -> bool:
        """True for `true` and `1` in any dress."""
        return self.text(name).lower() in {"true", "1"}

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 1 to `most`."""
        try:
            return max(1, min(most, int(self.values.get(name, default))))
        except (TypeError, ValueError):
            raise SlackError("invalid_limit") from None

    def structure(self, name: str, error: str = "invalid_arguments") -> Any:  # noqa: ANN401  any JSON
        """A list or object, given as such or as JSON text; None when it is not given."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackError(error) from None
