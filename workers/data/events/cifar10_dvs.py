"""CIFAR10-DVS (Li et al. 2017): 10,000 CIFAR-10 images moved before an event camera of 128x128 pixels.

Layout: one folder per class, named airplane to truck, with a recording per file: `.aedat4`, or `.aedat` as
first published. Where a folder holds both of one recording, the former is read. No test set is published.
"""

from __future__ import annotations

from pathlib import Path

from workers.data.events import aedat
from workers.data.events.layout import Layout, each
from workers.data.events.recording import Listing, Recording, listed

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def listing(folder: Path) -> Listing:
    """All recordings. Raises DataMissingError unless every class has some."""
    return Listing(
        train=tuple(
            Recording(path=path, label=label)
            for label, name in enumerate(CLASSES)
            for path in _files(folder / name)
        ),
        test=None,
    )


def _files(folder: Path) -> list[Path]:
    newest_last = sorted(listed(folder, (".aedat", ".aedat4")), key=lambda path: path.suffix)
    return sorted({path.stem: path for path in newest_last}.values())


CIFAR10_DVS = Layout(
    name="cifar10-dvs",
    summary="10,000 pictures in ten classes moved before an event camera, 128x128; 48x48 by default.",
    classes=len(CLASSES),
    sensor=aedat.SENSOR,
    size=48,
    by="count",
    listing=listing,
    read=each(aedat.read),
)
