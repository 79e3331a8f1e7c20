"""Posting once, whatever happens in between, and editing at the pace that Slack takes."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace

import structlog

from bot.messages import Message
from bot.relay.pace import Pace
from bot.slack import NotSentError, Picture, RateLimitedError, RefusedError, Slack
from releases.plan import canonical_json
from releases.record.told import Place, Told

_NOT_TO_ITS_LIKING = {
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
}
"""Slack does not take the blocks. That is a mistake of ours, and the sentence is better than nothing."""

GONE = {"message_not_found", "thread_not_found"}
"""Somebody deleted the message that was to be edited or answered."""

LOOK_AGAIN_SECONDS = 1.5
"""How often a post whose outcome is not clear is looked for."""

log = structlog.get_logger(__name__)


class LaterError(Exception):
    """Not now: the pace or Slack itself asks to wait."""

    def __init__(self, seconds: float) -> None:
        """It is worth trying again after `seconds`."""
        super().__init__(f"in {seconds:.2f} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Post:
    """A message that is to be posted once.

    `id` goes along as metadata; `since`, in seconds since 1970, is before it can have been posted.
    """

    id: str
    channel: str
    message: Message
    since: float
    thread_ts: str | None = None


@dataclass(frozen=True)
class PicturePost:
    """A picture that is to be shown once, in a thread. Its name is its id."""

    channel: str
    picture: Picture
    since: float
    thread_ts: str

    @property
    def id(self) -> str:
        """What it is found by."""
        return self.picture.name


class Poster:
    """Posts and edits for the relay. Raises `LaterError`, and Slack's errors when the outcome is theirs."""

    def __init__(self, slack: Slack, told: Told, pace: Pace) -> None:
        """All that a relay posts goes through one of these, so that the pace is kept."""
        self._slack = slack
        self._told = told
        self._pace = pace

    def post_once(self, subject: str, slot: str, post: Post | PicturePost) -> str:
        """Post, and return the timestamp: of this post, or of an earlier one whose outcome was not clear.

        That it is going to be posted is remembered first. If nobody remembers that it was, because this
        process died or Slack's answer was lost, it is looked up before it is posted again: for a while,
        because it may become visible only seconds after it was sent.
        """
        trying, tried = f"trying_{slot}", f"tried_{slot}"
        memory = self._told.of(subject)
        if memory.get(trying) == post.id:
            found = self._find(post)
            if found is not None:
                return found
            unsettled = self._unsettled(float(memory.get(tried, "0")))
            if unsettled > 0:
                raise LaterError(min(unsettled, LOOK_AGAIN_SECONDS))
        wait = self._pace.before_post(post.channel, in_thread=post.thread_ts is not None)
        if wait > 0:
            raise LaterError(wait)
        self._told.note(subject, **{trying: post.id, tried: f"{time.time():.3f}"})
        self._pace.posted(post.channel)
        try:
            return self._post(post)
        except RateLimitedError as error:
            self._told.note(subject, **{trying: ""})
            self._pace.hold("chat.postMessage", post.channel, error.retry_after)
            raise LaterError(error.retry_after) from error
        except (RefusedError, NotSentError):
            self._told.note(subject, **{trying: ""})
            raise

    def edit(self, place: Place, message: Message) -> None:
        """Replace what a message says."""
        wait = self._pace.before_edit(place.channel, place.ts)
        if wait > 0:
            raise LaterError(wait)
        self._pace.edited(place.channel, place.ts)
        try:
            self._slack.update(place, message)
        except RateLimitedError as error:
            self._pace.hold("chat.update", place.channel, error.retry_after)
            raise LaterError(error.retry_after) from error
        except RefusedError as error:
            if error.code not in _NOT_TO_ITS_LIKING:
                raise
            log.exception("Slack does not take an edit; its sentence is shown instead", channel=place.channel)
            self._slack.update(place, replace(message, blocks=()))

    def _unsettled(self, tried: float) -> float:
        """Seconds until a post that was tried then cannot appear any more, by any machine's clock."""
        settle = self._pace.settle_seconds
        return min(settle, settle - (time.time() - tried))

    def _find(self, post: Post | PicturePost) -> str | None:
        if isinstance(post, PicturePost):
            return self._slack.find_picture(post.channel, post.id, post.thread_ts, oldest=post.since)
        return self._slack.find(post.channel, post.id, oldest=post.since, thread_ts=post.thread_ts)

    def _post(self, post: Post | PicturePost) -> str:
        if isinstance(post, PicturePost):
            return self._slack.upload(post.channel, post.picture, thread_ts=post.thread_ts)
        try:
            return self._slack.post(post.channel, post.message, id_=post.id, thread_ts=post.thread_ts)
        except RefusedError as error:
            if error.code not in _NOT_TO_ITS_LIKING:
                raise
            log.exception("Slack does not take a message; its sentence is posted instead", id=post.id)
            plain = replace(post.message, blocks=())
            return self._slack.post(post.channel, plain, id_=post.id, thread_ts=post.thread_ts)


def fingerprint(message: Message) -> str:
    """Names what a message says: two with the same need no edit between them."""
    return hashlib.sha256(canonical_json(message.payload()).encode()).hexdigest()[:16]
