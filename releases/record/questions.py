"""Questions that wait for a look at the cluster, and their answers.

Kept for as long as Slack lets a question's answer be replaced.
"""

from __future__ import annotations

from releases.record import scripts
from releases.record.store import Store
from releases.snapshot import Answer, Question

KEEP_SECONDS = 1800  # a response_url lives for 30 minutes


class Questions:
    """Questions in Redis, named `Q1`, `Q2` and so on."""

    def __init__(self, store: Store) -> None:
        """The questions that live in this store."""
        self._store = store

    def ask(self, question: Question) -> str:
        """Keep a question and give it an id."""
        id_ = f"Q{self._store.call('INCR', self._store.key('questions'))}"
        self._store.call(
            "SET", self._store.key("question", id_), question.model_dump_json(), "EX", KEEP_SECONDS
        )
        return id_

    def question(self, id_: str) -> Question | None:
        """A question; None when it is too old to be answered."""
        text = self._store.call("GET", self._store.key("question", id_))
        return Question.model_validate_json(text) if text else None

    def answer(self, id_: str, answer: Answer) -> None:
        """Give the answer, and let the relay know."""
        key = self._store.key
        self._store.run(
            scripts.ANSWER,
            [key("answer", id_), key("behind"), key("wake")],
            [id_, answer.model_dump_json(), KEEP_SECONDS],
        )

    def answered(self, id_: str) -> Answer | None:
        """The answer; None when there is none yet."""
        text = self._store.call("GET", self._store.key("answer", id_))
        return Answer.model_validate_json(text) if text else None

    def told(self, id_: str) -> None:
        """Say that the answer has reached the person who asked, or never can."""
        self._store.call("SREM", self._store.key("behind"), id_)
