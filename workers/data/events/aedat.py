"""Files of event cameras: AEDAT 4 (`.aedat4`) and AEDAT 2 (`.aedat`).

AEDAT 4 is a container of compressed packets, which the library `aedat` decodes. AEDAT 2 is lines that begin
with `#`, then eight bytes per event, big-endian: an address and a time in microseconds. The address of a
128x128 camera holds polarity in bit 0 (0: ON), the row in bits 1 to 7 and the column in bits 8 to 14, both
counted from the far end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import aedat
import numpy as np
from numpy.typing import NDArray

from workers.data.events.recording import Events, Sensor, check_count, checked_events, damaged

SIDE = 128
EVENT_BYTES = 8
MOST_BYTES = 2**30
MOST_HEADER_LINES, MOST_LINE = 1_000, 65_536
SENSOR = Sensor(channels=2, height=SIDE, width=SIDE)
COLUMNS = (("t", np.uint64), ("x", np.uint16), ("y", np.uint16), ("on", np.bool_))


def read(path: Path) -> Events:
    """The events of one recording of a 128x128 camera. Raises DataDamagedError."""
    if path.stat().st_size > MOST_BYTES:
        raise damaged(path, f"it is larger than {MOST_BYTES} bytes")
    return _read_4(path) if path.suffix == ".aedat4" else _read_2(path)


def _read_4(path: Path) -> Events:
    """Of the first stream of events in the file, as its publishers number them."""
    try:
        packets = list(_packets(path))
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # the decoder's own panics on damaged files are no `Exception`
        raise damaged(path, f"it cannot be read to its end ({error})") from error
    t, x, y, on = (
        np.concatenate([np.zeros(0, kind), *(packet[name] for packet in packets)]) for name, kind in COLUMNS
    )
    return checked_events(path, SENSOR, t=t, channel=on, y=y, x=x)


def _packets(path: Path) -> Iterator[NDArray[Any]]:
    decoder = aedat.Decoder(path)
    streams = [number for number, about in decoder.id_to_stream().items() if about["type"] == "events"]
    if not streams:
        raise ValueError("it holds no events")
    events = 0
    for packet in decoder:
        if packet["stream_id"] == min(streams):
            events += len(packet["events"])
            check_count(path, events)
            yield packet["events"]


def _read_2(path: Path) -> Events:
    with path.open("rb") as file:
        start = _skip_header(path, file)
        content = path.stat().st_size - start
        if content % EVENT_BYTES:
            raise damaged(path, f"its {content} bytes of events are no multiple of {EVENT_BYTES}")
        check_count(path, content // EVENT_BYTES)
        address, t = np.fromfile(file, dtype=">u4").astype(np.int64).reshape(-1, 2).T
    row, column = SIDE - 1 - (address >> 1 & 127), SIDE - 1 - (address >> 8 & 127)
    return checked_events(path, SENSOR, t=t, channel=1 - (address & 1), y=row, x=column)


def _skip_header(path: Path, file: IO[bytes]) -> int:
    """Leaves the file where its events begin, and says where that is."""
    if not file.readline(MOST_LINE).startswith(b"#!AER-DAT2"):
        raise damaged(path, "it does not begin as an AEDAT 2 file")
    for _ in range(MOST_HEADER_LINES):
        start = file.tell()
        if not file.readline(MOST_LINE).startswith(b"#"):
            file.seek(start)
            return start
    raise damaged(path, f"its header has more than {MOST_HEADER_LINES} lines")
