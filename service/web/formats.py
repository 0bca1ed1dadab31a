"""How numbers, times and records read on a page; plain functions, which templates use as filters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from search.objective import measure_name
from service.spread import Spread

METRIC_NOTES: Mapping[str, str] = {
    "bit_budget": "mean Bw × mean Bs × mean T",
    "s_ace": "bit operations per sample",
    "ns_ace": "bit operations per sample, only where a neuron spikes",
    "weight_kib": "KiB of weights, step sizes and biases",
    "spike_kib": "KiB, largest spike traffic of a layer per sample",
    "sops": "synaptic operations per sample",
    "cycles": "clock cycles per sample on the job’s bit-serial unit",
    "energy_uj": "µJ per sample on the job’s bit-serial unit",
    "table": "by the job’s own table",
}
SCOPE_WORDS: Mapping[str, str] = {"searched": "searched layers", "all": "all layers"}
NARROW = "\N{NARROW NO-BREAK SPACE}"
_PREFIXES = ((1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))  # from, unit, name


def percent(share: float | None, digits: int = 1) -> str:
    """A share (0 to 1) as a percentage; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f}{NARROW}%"


def loss(value: float | None) -> str:
    """A mean cross entropy; a dash where there is none."""
    return "–" if value is None else f"{value:.4f}"


def capfirst(text: str) -> str:
    """A sentence with a capital letter; the rest of it as it is."""
    return text[:1].upper() + text[1:]


def plain(value: float | str) -> str:
    """A number with four significant digits at most, or a name as it is."""
    return value if isinstance(value, str) else f"{value:.4g}"


def mean_share(spread: Spread) -> str:
    """The mean of some shares, and the standard deviation where there is one."""
    if spread.deviation is None:
        return percent(spread.mean)
    return f"{100 * spread.mean:.1f} ± {100 * spread.deviation:.1f}{NARROW}%"


def median_share(spread: Spread) -> str:
    """The median of some shares."""
    return percent(spread.median)


def range_share(spread: Spread) -> str:
    """The least and the greatest of some shares, in per cent."""
    return f"{100 * spread.least:.1f}–{100 * spread.greatest:.1f}"


def points(share: float) -> str:
    """The size of a difference of two shares, in percentage points."""
    return f"{abs(100 * share):.1f}{NARROW}points"


def cost(value: float | None) -> str:
    """A cost with three significant digits; great ones with an SI prefix."""
    if value is None or not math.isfinite(value):
        return "–"
    for least, unit, prefix in _PREFIXES:
        if abs(value) >= least:
            return f"{_digits(value / unit)}{NARROW}{prefix}"
    return _digits(value)


def count(value: int) -> str:
    """A whole number in groups of three digits."""
    return f"{value:,}".replace(",", NARROW)


def duration(seconds: float) -> str:
    """Seconds in words, rounded to what helps someone who waits."""
    if seconds < 90:
        return f"{max(round(seconds), 1)}{NARROW}s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)}{NARROW}min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours}{NARROW}h {minutes}{NARROW}min" if hours < 48 else f"{round(hours / 24)} days"


def moment(time: datetime) -> str:
    """A time in UTC, to the minute."""
    return f"{_utc(time):%Y-%m-%d %H:%M} UTC"


def clock(time: datetime) -> str:
    """A time in UTC, to the second."""
    return f"{_utc(time):%Y-%m-%d %H:%M:%S} UTC"


def iso(time: datetime) -> str:
    """A time as the `datetime` attribute of a `time` element has it."""
    return _utc(time).isoformat(timespec="seconds")


def metric_note(metric: str) -> str:
    """What a cost metric counts."""
    return METRIC_NOTES.get(metric, "")


def scope_words(scope: str) -> str:
    """The layers that a scope counts, in words."""
    return SCOPE_WORDS.get(scope, scope)


def flattened(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a nested record as (dotted name, text)."""
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", ", ".join(map(str, value)) if isinstance(value, list) else str(value)


FILTERS: Mapping[str, Any] = {
    "percent": percent,
    "loss": loss,
    "measure": measure_name,
    "plain": plain,
    "mean_share": mean_share,
    "median_share": median_share,
    "range_share": range_share,
    "points": points,
    "cost": cost,
    "capfirst": capfirst,
    "count": count,
    "duration": duration,
    "moment": moment,
    "clock": clock,
    "iso": iso,
    "metric_note": metric_note,
    "scope_words": scope_words,
    "flattened": flattened,
}


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
