"""Folders of JPEG and PNG files in the layout of ImageNet: `<name>/train/<class>/*`, `<name>/val/<class>/*`.

The images of `train` are split into training and validation; those of `val` are the test set, or a share of
`train` is where there is no `val`. Classes are numbered by their folders' names in alphabetical order. An
optional `<name>/images.json`, {"size": 224, "resize": 256}, says to which side images are cut (and to which
their shorter side is reduced first: 8/7 of the size unless it says so).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import DataDamagedError, DataMissingError
from workers.data.files import damaged, missing, stamp
from workers.data.image_stream import ImageStream
from workers.data.images import DatasetInfo, LabelledArrays, RawImages, unavailable
from workers.data.splits import LEAST_IMAGES, split_sizes

TRAIN, TEST, SETTINGS = "train", "val", "images.json"
SUFFIXES = (".jpeg", ".jpg", ".png")
SIZE = 224
MOST_SIZE = 4_096
MOST_CLASSES = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """To which side, in pixels, the shorter side of an image is reduced, and how much of it is kept."""

    size: int
    resize: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The files of `train` or `val`: their names, bytes [N], and classes, int64 [N]."""

    names_N: NDArray[np.bytes_]  # noqa: N815 - the letters are the axes
    y_N: NDArray[np.int64]  # noqa: N815 - the letters are the axes


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """One folder; its name is that of the data set."""

    path: Path

    def info(self) -> DatasetInfo:
        """Lists the files, once for each version of the folders."""
        summary = f"Images in the folder {self.path.name}, decoded as they are needed."
        try:
            sides, classes = sides_of(self.path), classes_of(self.path)
            images = len(_listed(self.path / TRAIN, classes).y_N)
            own_test = (self.path / TEST).is_dir()
            if images < LEAST_IMAGES:
                raise damaged(
                    self.path, f"it holds {images} images to train; at least {LEAST_IMAGES} are needed"
                )
        except (DataMissingError, DataDamagedError) as error:
            return unavailable(self.path.name, summary, str(error))
        return DatasetInfo(
            name=self.path.name,
            summary=summary,
            sample_shape=(3, sides.size, sides.size),
            classes=len(classes),
            train_samples=split_sizes(images, own_test=own_test).train,
            stamp=_stamp(self.path),
        )

    def load(self) -> RawImages:
        """The lists of files; images are decoded when they are taken.

        Raises DataMissingError or DataDamagedError.
        """
        sides, classes = sides_of(self.path), classes_of(self.path)
        own_test = (self.path / TEST).is_dir()
        return RawImages(
            labelled=_streamed(self.path / TRAIN, classes, sides),
            test=_streamed(self.path / TEST, classes, sides) if own_test else None,
            classes=len(classes),
        )


def sides_of(path: Path) -> Sides:
    """What `images.json` says. Raises DataDamagedError."""
    file = path / SETTINGS
    try:
        given = json.loads(file.read_text()) if file.is_file() else {}
        sides = {"size": SIZE} | dict(given)
    except (OSError, ValueError, TypeError) as error:
        raise _wrong(file, f"it is no JSON object ({error})") from error
    sides = {"resize": sides["size"] * 8 // 7 if isinstance(sides["size"], int) else 0} | sides
    if set(sides) != {"size", "resize"} or any(type(side) is not int for side in sides.values()):
        raise _wrong(file, "it may hold the whole numbers size and resize, and nothing else")
    if not 1 <= sides["size"] <= sides["resize"] <= MOST_SIZE:
        raise _wrong(file, f"size and resize are {sides['size']} and {sides['resize']}")
    return Sides(**sides)


def classes_of(path: Path) -> tuple[str, ...]:
    """The names of the classes. Raises DataMissingError or DataDamagedError."""
    fix = f"Put the images into {path / TRAIN}/<class>/ and {path / TEST}/<class>/."
    if not (path / TRAIN).is_dir():
        raise missing(path.name, "the folders train and val", [path], fix=fix)
    names = [_folders(part) for part in (path / TRAIN, path / TEST) if part.is_dir()]
    if not 2 <= len(names[0]) <= MOST_CLASSES:
        raise damaged(
            path / TRAIN, f"it holds {len(names[0])} classes; 2 to {MOST_CLASSES} are taken", fix=fix
        )
    if unknown := sorted(set().union(*names) - set(names[0])):
        raise damaged(path / TEST, f"its folder {unknown[0]!r} is no class of {TRAIN}", fix=fix)
    return tuple(names[0])


def _folders(path: Path) -> list[str]:
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _streamed(part: Path, classes: tuple[str, ...], sides: Sides) -> LabelledArrays:
    found = _listed(part, classes)
    stream = ImageStream(
        folder=part,
        classes=classes,
        names_N=found.names_N,
        y_N=found.y_N,
        size=sides.size,
        resize=sides.resize,
    )
    return LabelledArrays(x_NCHW=stream, y_N=found.y_N)


def _listed(part: Path, classes: tuple[str, ...]) -> Listing:
    """The files of a part, by class and name. Raises DataDamagedError where a class has none."""
    return _list(part, classes, stamp([part / name for name in classes if (part / name).is_dir()]))


@lru_cache(
    maxsize=8
)  # a pure function of the folders, which the stamp stands for; millions of files take seconds
def _list(part: Path, classes: tuple[str, ...], version: str) -> Listing:
    names = [_images(part / name) for name in classes]
    if not any(names):
        raise damaged(part, f"it holds no images ({', '.join(SUFFIXES)})", fix="Put images into its folders.")
    return Listing(
        names_N=np.array([name for of_class in names for name in of_class], dtype=np.bytes_),
        y_N=np.repeat(np.arange(len(names), dtype=np.int64), [len(of_class) for of_class in names]),
    )


def _images(path: Path) -> list[bytes]:
    if not path.is_dir():
        return []
    with os.scandir(os.fsencode(path)) as entries:
        return sorted(entry.name for entry in entries if _is_image(entry.name))


def _is_image(name: bytes) -> bool:
    return not name.startswith(b".") and name.lower().endswith(tuple(suffix.encode() for suffix in SUFFIXES))


def _stamp(path: Path) -> str:
    """Of the class folders, whose times change when files come or go, and of the settings."""
    parts = [part for part in (path / TRAIN, path / TEST) if part.is_dir()]
    folders = [part / name for part in parts for name in _folders(part)]
    return stamp([*folders, *(file for file in (path / SETTINGS,) if file.is_file())])


def _wrong(file: Path, what: str) -> DataDamagedError:
    return damaged(file, what, fix=f'Write {{"size": {SIZE}}}, or remove the file.')
