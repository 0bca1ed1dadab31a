"""What every place of checkpoints can do. The contract is `tests/contract/place_contract.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Place(Protocol):
    """A folder of files. All but `child` and `url` raise StorageError where it cannot be reached."""

    @property
    def url(self) -> str:
        """Where it is, as `place_of` takes it; without credentials."""

    def child(self, name: str) -> Place:
        """The folder of that name in it, which need not be there."""

    def names(self) -> list[str]:
        """The files in it, sorted; none where it is not there. Unfinished ones are not among them."""

    def sizes(self) -> dict[str, int]:
        """The bytes of each of these files."""

    def read(self, name: str) -> bytes:
        """The content of a file. Raises FileNotFoundError."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file: who reads it meanwhile finds all of the old one, if any, or all of the new one."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def clear(self) -> None:
        """Remove all of its files, also unfinished ones."""


Where = Place | Path | str
"""A place, or what `place_of` finds one by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A file of a place, to be read as a local one is."""

    place: Place
    name: str

    def read_bytes(self) -> bytes:
        """Its content. Raises FileNotFoundError, and StorageError where its place cannot be reached."""
        return self.place.read(self.name)
