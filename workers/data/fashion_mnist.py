"""The `fashion-mnist` data set: 28x28 grey images of clothes, read from its four idx files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import DataDamagedError, DataMissingError
from workers.data.idx import read_idx, read_idx_shape
from workers.data.images import DatasetInfo, LabelledArrays, RawImages, unavailable
from workers.data.splits import split_sizes

NAME = "fashion-mnist"
SUMMARY = "28x28 grey images of clothes in ten classes: 60,000 to train and 10,000 to test."
CLASSES, SIDE = 10, 28
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts the files."""
TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True, slots=True)
class FashionMnist:
    """Takes the first of its folders that holds all four files, each plain or gzipped."""

    folders: tuple[Path, ...]

    @classmethod
    def under(cls, data_folder: Path) -> FashionMnist:
        """The user's own copy, else the system's."""
        return cls((data_folder / NAME, SYSTEM_FOLDER))

    def info(self) -> DatasetInfo:
        """Reads no more than a header."""
        try:
            files = self._files()
            images = read_idx_shape(files[TRAIN[0]], 3)[0]
        except (DataMissingError, DataDamagedError) as error:
            return unavailable(NAME, SUMMARY, str(error))
        return DatasetInfo(
            name=NAME,
            summary=SUMMARY,
            sample_shape=(1, SIDE, SIDE),
            classes=CLASSES,
            train_samples=split_sizes(images, own_test=True).train,
            stamp="-".join(str(path.stat().st_size) for path in files.values()),
        )

    def load(self) -> RawImages:
        """All images, as bytes. Raises DataMissingError or DataDamagedError."""
        files = self._files()
        labelled, test = (_labelled(files[images], files[labels]) for images, labels in (TRAIN, TEST))
        return RawImages(labelled=labelled, test=test, classes=CLASSES)

    def _files(self) -> dict[str, Path]:
        for folder in self.folders:
            found = {name: path for name in (*TRAIN, *TEST) if (path := _plain_or_gzipped(folder / name))}
            if len(found) == len(TRAIN) + len(TEST):
                return found
        places = " nor in ".join(str(folder) for folder in self.folders)
        raise DataMissingError(
            f"the four idx files of {NAME} are not in {places}.",
            fix=f"Install Debian's package dataset-fashion-mnist, or put the files into {self.folders[0]}.",
            pointer="/dataset/name",
        )


def _plain_or_gzipped(path: Path) -> Path | None:
    candidates = (path, path.with_name(path.name + ".gz"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _labelled(images: Path, labels: Path) -> LabelledArrays:
    x_NHW, y_N = read_idx(images, 3), read_idx(labels, 1)
    if x_NHW.shape[1:] != (SIDE, SIDE):
        raise _damaged(images, f"its images are {x_NHW.shape[1]}x{x_NHW.shape[2]}, not {SIDE}x{SIDE}")
    if len(x_NHW) != len(y_N):
        raise _damaged(labels, f"{len(x_NHW)} labels expected, {len(y_N)} found")
    if y_N.max() >= CLASSES:
        raise _damaged(labels, f"it holds the class {y_N.max()}; the greatest is {CLASSES - 1}")
    return LabelledArrays(x_NCHW=x_NHW[:, None], y_N=y_N.astype(np.int64))


def _damaged(path: Path, what: str) -> DataDamagedError:
    return DataDamagedError(
        f"{path} is damaged: {what}.", fix="Fetch the file again.", pointer="/dataset/name"
    )
