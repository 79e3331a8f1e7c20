"""Charts of metrics that tripped, each shown once in its release's thread, below the line about it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from bot.relay.posting import LaterError, PicturePost, Poster
from bot.relay.story import Tale
from bot.slack import Picture, RefusedError
from releases import events as e
from releases.lifecycle import Release
from releases.monitoring import Chart
from releases.record.told import Told

DRAWING_SECONDS = 0.3
"""How often it is looked whether a chart is drawn; nobody else waits for that."""

NOTHING = "-"
"""Remembered where it cannot be drawn, or Slack does not take it."""

log = structlog.get_logger(__name__)


class Charts:
    """Draws and shows, one call to Slack at a time."""

    def __init__(self, told: Told, poster: Poster) -> None:
        """Nothing is drawn before there is something to draw."""
        self._told = told
        self._poster = poster
        self._pencil = ThreadPoolExecutor(1, thread_name_prefix="chart")
        self._drawn: dict[str, Future[Picture]] = {}

    def tell(self, tale: Tale) -> bool:
        """Take the next step; True when all are shown. Raises `LaterError` and Slack's errors."""
        release = tale.release
        charts = [
            (index, event.chart)
            for index, event in enumerate(tale.events)
            if isinstance(event, e.StepFailed | e.DecisionAsked) and event.chart is not None
        ]
        if not charts:
            return True
        memory, place = self._told.of(release.id), self._told.message_of(release.id)
        for index, chart in charts:
            slot = f"chart_{index}"
            if slot in memory:
                continue
            if place is None or int(memory.get("told", "0")) <= index:
                raise LaterError(DRAWING_SECONDS)  # its line comes first
            name = f"{release.id}-{index + 1}.png"
            picture, shown = self._picture(name, release, chart), NOTHING
            if picture is not None:
                post = PicturePost(place.channel, picture, tale.since, place.ts)
                try:
                    shown = self._poster.post_once(release.id, slot, post)
                except RefusedError as error:
                    log.warning("Slack does not take a chart", release=release.id, slack=error.code)
            self._told.note(release.id, **{slot: shown})
            self._drawn.pop(name, None)
            return False
        return True

    def _picture(self, name: str, release: Release, chart: Chart) -> Picture | None:
        """The drawing, once it is done; None when it cannot be done. Raises `LaterError` until then."""
        drawn = self._drawn.get(name)
        if drawn is None:
            drawn = self._drawn[name] = self._pencil.submit(_draw, name, release, chart)
        if not drawn.done():
            raise LaterError(DRAWING_SECONDS)
        if (error := drawn.exception()) is not None:  # what can be read without it is told all the same
            log.error("A chart cannot be drawn", release=release.id, exc_info=error)
            return None
        return drawn.result()


def _draw(name: str, release: Release, chart: Chart) -> Picture:
    # Here and not above: it takes seconds to load, and most processes never draw.
    from bot.chart import draw, in_words  # noqa: PLC0415

    stable, new = (release.plan.stable, release.plan.new) if release.plan else ("before", "new")
    title = f"{release.id} · {chart.trigger} · {release.environment}"
    return Picture(name, title, in_words(chart, stable, new), draw(chart, title, stable, new))
