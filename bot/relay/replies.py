"""What a worker found for a question is told to the person who asked, if it adds anything."""

from __future__ import annotations

import structlog

from bot.questions import Desk
from bot.relay.posting import LaterError, Poster
from bot.slack import RateLimitedError, RefusedError, Slack
from releases.record import Questions
from releases.record.told import Told

log = structlog.get_logger(__name__)


class Replies:
    """Tells answers."""

    def __init__(self, questions: Questions, desk: Desk, told: Told, poster: Poster, slack: Slack) -> None:
        """`desk` knows what the person was shown at once."""
        self._questions = questions
        self._desk = desk
        self._told = told
        self._poster = poster
        self._slack = slack

    def tell(self, id_: str) -> bool:
        """Tell an answer; True, because there is one step only. Raises `LaterError` and Slack's errors."""
        question, answer = self._questions.question(id_), self._questions.answered(id_)
        if question is not None and answer is not None:
            shown, place = self._told.answer_to(id_)
            message = self._desk.updated(question, answer, shown, edits=place is not None)
            try:
                if message is not None and place is not None:
                    self._poster.edit(place, message)
                elif message is not None and question.response_url:
                    self._slack.respond(question.response_url, message)
            except RateLimitedError as error:
                raise LaterError(error.retry_after) from error
            except RefusedError as error:  # half an hour has passed, or the message was deleted
                log.info("An answer cannot be shown any more", question=id_, slack=error.code)
        self._questions.told(id_)
        return True
