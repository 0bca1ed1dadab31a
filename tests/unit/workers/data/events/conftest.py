"""Small recordings in the published layouts, written by the tests."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

from workers.data.events.cifar10_dvs import CLASSES

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Writers:
    """Writes events (arrays t in microseconds, x, y, p) as a publisher does."""

    @staticmethod
    def nmnist(path: Path, events: Arrays) -> None:
        t, x, y, p = (events[name].astype(np.int64) for name in "txyp")
        raw = np.stack([x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255], axis=1)
        write(path, raw.astype(np.uint8).tobytes())

    @staticmethod
    def gesture(path: Path, events: Arrays) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.stack([events["x"], events["y"], events["p"], events["t"] // 1_000], axis=1))

    @staticmethod
    def shd(path: Path, recordings: list[tuple[np.ndarray, np.ndarray]], labels: list[int]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w") as file:
            shape = (len(recordings),)
            times = file.create_dataset("spikes/times", shape, dtype=h5py.vlen_dtype(np.float16))
            units = file.create_dataset("spikes/units", shape, dtype=h5py.vlen_dtype(np.uint16))
            for place, (seconds, unit) in enumerate(recordings):
                times[place], units[place] = seconds.astype(np.float16), unit.astype(np.uint16)
            file["labels"] = np.array(labels, dtype=np.uint16)

    @staticmethod
    def aedat2(path: Path, events: Arrays) -> None:
        t, x, y, p = (events[name].astype(np.int64) for name in "txyp")
        address = (127 - x) << 8 | (127 - y) << 1 | (1 - p)
        raw = np.stack([address, t], axis=1).astype(">u4").tobytes()
        write(path, b"#!AER-DAT2.0\r\n# This is a raw AE data file\r\n" + raw)

    @staticmethod
    def aedat4(path: Path, events: Arrays) -> None:
        """One uncompressed packet of the stream 0, as FlatBuffers encodes it."""
        kind = np.dtype({"names": list("txyp"), "formats": ["<i8", "<i2", "<i2", "?"],
                         "offsets": [0, 8, 10, 12], "itemsize": 16})  # fmt: skip
        raw = np.zeros(len(events["t"]), kind)
        for name in "txyp":
            raw[name] = events[name]
        packet = _flatbuffer(b"EVTS", raw.tobytes(), len(raw))
        header = _flatbuffer_header(INFO.encode())
        write(path, b"#!AER-DAT4.0\r\n" + header + struct.pack("<ii", 0, len(packet)) + packet)


INFO = """<dv version="2.0"><node name="outInfo" path="/outInfo/"><node name="0" path="/outInfo/0/">
<attr key="compression" type="string">NONE</attr><attr key="typeIdentifier" type="string">EVTS</attr>
<node name="info" path="/outInfo/0/info/"><attr key="sizeX" type="int">128</attr>
<attr key="sizeY" type="int">128</attr></node></node></node></dv>"""


def _flatbuffer(identifier: bytes, elements: bytes, count: int) -> bytes:
    """A size-prefixed table with one field, a vector of structs aligned to eight bytes."""
    vtable = struct.pack("<HHH", 6, 8, 4) + b"\0\0"
    # offsets from the root offset: root at 16 (vtable at 8), the vector's length at 28, its elements at 32
    body = struct.pack("<I", 16) + identifier + vtable + struct.pack("<iI", 8, 8) + b"\0" * 4
    body += struct.pack("<I", count) + elements
    return struct.pack("<I", len(body)) + body


def _flatbuffer_header(info: bytes) -> bytes:
    """The head of an AEDAT 4 file: compression (none), no table of packets, and the streams as XML."""
    vtable = struct.pack("<HHHHH", 10, 20, 16, 4, 12) + b"\0" * 6
    table = struct.pack("<iqIi", 16, -1, 8, 0)
    body = struct.pack("<I", 24) + b"IOHE" + vtable + table + struct.pack("<I", len(info)) + info + b"\0"
    return struct.pack("<I", len(body)) + body


def write(path: Path, content: bytes) -> None:
    """A file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def writers() -> Writers:
    return Writers()


@pytest.fixture
def make_events() -> Callable[..., dict[str, np.ndarray]]:
    """Random events of a sensor with that side, whole milliseconds apart, in order."""

    def make(side: int, count: int = 200, seed: int = 0) -> dict[str, np.ndarray]:
        random = np.random.default_rng(seed)
        return {
            "t": np.sort(random.integers(0, 300, count)) * 1_000,
            "x": random.integers(0, side, count),
            "y": random.integers(0, side, count),
            "p": random.integers(0, 2, count),
        }

    return make


@pytest.fixture
def data_folder(tmp_path: Path, writers: Writers, make_events: Callable[..., Arrays]) -> Path:
    """A data folder with a few recordings of each published set."""
    for part, each in (("Train", 3), ("Test", 1)):
        for digit in range(10):
            for number in range(each):
                path = tmp_path / "n-mnist" / part / str(digit) / f"{number:05}.bin"
                writers.nmnist(path, make_events(34, seed=10 * digit + number))
    for part, users in (("ibmGestureTrain", 3), ("ibmGestureTest", 1)):
        for user in range(users):
            for label in range(11):
                path = tmp_path / "dvs-gesture" / part / f"user{user:02}_led" / f"{label}.npy"
                writers.gesture(path, make_events(128, seed=label))
    for label, name in enumerate(CLASSES):
        for number in range(3):
            path = tmp_path / "cifar10-dvs" / name / f"cifar10_{name}_{number}.aedat4"
            writers.aedat4(path, make_events(128, seed=label))
    random = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", 20)):
        recordings = [(np.sort(random.random(50)), random.integers(0, 700, 50)) for _ in range(count)]
        writers.shd(tmp_path / "shd" / f"shd_{part}.h5", recordings, [n % 20 for n in range(count)])
    return tmp_path
