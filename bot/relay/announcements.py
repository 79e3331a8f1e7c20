"""What is told in a channel once and stays as it is: locks, freezes, whose turn it is, what is due."""

from __future__ import annotations

import structlog
from pydantic import ValidationError

from bot.messages.notices import notice_message
from bot.relay.posting import Post, Poster
from bot.relay.story import EARLIER
from releases.record.closures import Closures

log = structlog.get_logger(__name__)


class Announcements:
    """Tells notices."""

    def __init__(self, closures: Closures, poster: Poster) -> None:
        """`closures` keeps them."""
        self._closures = closures
        self._poster = poster

    def tell(self, id_: str) -> bool:
        """Tell a notice; True, because there is one step only. Raises `LaterError` and Slack's errors."""
        try:
            notice = self._closures.notice(id_)
        except ValidationError:
            log.exception("A notice cannot be read", notice=id_)
            notice = None
        if notice is not None:
            since = notice.at.timestamp() - EARLIER
            self._poster.post_once(id_, "notice", Post(id_, notice.channel, notice_message(notice), since))
        self._closures.told(id_)
        return True
