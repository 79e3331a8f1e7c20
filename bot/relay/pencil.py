"""Draws charts beside everything else: it takes a moment, and nobody waits for that."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from bot.relay.posting import LaterError
from bot.slack import Picture
from releases.monitoring import Chart

DRAWING_SECONDS = 0.3
"""How often it is looked whether a chart is drawn."""

log = structlog.get_logger(__name__)


class Pencil:
    """Draws one chart at a time, and keeps each until it is shown."""

    def __init__(self) -> None:
        """Nothing is drawn before there is something to draw."""
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="chart")
        self._drawn: dict[str, Future[Picture]] = {}

    def picture(self, name: str, title: str, chart: Chart, stable: str, new: str) -> Picture | None:
        """The drawing, once it is done; None when it cannot be done. Raises `LaterError` until then."""
        drawn = self._drawn.get(name)
        if drawn is None:
            drawn = self._drawn[name] = self._hand.submit(_draw, name, title, chart, stable, new)
        if not drawn.done():
            raise LaterError(DRAWING_SECONDS)
        if (error := drawn.exception()) is not None:  # what can be read without it is told all the same
            log.error("A chart cannot be drawn", name=name, exc_info=error)
            return None
        return drawn.result()

    def shown(self, name: str) -> None:
        """It is needed no more."""
        self._drawn.pop(name, None)


def _draw(name: str, title: str, chart: Chart, stable: str, new: str) -> Picture:
    # Here and not above: it takes seconds to load, and most processes never draw.
    from bot.chart import draw, in_words  # noqa: PLC0415

    return Picture(name, title, in_words(chart, stable, new), draw(chart, title, stable, new))
