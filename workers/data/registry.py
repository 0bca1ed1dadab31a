"""The data sets that a job may name: ours, those of installed packages, and the user's own files.

A package adds one with an entry point in the group `bitfront.datasets`: its name is the data set's name, its
value a function from the data folder to a `DatasetSource`. A name is only ever looked up among the sources
that were found; it never becomes a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from models.errors import DataMissingError, InvalidInputError, UnknownNameError
from workers.data.cifar import cifar10, cifar100
from workers.data.digits import Digits
from workers.data.events import EventSource, event_sources
from workers.data.fashion_mnist import fashion_mnist
from workers.data.image_folder import TRAIN, ImageFolder
from workers.data.images import DatasetInfo, DatasetSource, RawImages, Splits, unavailable
from workers.data.mnist import mnist
from workers.data.npz import NpzFile
from workers.data.splits import make_splits

ENTRY_POINTS = "bitfront.datasets"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""The names that a job can give (search.job.Name)."""


def datasets(folder: Path) -> Mapping[str, DatasetInfo]:
    """Every data set by name, usable or not; `folder` is the user's data folder, which may be missing."""
    return {name: source.info() for name, source in _sources(folder).items()}


def describe(name: str, *, folder: Path, frames: int | None = None, size: int | None = None) -> DatasetInfo:
    """One data set, with the frames and the size that a job chose for its events.

    Raises UnknownNameError (pointer /dataset/name) or InvalidInputError (pointer /dataset/frames or
    /dataset/size).
    """
    return _source(name, folder, frames, size).info()


def load_splits(
    name: str,
    *,
    folder: Path,
    train_samples: int | None,
    split_seed: int,
    frames: int | None = None,
    size: int | None = None,
) -> Splits:
    """Load, split and normalise a data set; a pure function of its files and these arguments.

    `frames` and `size` are for events; None leaves the default of the data set. Raises UnknownNameError,
    DataMissingError, DataDamagedError (pointer /dataset/name) or InvalidInputError (pointer
    /dataset/train_samples, /dataset/frames or /dataset/size).
    """
    source = _source(name, folder, frames, size)
    return make_splits(source.load(), train_samples=train_samples, split_seed=split_seed)


def _source(name: str, folder: Path, frames: int | None, size: int | None) -> DatasetSource:
    known = _sources(folder)
    if name not in known:
        raise UnknownNameError(
            f"there is no data set {name!r}.",
            fix=f"Use one of {', '.join(known)}, or put {name}.npz into {folder}.",
            pointer="/dataset/name",
        )
    source = known[name]
    if frames is None and size is None:
        return source
    if isinstance(source, EventSource):
        return source.configured(frames=frames, size=size)
    raise InvalidInputError(
        f"{name} holds no events, so it has no frames or size to choose.",
        fix="Leave out `frames` and `size`.",
        pointer="/dataset/size" if frames is None else "/dataset/frames",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class UnusableSource:
    """A data set that is there but cannot be used, and why."""

    name: str
    reason: str

    def info(self) -> DatasetInfo:
        """The reason."""
        return unavailable(self.name, "Cannot be used.", self.reason)

    def load(self) -> RawImages:
        """Always raises DataMissingError."""
        raise DataMissingError(self.reason, pointer="/dataset/name")


def _sources(folder: Path) -> dict[str, DatasetSource]:
    """By name; ours come first and cannot be replaced."""
    ours = _ours(folder)
    installed = {entry.name: _installed(entry, folder) for entry in _entry_points()}
    return ours | _without(ours, installed | _without(installed, dict(_files(folder))))


def _ours(folder: Path) -> dict[str, DatasetSource]:
    still: dict[str, DatasetSource] = {
        "digits": Digits(),
        "fashion-mnist": fashion_mnist(folder),
        "mnist": mnist(folder),
        "cifar10": cifar10(folder),
        "cifar100": cifar100(folder),
        "imagenet": ImageFolder(folder / "imagenet"),
    }
    return still | event_sources(folder, still)


def _without(
    taken: Mapping[str, DatasetSource], sources: Mapping[str, DatasetSource]
) -> dict[str, DatasetSource]:
    return {name: source for name, source in sources.items() if name not in taken}


@lru_cache(maxsize=1)  # installed packages do not change while a process runs, and reading them takes a while
def _entry_points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=ENTRY_POINTS))


def _installed(entry: EntryPoint, folder: Path) -> DatasetSource:
    try:
        source: DatasetSource = entry.load()(folder)
    except Exception as error:  # whatever a package raises must not take the other data sets along
        return UnusableSource(name=entry.name, reason=f"The package behind {entry.name} fails: {error}")
    return source


def _files(folder: Path) -> Iterator[tuple[str, DatasetSource]]:
    """The user's own: `<name>.npz`, and folders of images `<name>/train/<class>/`."""
    found: list[tuple[str, Path, DatasetSource]] = [
        *((path.stem, path, NpzFile(path)) for path in sorted(folder.glob("*.npz"))),
        *(
            (part.parent.name, part.parent, ImageFolder(part.parent))
            for part in sorted(folder.glob(f"*/{TRAIN}"))
        ),
    ]
    for name, path, source in found:
        if NAME.fullmatch(name):
            yield name, source if path.resolve().is_relative_to(folder.resolve()) else _outside(name, path)


def _outside(name: str, path: Path) -> UnusableSource:
    return UnusableSource(name=name, reason=f"{path.name} is a link that leads out of the data folder.")
