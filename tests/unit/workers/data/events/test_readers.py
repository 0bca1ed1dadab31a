"""Every reader gives the events that were written in its published layout, and one clear error for others."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import numpy as np
import pytest

from models.errors import DataDamagedError, DataMissingError
from workers.data.events import aedat, cifar10_dvs, dvs_gesture, nmnist, shd
from workers.data.events.recording import Events, Recording, Sensor, checked_events

Arrays = Mapping[str, np.ndarray]
MakeEvents = Callable[..., dict[str, np.ndarray]]
READERS = {
    "n-mnist": ("nmnist", nmnist.read, 34, ".bin"),
    "dvs-gesture": ("gesture", dvs_gesture.read, 128, ".npy"),
    "aedat 2": ("aedat2", aedat.read, 128, ".aedat"),
    "aedat 4": ("aedat4", aedat.read, 128, ".aedat4"),
}
each_reader = pytest.mark.parametrize("name", list(READERS))


@pytest.fixture
def written(tmp_path: Path, writers: object) -> Callable[[str, Arrays], Path]:
    def write(name: str, events: Arrays) -> Path:
        writer, _, _, suffix = READERS[name]
        path = tmp_path / f"5{suffix}"
        getattr(writers, writer)(path, events)
        return path

    return write


def assert_same(found: Events, events: Arrays) -> None:
    for letter, array in zip("txyp", (found.t_N, found.x_N, found.y_N, found.channel_N), strict=True):
        assert array.dtype == np.int64
        np.testing.assert_array_equal(array, events[letter])


@each_reader
def test_what_was_written_is_read(name: str, written: Callable[..., Path], make_events: MakeEvents) -> None:
    _, read, side, _ = READERS[name]
    events = make_events(side, count=500)
    assert_same(read(written(name, events)), events)


@each_reader
def test_a_recording_without_events_is_read(
    name: str, written: Callable[..., Path], make_events: MakeEvents
) -> None:
    _, read, side, _ = READERS[name]
    assert len(read(written(name, make_events(side, count=0))).t_N) == 0


@each_reader
def test_times_that_go_backwards_are_put_in_order(
    name: str, written: Callable[..., Path], make_events: MakeEvents
) -> None:
    _, read, side, _ = READERS[name]
    events = make_events(side)
    events["t"] = np.arange(len(events["t"])) * 1_000
    shuffled = np.random.default_rng(1).permutation(len(events["t"]))
    assert_same(read(written(name, {letter: array[shuffled] for letter, array in events.items()})), events)


@each_reader
@pytest.mark.parametrize("cut", [1, 7])
def test_a_truncated_file_is_named(
    name: str, cut: int, written: Callable[..., Path], make_events: MakeEvents
) -> None:
    _, read, side, _ = READERS[name]
    path = written(name, make_events(side))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DataDamagedError, match="is damaged") as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert (caught.value.pointer, caught.value.fix) == ("/dataset/name", "Fetch the file again.")


@pytest.mark.parametrize("name", ["n-mnist", "dvs-gesture", "aedat 4"])
def test_a_place_outside_the_sensor_is_told(
    name: str, written: Callable[..., Path], make_events: MakeEvents
) -> None:
    _, read, side, _ = READERS[name]
    events = make_events(side)
    events["x"][3] = side
    with pytest.raises(DataDamagedError, match=f"column of an event is .* to {side}; use 0 to {side - 1}"):
        read(written(name, events))


@pytest.mark.parametrize("suffix", [".npy", ".aedat", ".aedat4"])
@pytest.mark.parametrize("content", [b"", b"not events at all", b"#!AER-DAT4.0\r\n" + b"\xff" * 64])
def test_files_of_another_format_are_told(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"0{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataDamagedError, match=str(path)):
        (dvs_gesture.read if suffix == ".npy" else aedat.read)(path)


def test_flipped_bytes_in_a_container_never_get_past_the_reader(
    written: Callable[..., Path], make_events: MakeEvents
) -> None:
    path = written("aedat 4", make_events(128))
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(50):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[random.integers(0, len(damaged), 20)] = random.integers(0, 256, 20)
        path.write_bytes(damaged.tobytes())
        try:
            found = aedat.read(path)
        except DataDamagedError:
            continue
        assert found.x_N.max(initial=0) < aedat.SIDE


def test_the_clock_of_nmnist_overflows(tmp_path: Path) -> None:
    path = tmp_path / "0.bin"
    events = [(3, 4, 100), (0, 240, 0), (5, 6, 50)]
    path.write_bytes(b"".join(struct.pack(">BBBH", x, y, 128, t) for x, y, t in events))
    found = nmnist.read(path)
    assert (found.t_N.tolist(), found.y_N.tolist()) == ([100, 2**13 + 50], [4, 6])


def test_nothing_of_a_gesture_is_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "0.npy"
    np.save(path, np.array([[{}] * 4], dtype=object), allow_pickle=True)
    with pytest.raises(DataDamagedError, match=r"object \(1, 4\)"):
        dvs_gesture.read(path)


@pytest.mark.parametrize(
    ("events", "what"), [(90_000_000, "promises 2880000000 bytes, not 0"), (200_000_000, "at most 100000000")]
)
def test_a_promise_of_more_events_than_there_are_is_refused_unread(
    tmp_path: Path, events: int, what: str
) -> None:
    path = tmp_path / "0.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<i8", "fortran_order": False, "shape": (events, 4)}
        )
    with pytest.raises(DataDamagedError, match=what):
        dvs_gesture.read(path)


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "0.npy"
    np.save(path, np.array([[1.0, 1.0, 1.0, np.nan]]))
    with pytest.raises(DataDamagedError, match="not finite"):
        dvs_gesture.read(path)


@pytest.mark.parametrize("time", [-1, 2**60])
def test_absurd_times_are_refused(tmp_path: Path, time: int) -> None:
    one = np.ones(1, dtype=np.int64)
    with pytest.raises(DataDamagedError, match="time of an event"):
        checked_events(
            tmp_path, Sensor(channels=2, height=4, width=4), t=time * one, channel=one, y=one, x=one
        )


def test_shd_is_read_with_its_labels(tmp_path: Path, writers: object) -> None:
    seconds = [np.array([0.0, 0.25, 0.5]), np.array([]), np.array([1.0])]
    units = [np.array([699, 0, 7]), np.array([]), np.array([3])]
    for part in ("train", "test"):
        writers.shd(tmp_path / f"shd_{part}.h5", list(zip(seconds, units, strict=True)), [19, 0, 5])
    listing = shd.listing(tmp_path)
    assert [one.label for one in listing.train] == [19, 0, 5]
    found = list(shd.read(listing.train))
    assert [one.t_N.tolist() for one in found] == [[0, 250_000, 500_000], [], [1_000_000]]
    assert [one.channel_N.tolist() for one in found] == [[699, 0, 7], [], [3]]


@pytest.mark.parametrize(
    ("seconds", "units", "what"),
    [([0.5], [700], "channel"), ([np.nan], [1], "not finite"), ([0.1, 0.2], [1], "2 times for 1 places")],
)
def test_wrong_spikes_in_shd_are_told(
    tmp_path: Path, writers: object, seconds: list[float], units: list[int], what: str
) -> None:
    path = tmp_path / "shd_train.h5"
    writers.shd(path, [(np.array(seconds), np.array(units))], [0])
    with pytest.raises(DataDamagedError, match=what):
        list(shd.read([Recording(path=path, label=0)]))


def test_a_damaged_shd_file_is_named(tmp_path: Path, writers: object) -> None:
    for part in ("train", "test"):
        writers.shd(tmp_path / f"shd_{part}.h5", [(np.ones(1), np.ones(1))] * 9, list(range(9)))
    path = tmp_path / "shd_train.h5"
    whole = path.read_bytes()
    for content in (b"nothing", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(DataDamagedError, match=r"shd_train\.h5 is damaged"):
            shd.listing(tmp_path)


def test_shd_arrays_that_do_not_fit_are_told(tmp_path: Path, writers: object) -> None:
    path = tmp_path / "shd_train.h5"
    writers.shd(path, [(np.ones(1), np.ones(1))] * 2, [0, 20])
    with pytest.raises(DataDamagedError, match="labels go from 0 to 20"):
        shd.listing(tmp_path)
    with h5py.File(path, "a") as file:
        del file["labels"]
        file["labels"] = [0]
    with pytest.raises(DataDamagedError, match="shapes"):
        shd.listing(tmp_path)


def test_every_layout_is_listed(data_folder: Path) -> None:
    sizes = {
        layout.name: (len(found.train), None if found.test is None else len(found.test))
        for layout in (nmnist.N_MNIST, dvs_gesture.DVS_GESTURE, cifar10_dvs.CIFAR10_DVS, shd.SHD)
        for found in [layout.listing(data_folder / layout.name)]
    }
    assert sizes == {"n-mnist": (30, 10), "dvs-gesture": (33, 11), "cifar10-dvs": (30, None), "shd": (40, 20)}


def test_a_recording_in_both_formats_is_taken_once(data_folder: Path) -> None:
    folder = data_folder / "cifar10-dvs"
    (folder / "cat" / "cifar10_cat_0.aedat").write_bytes(b"older")
    cats = [one.path for one in cifar10_dvs.listing(folder).train if one.label == 3]
    assert len(cats) == 3
    assert {path.suffix for path in cats} == {".aedat4"}


@pytest.mark.parametrize("layout", [nmnist.N_MNIST, cifar10_dvs.CIFAR10_DVS], ids=lambda layout: layout.name)
def test_a_class_without_recordings_is_missing(data_folder: Path, layout: object) -> None:
    folder = data_folder / layout.name
    one = layout.listing(folder).train[-1].path.parent
    for path in one.iterdir():
        path.unlink()
    with pytest.raises(DataMissingError, match=str(one)):
        layout.listing(folder)


def test_a_gesture_whose_name_is_no_label_is_told(data_folder: Path) -> None:
    (data_folder / "dvs-gesture" / "ibmGestureTrain" / "user00_led" / "11.npy").write_bytes(b"")
    with pytest.raises(DataDamagedError, match="no label from 0 to 10"):
        dvs_gesture.listing(data_folder / "dvs-gesture")
