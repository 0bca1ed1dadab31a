"""The `cifar10` and `cifar100` data sets: 32x32 colour images, read from the files of the binary version.

A file is records, one after the other, of the same size:

    cifar10:   class, then 3 x 32 x 32 bytes (all red ones, all green ones, all blue ones, each row by row)
    cifar100:  coarse class, fine class, then the same bytes; the fine class is used
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import DataDamagedError, DataMissingError
from workers.data.files import damaged, missing, stamp
from workers.data.images import DatasetInfo, LabelledArrays, RawImages, unavailable
from workers.data.splits import split_sizes

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Cifar:
    """Takes the first of its folders that holds all files; the last of a record's labels is its class."""

    name: str
    folders: tuple[Path, ...]
    train: tuple[str, ...]
    test: str
    labels: int
    classes: int

    def info(self) -> DatasetInfo:
        """Looks at the sizes of the files only."""
        summary = f"32x32 colour images in {self.classes} classes: 50,000 to train and 10,000 to test."
        try:
            folder = self._folder()
            records = sum(self._records(folder / name) for name in self.train)
        except (DataMissingError, DataDamagedError) as error:
            return unavailable(self.name, summary, str(error))
        return DatasetInfo(
            name=self.name,
            summary=summary,
            sample_shape=SHAPE,
            classes=self.classes,
            train_samples=split_sizes(records, own_test=True).train,
            stamp=stamp(folder / name for name in (*self.train, self.test)),
        )

    def load(self) -> RawImages:
        """All images, as bytes. Raises DataMissingError or DataDamagedError."""
        folder = self._folder()
        labelled = self._labelled([folder / name for name in self.train])
        test = self._labelled([folder / self.test])
        return RawImages(labelled=labelled, test=test, classes=self.classes)

    def _folder(self) -> Path:
        files = (*self.train, self.test)
        for folder in self.folders:
            if all((folder / name).is_file() for name in files):
                return folder
        fix = f"Unpack the binary version into {self.folders[0]}: {', '.join(files)}."
        raise missing(self.name, "the binary files", self.folders, fix=fix)

    def _records(self, path: Path) -> int:
        size, record = path.stat().st_size, self.labels + PIXELS
        if size == 0 or size % record:
            raise damaged(path, f"its {size} bytes are not one or more whole records of {record}")
        return size // record

    def _labelled(self, paths: list[Path]) -> LabelledArrays:
        x_NCHW = np.empty((sum(self._records(path) for path in paths), *SHAPE), dtype=np.uint8)
        y_N = np.empty(len(x_NCHW), dtype=np.int64)
        start = 0
        for path in paths:
            records = self._read(path)
            part = slice(start, start := start + len(records))
            x_NCHW[part] = records[:, self.labels :].reshape(-1, *SHAPE)
            y_N[part] = records[:, self.labels - 1]
        return LabelledArrays(x_NCHW=x_NCHW, y_N=y_N)

    def _read(self, path: Path) -> NDArray[np.uint8]:
        """The records, mapped rather than read."""
        try:
            shape = (self._records(path), self.labels + PIXELS)
            records = np.memmap(path, dtype=np.uint8, mode="r", shape=shape)
        except (OSError, ValueError) as error:
            raise damaged(path, f"it cannot be read ({error})") from error
        greatest = int(records[:, self.labels - 1].max())
        if greatest >= self.classes:
            raise damaged(path, f"it holds the class {greatest}; the greatest is {self.classes - 1}")
        return records


def cifar10(data_folder: Path) -> Cifar:
    """The user's own copy, as the archive unpacks it or moved one folder up."""
    own = data_folder / "cifar10"
    return Cifar(
        name="cifar10",
        folders=(own, own / "cifar-10-batches-bin"),
        train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
        test="test_batch.bin",
        labels=1,
        classes=10,
    )


def cifar100(data_folder: Path) -> Cifar:
    """The user's own copy, as the archive unpacks it or moved one folder up."""
    own = data_folder / "cifar100"
    return Cifar(
        name="cifar100",
        folders=(own, own / "cifar-100-binary"),
        train=("train.bin",),
        test="test.bin",
        labels=2,
        classes=100,
    )
