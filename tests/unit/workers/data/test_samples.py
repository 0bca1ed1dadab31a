"""Samples stay as stored, and a batch of them holds the numbers that scaling the whole set at once gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from workers.data import samples as samples_module
from workers.data.images import LabelledArrays, RawImages
from workers.data.samples import LEAST_DEVIATION, Samples, Scaling, scaling_of
from workers.data.splits import make_splits


def values(shape: tuple[int, ...], kind: str, seed: int = 0) -> NDArray[Any]:
    random = np.random.default_rng(seed)
    if kind == "bytes":
        return random.integers(0, 256, shape, dtype=np.uint8)
    return (random.standard_normal(shape) * 50 + 7).astype(np.float32)


def split(stored: NDArray[Any], places: NDArray[np.intp] | None = None) -> Samples:
    chosen = np.arange(len(stored)) if places is None else places
    return Samples(
        stored=stored,
        places_N=chosen,
        y_N=torch.zeros(len(chosen), dtype=torch.int64),
        scaling=scaling_of(stored, chosen),
    )


def scaled_at_once(x_NCHW: NDArray[Any]) -> NDArray[np.float32]:
    """The whole set as one array of floats: the plain way, which takes four bytes for every byte stored."""
    x = x_NCHW.astype(np.float32)
    x = x / np.float32(255) if x_NCHW.dtype == np.uint8 else x
    mean_C = x.mean(axis=(0, 2, 3), dtype=np.float64).astype(np.float32)
    deviation_C = x.std(axis=(0, 2, 3), dtype=np.float64).astype(np.float32)
    scale_C = np.maximum(deviation_C, np.float32(LEAST_DEVIATION))
    return (x - mean_C.reshape(1, -1, 1, 1)) / scale_C.reshape(1, -1, 1, 1)


@settings(max_examples=30)
@given(
    st.integers(1, 40),
    st.integers(1, 3),
    st.integers(1, 6),
    st.sampled_from(["bytes", "floats"]),
    st.integers(0, 99),
)
def test_a_batch_is_bit_for_bit_the_whole_set_scaled_at_once(
    count: int, channels: int, side: int, kind: str, seed: int
) -> None:
    x_NCHW = values((count, channels, side, side), kind, seed)
    chosen = torch.randperm(count, generator=torch.Generator().manual_seed(seed))[: count // 2 + 1]
    assert split(x_NCHW).take(chosen).numpy().tobytes() == scaled_at_once(x_NCHW)[chosen.numpy()].tobytes()


@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_statistics_do_not_depend_on_how_many_are_looked_at_together(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    x_NCHW = values((100, 2, 3, 3), kind)
    monkeypatch.setattr(samples_module, "CHUNK", 7)
    assert torch.equal(split(x_NCHW).take(torch.arange(100)), torch.from_numpy(scaled_at_once(x_NCHW)))


def test_taking_samples_leaves_what_is_stored_alone() -> None:
    x_NCHW = values((10, 1, 2, 2), "floats")
    before = x_NCHW.copy()
    split(x_NCHW).take(torch.arange(10))
    assert np.array_equal(x_NCHW, before)


def test_frames_come_first_and_share_the_statistics_of_their_channel() -> None:
    x_NFCHW = values((12, 5, 2, 3, 4), "bytes")
    taken = split(x_NFCHW).take(torch.tensor([7, 3]))
    assert taken.shape == (5, 2, 2, 3, 4)
    assert taken.is_contiguous()
    flat = scaled_at_once(x_NFCHW.reshape(60, 2, 3, 4)).reshape(12, 5, 2, 3, 4)
    assert torch.equal(taken, torch.from_numpy(flat[[7, 3]].swapaxes(0, 1)))


def test_splits_share_what_is_stored_in_memory_as_bytes() -> None:
    x_NCHW = values((100, 1, 4, 4), "bytes")
    labelled = LabelledArrays(x_NCHW=x_NCHW, y_N=np.arange(100, dtype=np.int64) % 4)
    splits = make_splits(RawImages(labelled=labelled, test=None, classes=4), train_samples=30, split_seed=0)
    for part in (splits.train, splits.validation, splits.test):
        assert part.stored is x_NCHW


def test_a_memory_mapped_set_is_hashed_and_scaled_like_one_in_memory(tmp_path: Path) -> None:
    x_NCHW = values((100, 3, 4, 4), "bytes")
    np.save(tmp_path / "x.npy", x_NCHW)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    first, second = (
        make_splits(
            RawImages(
                labelled=LabelledArrays(x_NCHW=stored, y_N=np.arange(100, dtype=np.int64) % 4),
                test=None,
                classes=4,
            ),
            train_samples=None,
            split_seed=1,
        )
        for stored in (x_NCHW, mapped)
    )
    assert isinstance(second.train.stored, np.memmap)
    assert first.sha256 == second.sha256
    assert torch.equal(first.test.take(torch.arange(9)), second.test.take(torch.arange(9)))


class Counted:
    """A streamed set: the sample at place n holds nothing but n."""

    shape = (5_000, 1, 2, 2)
    dtype = np.dtype(np.uint8)

    def __init__(self, stamp: bytes = b"") -> None:
        self.stamp = stamp
        self.asked = 0

    def __getitem__(self, places_B: NDArray[np.intp]) -> NDArray[Any]:
        self.asked += len(places_B)
        return (places_B % 256).astype(np.uint8).reshape(-1, 1, 1, 1).repeat(4, 1).reshape(-1, 1, 2, 2)

    def identity(self, places_B: NDArray[np.intp]) -> bytes:
        return self.stamp + places_B.tobytes()


def streamed(stamp: bytes = b"") -> RawImages:
    y_N = np.arange(5_000, dtype=np.int64) % 4
    return RawImages(labelled=LabelledArrays(x_NCHW=Counted(stamp), y_N=y_N), test=None, classes=4)


def test_a_streamed_set_is_read_only_where_it_must_be() -> None:
    raw = streamed()
    splits = make_splits(raw, train_samples=None, split_seed=0)
    assert isinstance(raw.labelled.x_NCHW, Counted)
    assert raw.labelled.x_NCHW.asked == samples_module.STREAMED_STATISTICS
    taken = splits.train.take(torch.tensor([0, 9]))
    assert raw.labelled.x_NCHW.asked == samples_module.STREAMED_STATISTICS + 2
    assert (taken[:, 0, 0, 0] != taken[0, 0, 0, 0]).tolist() == [False, True]


def test_a_streamed_set_is_known_by_its_identity() -> None:
    hashes = [make_splits(streamed(s), train_samples=None, split_seed=0).sha256 for s in (b"a", b"b", b"a")]
    assert hashes[0] == hashes[2] != hashes[1]


def test_scaling_divides_after_it_subtracts() -> None:
    scaling = Scaling(mean_C11=torch.tensor([[[3.0]]]), scale_C11=torch.tensor([[[2.0]]]))
    assert scaling.apply(torch.full((1, 1, 1, 1), 7.0)).item() == 2.0
