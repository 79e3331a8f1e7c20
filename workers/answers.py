"""One question over HTTP, such as for the results of tests: its status, and its JSON."""

from __future__ import annotations

import json
import time

import httpx

from releases.frozen import Json

SECONDS = 5.0
BYTES = 1024 * 1024
MOST_REDIRECTS = 3


class AnswerError(Exception):
    """There is no answer that could be judged. Its text goes on after `it`."""


def ask(url: str) -> tuple[int, Json | None]:
    """The status of the answer and its JSON object, if it is one. Raises `AnswerError`."""
    until = time.monotonic() + SECONDS
    content = b""
    try:
        with (
            httpx.Client(timeout=SECONDS, follow_redirects=True, max_redirects=MOST_REDIRECTS) as client,
            client.stream("GET", url, headers={"Accept": "application/json"}) as response,
        ):
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > BYTES:
                    raise AnswerError("answers more than can be read")
                if time.monotonic() >= until:
                    raise AnswerError("does not answer in time")
    except httpx.TimeoutException as error:
        raise AnswerError("does not answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise AnswerError("cannot be reached") from error
    try:
        found = json.loads(content)
    except ValueError:
        return response.status_code, None
    return response.status_code, found if isinstance(found, dict) else None
