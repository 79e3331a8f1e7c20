"""Requests over HTTP that were signed once count once.

Slack's signature proves who wrote a request and when, and Bolt takes it for five minutes (read in slack_bolt
1.30: it compares the time and the signature, and remembers nothing). Whoever gets hold of such a request,
from a proxy's log, say, could send it again. So the signature of each request that is good is remembered
here, in front of Bolt: its middleware cannot see how a request ended, and one that ended without being acted
on may come again. Slack itself signs each attempt anew, so its own retries are other requests; that they are
about the same event is for the inbox to notice.

Remembered in Redis, for all bots, and in this process, for when Redis does not answer: then nothing can be
recorded either, so what another bot would let through has nothing to do until Redis is back.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError

import structlog
from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier

from releases.record import RecordUnavailableError, RequestsSeen

GOOD_SECONDS = 600
"""A signature is good for five minutes after its time, and its time may be five minutes ahead."""

WAIT_SECONDS = 0.4
"""How long Redis may take: the reception needs the rest of Slack's 3 s for what it does with the request."""

THREADS = 16

log = structlog.get_logger(__name__)


class Replays:
    """Which signatures were seen. Safe for threads."""

    def __init__(self, seen: RequestsSeen, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`seen` is shared with other bots; `clock` counts seconds."""
        self._seen = seen
        self._clock = clock
        self._here: dict[str, float] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="replays")

    def first(self, signature: str) -> bool:
        """Whether this good signature comes for the first time; it is remembered from now on."""
        name = _name(signature)
        with self._lock:
            self._clean()
            if name in self._here:
                return False
            self._here[name] = self._clock() + GOOD_SECONDS
        try:
            return self._threads.submit(self._seen.first, name, seconds=GOOD_SECONDS).result(WAIT_SECONDS)
        except (RecordUnavailableError, FutureTimeoutError):
            return True  # as far as this process knows

    def forget(self, signature: str) -> None:
        """A request was not acted on: if it comes again it is welcome."""
        name = _name(signature)
        with self._lock:
            self._here.pop(name, None)
        try:
            self._threads.submit(self._seen.forget, name).result(WAIT_SECONDS)
        except (RecordUnavailableError, FutureTimeoutError) as error:
            log.info("A request that failed is still remembered", why=type(error).__name__)

    def close(self) -> None:
        """Look nothing up any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _clean(self) -> None:
        """Forget what is not good any more: in the order in which it came."""
        now = self._clock()
        while self._here:
            oldest = next(iter(self._here))
            if self._here[oldest] > now:
                return
            del self._here[oldest]


class Guard:
    """Bolt's dispatch, behind a look at the signature."""

    def __init__(self, app: App, signing_secret: str, replays: Replays) -> None:
        """`app` verifies the signature as well: that costs nothing, and each is safe without the other."""
        self._app = app
        self._verifier = SignatureVerifier(signing_secret)
        self._replays = replays

    def dispatch(self, request: BoltRequest) -> BoltResponse:
        """Answer a request; 401 when Slack did not sign it, or when it was taken before."""
        stamp = request.headers.get("x-slack-request-timestamp", [""])[0]
        signature = request.headers.get("x-slack-signature", [""])[0]
        if not self._is_good(request.raw_body, stamp, signature):
            log.warning("A request that Slack did not sign was refused", security="unsigned_request")
            return _refused()
        if not self._replays.first(signature):
            # Of the request itself nothing: its signature is good for some minutes yet.
            age = round(time.time() - int(stamp))
            log.warning("A request came again and was refused", security="replayed_request", age_seconds=age)
            return _refused()
        response = self._app.dispatch(request)
        if response.status >= 500:
            self._replays.forget(signature)
        return response

    def _is_good(self, body: str, stamp: str, signature: str) -> bool:
        try:
            return self._verifier.is_valid(body, stamp, signature)
        except (ValueError, TypeError):  # no number, or no ASCII
            return False


def _name(signature: str) -> str:
    """What is kept of a signature: enough to know it again, and no use to anybody who reads it."""
    return hashlib.sha256(signature.encode()).hexdigest()


def _refused() -> BoltResponse:
    return BoltResponse(status=401, body="")
