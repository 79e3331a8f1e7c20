"""The chart of a metric that tripped, as a PNG: the version before, the new one, and the limit."""

from __future__ import annotations

import math
from datetime import timedelta
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from releases.monitoring import Chart, Line, amount

SIZE, DPI = (8.0, 3.6), 110
"""Inches and dots an inch: readable on a phone, some 40 kB."""

BEFORE, NEW, LIMIT = "#8a8f98", "#1264a3", "#c9302c"


def draw(chart: Chart, title: str, stable: str, new: str) -> bytes:
    """A PNG. `stable` and `new` are what the two lines are of."""
    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    if chart.before is not None:
        _plot(axes, chart.before, BEFORE, stable)
    _plot(axes, chart.new, NEW, new)
    axes.axhline(chart.limit, color=LIMIT, linestyle="--", linewidth=1.2)
    text = f"limit {amount(chart.limit, chart.unit)}"
    axes.annotate(text, (0.005, chart.limit), xycoords=("axes fraction", "data"), color=LIMIT, va="bottom")
    axes.axvline(date2num(chart.new.start), color=BEFORE, linestyle=":", linewidth=1)  # type: ignore[no-untyped-call] # so shipped
    axes.set_title(f"{title} (UTC)", loc="left", fontsize=11)
    axes.set_ylim(bottom=min(0.0, *_values(chart)), top=1.15 * max(chart.limit, *_values(chart)) or 1.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(value, chart.unit)))
    axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))  # type: ignore[no-untyped-call] # so shipped
    axes.grid(visible=True, axis="y", alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(loc="upper left", frameon=False, ncols=2, fontsize=9)
    image = BytesIO()
    figure.savefig(image, format="png")
    return image.getvalue()


def in_words(chart: Chart, stable: str, new: str) -> str:
    """What the chart shows, for those who cannot see it."""
    values = [value for value in chart.new.values if value is not None]
    before = [value for value in (chart.before.values if chart.before else ()) if value is not None]
    rises = (
        f"from {amount(values[0], chart.unit)} to {amount(values[-1], chart.unit)}" if values else "not known"
    )
    was = f"; {stable} had {amount(sum(before) / len(before), chart.unit)} on average" if before else ""
    return f"{chart.trigger} of {new}: {rises}{was}; limit {amount(chart.limit, chart.unit)}"


def _plot(axes: Axes, line: Line, color: str, label: str) -> None:
    step = timedelta(seconds=line.step_seconds)
    times = [date2num(line.start + index * step) for index in range(len(line.values))]  # type: ignore[no-untyped-call] # so shipped
    values = [math.nan if value is None else value for value in line.values]  # a gap stays a gap
    axes.plot(times, values, color=color, linewidth=2, marker=".", markersize=3, label=label)
    axes.xaxis_date("UTC")


def _values(chart: Chart) -> list[float]:
    lines = [chart.new, *([chart.before] if chart.before is not None else [])]
    return [0.0, *(value for line in lines for value in line.values if value is not None)]
