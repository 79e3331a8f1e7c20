"""A request that is made to see whether it is answered as it should be."""

from __future__ import annotations

import time

import httpx

MOST_BYTES = 1024 * 1024
"""More than this of an answer is not waited for: it has begun, and that is enough."""


def probe(url: str, *, status: int, within_seconds: float) -> str:
    """What is wrong with the answer, in a few words; empty when it is as it should be.

    Redirects are not followed: they are an answer. No answer is one that is wrong.
    """
    began = time.monotonic()
    try:
        with (
            httpx.Client(timeout=within_seconds, headers={"User-Agent": "buzzy"}) as client,
            client.stream("GET", url) as answer,
        ):
            count = 0
            for part in answer.iter_raw():
                count += len(part)
                if count > MOST_BYTES or time.monotonic() - began > within_seconds:
                    break
    except httpx.TimeoutException:
        return f"does not answer within {within_seconds:g} s"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"does not answer ({type(error).__name__})"
    if answer.status_code != status:
        return f"answers HTTP {answer.status_code}, not {status}"
    took = time.monotonic() - began
    return f"takes longer than {within_seconds:g} s" if took > within_seconds else ""
