"""The geometry of a trial's timeline: a row per attempt, a bar from its begin to its end.

It is drawn on the server as SVG, so that it needs no script. Places along the time axis are per cent of its
width, so that it fits any screen while its letters keep their size; heights are in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.views import AttemptView
from service.web.formats import duration

ROW_HEIGHT = 44
AXIS_HEIGHT = 24
TEXT_AT, BAR_AT = 14, 21  # of a row
FIRST, LAST = 1.0, 99.0  # of the width
LEAST_WIDTH = 0.6  # of a bar: an attempt that died at once is seen too
TICKS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptBar:
    """One attempt; `x` and `width` are per cent, `text_y` and `y` pixels."""

    attempt: AttemptView
    words: str
    x: float
    width: float
    text_y: float
    y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """The whole drawing; `ticks` are (place in per cent, time since the first attempt began)."""

    height: float
    base: float
    bars: tuple[AttemptBar, ...]
    ticks: tuple[tuple[float, str], ...]


def timeline(attempts: Sequence[AttemptView], now: datetime) -> Timeline | None:
    """The drawing of attempts in their order; one that runs reaches to `now`. None without any."""
    if not attempts:
        return None
    begin = min(one.started_at for one in attempts)
    end = max(one.ended_at or now for one in attempts)
    whole = max((end - begin).total_seconds(), 1e-3)

    def place(moment: datetime) -> float:
        share = (moment - begin).total_seconds() / whole
        return round(FIRST + (LAST - FIRST) * min(max(share, 0.0), 1.0), 3)

    bars = tuple(
        AttemptBar(
            attempt=one,
            words=words_of(one, now),
            x=place(one.started_at),
            width=max(place(one.ended_at or now) - place(one.started_at), LEAST_WIDTH),
            text_y=ROW_HEIGHT * row + TEXT_AT,
            y=ROW_HEIGHT * row + BAR_AT,
        )
        for row, one in enumerate(attempts)
    )
    base = ROW_HEIGHT * len(attempts)
    return Timeline(height=base + AXIS_HEIGHT, base=base, bars=bars, ticks=ticks_of(whole))


def ticks_of(whole: float) -> tuple[tuple[float, str], ...]:
    """Places and words along the axis of so many seconds; of places with the same words the last."""
    words = {"0": FIRST}
    for number in range(1, TICKS + 1):
        words[duration(whole * number / TICKS)] = round(FIRST + (LAST - FIRST) * number / TICKS, 2)
    return tuple((place, text) for text, place in words.items())


def words_of(attempt: AttemptView, now: datetime) -> str:
    """How long it ran, and where it went on from."""
    took = duration(((attempt.ended_at or now) - attempt.started_at).total_seconds())
    resumed = (attempt.first_epoch or 1) > 1
    return f"{took}, resumed at epoch {attempt.first_epoch}" if resumed else took
