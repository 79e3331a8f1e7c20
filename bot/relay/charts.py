"""Charts of metrics that tripped, each shown once in its release's thread, below the line about it."""

from __future__ import annotations

import structlog

from bot.relay.pencil import DRAWING_SECONDS, Pencil
from bot.relay.posting import LaterError, PicturePost, Poster
from bot.relay.story import Tale
from bot.slack import Picture, RefusedError
from releases import events as e
from releases.lifecycle import Release
from releases.monitoring import Chart
from releases.record.told import Told

NOTHING = "-"
"""Remembered where it cannot be drawn, or Slack does not take it."""

log = structlog.get_logger(__name__)


class Charts:
    """Draws and shows, one call to Slack at a time."""

    def __init__(self, told: Told, poster: Poster, pencil: Pencil) -> None:
        """Shows what the pencil draws."""
        self._told = told
        self._poster = poster
        self._pencil = pencil

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
            self._pencil.shown(name)
            return False
        return True

    def _picture(self, name: str, release: Release, chart: Chart) -> Picture | None:
        stable, new = (release.plan.stable, release.plan.new) if release.plan else ("before", "new")
        title = f"{release.id} · {chart.trigger} · {release.environment}"
        return self._pencil.picture(name, title, chart, stable, new)
