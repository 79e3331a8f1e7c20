"""Slack from a terminal: asked as long as it answers, and not again after its first silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_sdk import WebClient

from bot.slack import RateLimitedError, Slack, UnclearError


class OneTry(Slack):
    """Nobody at a terminal waits for each call to time out in turn."""

    def __init__(self, client: WebClient | None) -> None:
        """`client` is made by `web_client`; None, as when there is no token, is the same as a dead Slack."""
        super().__init__(client if client is not None else WebClient())
        self._silent = client is None

    def _call(self, method: str, **given: Any) -> Mapping[str, Any]:  # noqa: ANN401 - Slack's arguments
        if self._silent:
            raise UnclearError(f"{method}: Slack did not answer before")
        try:
            return super()._call(method, **given)
        except (UnclearError, RateLimitedError) as error:
            self._silent = True
            raise UnclearError(str(error)) from error
