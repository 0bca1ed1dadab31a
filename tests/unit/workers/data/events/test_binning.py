"""Frames hold every event once, in equal shares of events or of time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.data.events.binning import By, bin_events, frame_of
from workers.data.events.recording import Events, Sensor

SENSOR = Sensor(channels=2, height=12, width=9)
times = st.lists(st.integers(0, 10_000_000), max_size=200).map(lambda t: np.array(sorted(t), dtype=np.int64))
either = pytest.mark.parametrize("by", ["count", "time"])


def at_random(t_N: np.ndarray) -> Events:
    random = np.random.default_rng(0)
    channel, y, x = (random.integers(0, bound, len(t_N)) for bound in (2, 12, 9))
    return Events(t_N=t_N, channel_N=channel, y_N=y, x_N=x)


@either
@given(t_N=times, frames=st.integers(1, 20), size=st.sampled_from([0, 4, 7]))
def test_no_event_is_lost(by: By, t_N: np.ndarray, frames: int, size: int) -> None:
    binned = bin_events(at_random(t_N), SENSOR, frames=frames, size=size, by=by)
    assert binned.shape == (frames, 2, *((size, size) if size else (12, 9)))
    assert binned.sum() == len(t_N)


@given(t_N=times.filter(len), frames=st.integers(1, 20))
def test_frames_by_count_hold_as_many_events(t_N: np.ndarray, frames: int) -> None:
    counts = np.bincount(frame_of(t_N, frames, "count"), minlength=frames)
    assert counts.max() - counts.min() <= 1


@given(t_N=times.filter(len), frames=st.integers(1, 20))
def test_frames_by_time_cover_the_span_in_equal_parts(t_N: np.ndarray, frames: int) -> None:
    frame_N = frame_of(t_N, frames, "time")
    length = (t_N[-1] - t_N[0] + 1) / frames
    since_N = t_N - t_N[0]
    assert (frame_N * length <= since_N + 1e-6).all()
    assert (since_N < (frame_N + 1) * length + 1e-6).all()
    assert frame_N[-1] == frames - 1 or since_N[-1] < frames - 1


def test_an_event_lands_in_its_own_pixel_and_frame() -> None:
    t, channel, y, x = (np.array(values) for values in ([0, 99], [0, 1], [3, 11], [8, 0]))
    one = Events(t_N=t, channel_N=channel, y_N=y, x_N=x)
    binned = bin_events(one, SENSOR, frames=2, size=0, by="time")
    assert np.argwhere(binned).tolist() == [[0, 0, 3, 8], [1, 1, 11, 0]]
    reduced = bin_events(one, SENSOR, frames=2, size=3, by="time")
    assert np.argwhere(reduced).tolist() == [[0, 0, 0, 2], [1, 1, 2, 0]]


def test_counts_above_a_byte_are_kept_at_its_greatest() -> None:
    same = np.zeros(300, dtype=np.int64)
    binned = bin_events(
        Events(t_N=same, channel_N=same, y_N=same, x_N=same), SENSOR, frames=1, size=0, by="time"
    )
    assert (binned.max(), binned.sum()) == (255, 255)


@either
def test_an_empty_recording_is_empty_frames(by: By) -> None:
    binned = bin_events(at_random(np.zeros(0, dtype=np.int64)), SENSOR, frames=3, size=0, by=by)
    assert (binned.shape, binned.sum()) == ((3, 2, 12, 9), 0)
