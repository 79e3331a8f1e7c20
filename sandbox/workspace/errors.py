"""Refusals, in Slack's words."""

from __future__ import annotations

from typing import Any


class SlackError(Exception):
    """A method refuses: `code` is Slack's, `details` is what Slack adds to the answer beside it."""

    def __init__(self, code: str, **details: Any) -> None:  # noqa: ANN401  answers are JSON of any shape
        super().__init__(code)
        self.code = code
        self.details = details

    def as_json(self) -> dict[str, Any]:
        """The answer of the method that refuses."""
        return {"ok": False, "error": self.code, **self.details}


class PersonError(Exception):
    """Slack's client would not let a person do this; the message says what they would read."""
