"""Data sets of 28x28 grey images in four idx files: MNIST and its successors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import DataDamagedError, DataMissingError
from workers.data.files import damaged, missing, stamp
from workers.data.idx import read_idx, read_idx_shape
from workers.data.images import DatasetInfo, LabelledArrays, RawImages, unavailable
from workers.data.splits import split_sizes

CLASSES, SIDE = 10, 28
TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True, kw_only=True, slots=True)
class IdxImages:
    """Takes the first of its folders that holds all four files, each plain or gzipped.

    `fix` tells how to get the files. Some unpack them as `train-images.idx3-ubyte`: that is taken too.
    """

    name: str
    summary: str
    fix: str
    folders: tuple[Path, ...]

    def info(self) -> DatasetInfo:
        """Reads no more than a header."""
        try:
            files = self._files()
            images = read_idx_shape(files[TRAIN[0]], 3)[0]
        except (DataMissingError, DataDamagedError) as error:
            return unavailable(self.name, self.summary, str(error))
        return DatasetInfo(
            name=self.name,
            summary=self.summary,
            sample_shape=(1, SIDE, SIDE),
            classes=CLASSES,
            train_samples=split_sizes(images, own_test=True).train,
            stamp=stamp(files.values()),
        )

    def load(self) -> RawImages:
        """All images, as bytes. Raises DataMissingError or DataDamagedError."""
        files = self._files()
        labelled, test = (_labelled(files[images], files[labels]) for images, labels in (TRAIN, TEST))
        return RawImages(labelled=labelled, test=test, classes=CLASSES)

    def _files(self) -> dict[str, Path]:
        for folder in self.folders:
            found = {name: path for name in (*TRAIN, *TEST) if (path := _present(folder, name))}
            if len(found) == len(TRAIN) + len(TEST):
                return found
        raise missing(self.name, "the four idx files", self.folders, fix=self.fix)


def _present(folder: Path, name: str) -> Path | None:
    spelled = (name, name.replace("-idx", ".idx"))
    candidates = [folder / f"{spelling}{suffix}" for spelling in spelled for suffix in ("", ".gz")]
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _labelled(images: Path, labels: Path) -> LabelledArrays:
    x_NHW, y_N = read_idx(images, 3), read_idx(labels, 1)
    if x_NHW.shape[1:] != (SIDE, SIDE):
        raise damaged(images, f"its images are {x_NHW.shape[1]}x{x_NHW.shape[2]}, not {SIDE}x{SIDE}")
    if len(x_NHW) != len(y_N):
        raise damaged(labels, f"{len(x_NHW)} labels expected, {len(y_N)} found")
    if y_N.max() >= CLASSES:
        raise damaged(labels, f"it holds the class {y_N.max()}; the greatest is {CLASSES - 1}")
    return LabelledArrays(x_NCHW=x_NHW[:, None], y_N=y_N.astype(np.int64))
