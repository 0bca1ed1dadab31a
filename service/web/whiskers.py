"""The geometry of a dot-and-whisker picture: a row per method, its value, its interval, and what it says.

It is drawn on the server as SVG, so that it needs no script. Places along the axis are per cent of its width,
so that a picture fits any screen while its letters keep their size; heights are in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.comparison.views import IntervalView
from service.web.marks import Mark

ROW_HEIGHT = 44
AXIS_HEIGHT = 24
TEXT_AT, LINE_AT = 14, 30  # of a row
FIRST, LAST = 4.0, 96.0  # of the width: marks and labels at the ends stay inside
ROOM = 0.06  # of the range, on each side
MOST_TICKS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What a row shows: an interval (None where there is nothing), and the words beside its name.

    `detail` is said only where there is room for it.
    """

    name: str
    mark: Mark
    interval: IntervalView | None
    words: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Whisker:
    """A row: `at` is the place of its mark, `ends` those of its line; a cap is an end that is on the axis."""

    entry: Entry
    text_y: float
    line_y: float
    at: float | None
    ends: tuple[float, float] | None
    caps: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class WhiskerPlot:
    """The whole picture; `ticks` are (place, label), `zero` is the place of no difference."""

    height: float
    base: float
    rows: tuple[Whisker, ...]
    ticks: tuple[tuple[float, str], ...]
    zero: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """The values at both ends of the axis."""

    least: float
    greatest: float

    def place(self, value: float) -> float:
        """Where a value is; one beyond an end is at that end."""
        share = (value - self.least) / (self.greatest - self.least)
        return round(FIRST + (LAST - FIRST) * min(max(share, 0.0), 1.0), 2)

    def holds(self, value: float) -> bool:
        """Whether a value is between the ends."""
        return self.least <= value <= self.greatest


def share_plot(entries: Sequence[Entry]) -> WhiskerPlot:
    """Shares, in per cent, from 0 to 100 at most."""
    axis = _axis(entries, (), limits=(0.0, 1.0))
    return _plot(entries, axis, lambda value, digits: f"{100 * value:.{digits}f}", zero=None)


def difference_plot(entries: Sequence[Entry]) -> WhiskerPlot:
    """Differences of shares, in points, around zero."""
    axis = _axis(entries, (0.0,), limits=(-1.0, 1.0))
    return _plot(entries, axis, _signed, zero=axis.place(0.0))


def ticks_of(axis: Axis) -> tuple[float, list[float]]:
    """A round step and its multiples on the axis, few enough to be read on a phone."""
    raw = (axis.greatest - axis.least) / MOST_TICKS
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw)
    first, last = math.ceil(axis.least / step - 1e-9), math.floor(axis.greatest / step + 1e-9)
    return step, [number * step for number in range(first, last + 1)]


def _axis(entries: Sequence[Entry], more: Sequence[float], limits: tuple[float, float]) -> Axis:
    values = [*more, *(value for entry in entries for value in _values(entry.interval))]
    least, greatest = min(values, default=limits[0]), max(values, default=limits[1])
    room = max(ROOM * (greatest - least), 0.001)
    return Axis(least=max(least - room, limits[0]), greatest=min(greatest + room, limits[1]))


def _values(interval: IntervalView | None) -> list[float]:
    if interval is None:
        return []
    ends = (interval.low, interval.value, interval.high)
    return [value for value in ends if value is not None]


def _plot(
    entries: Sequence[Entry], axis: Axis, label: Callable[[float, int], str], *, zero: float | None
) -> WhiskerPlot:
    step, ticks = ticks_of(axis)
    digits = max(0, -math.floor(math.log10(100 * step) + 1e-9))
    base = ROW_HEIGHT * len(entries)
    return WhiskerPlot(
        height=base + AXIS_HEIGHT,
        base=base,
        rows=tuple(_whisker(entry, place, axis) for place, entry in enumerate(entries)),
        ticks=tuple((axis.place(tick), label(tick, digits)) for tick in ticks),
        zero=zero,
    )


def _whisker(entry: Entry, place: int, axis: Axis) -> Whisker:
    interval = entry.interval
    ends: tuple[float, ...] = ()
    if interval is not None and interval.low is not None and interval.high is not None:
        ends = (interval.low, interval.high)
    return Whisker(
        entry=entry,
        text_y=ROW_HEIGHT * place + TEXT_AT,
        line_y=ROW_HEIGHT * place + LINE_AT,
        at=None if interval is None else axis.place(interval.value),
        ends=(axis.place(ends[0]), axis.place(ends[1])) if ends else None,
        caps=tuple(axis.place(end) for end in ends if axis.holds(end)),
    )


def _signed(value: float, digits: int) -> str:
    return "0" if abs(value) < 1e-12 else f"{100 * value:+.{digits}f}"
