"""What is told in a channel once and stays as it is: locks, freezes, turns, what is due, late alerts."""

from __future__ import annotations

import structlog
from pydantic import ValidationError

from bot.messages.notices import notice_message
from bot.relay.pencil import Pencil
from bot.relay.posting import PicturePost, Post, Poster
from bot.relay.story import EARLIER
from bot.slack import RefusedError
from releases.notices import Notice, Tripped
from releases.record.closures import Closures
from releases.record.told import Told

log = structlog.get_logger(__name__)


class Announcements:
    """Tells notices."""

    def __init__(self, closures: Closures, told: Told, poster: Poster, pencil: Pencil) -> None:
        """`closures` keeps them."""
        self._closures = closures
        self._told = told
        self._poster = poster
        self._pencil = pencil

    def tell(self, id_: str) -> bool:
        """Tell a notice, and show its chart below it; True. Raises `LaterError` and Slack's errors."""
        try:
            notice = self._closures.notice(id_)
        except ValidationError:
            log.exception("A notice cannot be read", notice=id_)
            notice = None
        if notice is not None:
            ts = self._post(id_, notice)
            if isinstance(notice, Tripped):
                self._show(id_, notice, ts)
        self._closures.told(id_)
        return True

    def _post(self, id_: str, notice: Notice) -> str:
        ts = self._told.of(id_).get("notice")
        if ts is None:
            post = Post(id_, notice.channel, notice_message(notice), notice.at.timestamp() - EARLIER)
            ts = self._poster.post_once(id_, "notice", post)
            self._told.note(id_, notice=ts)
        return ts

    def _show(self, id_: str, notice: Tripped, ts: str) -> None:
        """The chart of what tripped; what can be read without it is told all the same."""
        if notice.chart is None:
            return
        name = f"{notice.release}-{id_}.png"
        title = f"{notice.release} · {notice.trigger} · {notice.environment}"
        picture = self._pencil.picture(name, title, notice.chart, notice.stable, notice.version)
        if picture is not None:
            post = PicturePost(notice.channel, picture, notice.at.timestamp() - EARLIER, ts)
            try:
                self._poster.post_once(id_, "chart", post)
            except RefusedError as error:
                log.warning("Slack does not take a chart", notice=id_, slack=error.code)
        self._pencil.shown(name)
