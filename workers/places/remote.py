"""A folder of any file system that fsspec knows, such as a bucket of an S3-compatible store.

Object stores show an object once all of it has arrived, so a write there is one put. On every other file
system the content goes to a name of its own first and is moved into place.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from models.errors import StorageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

ATOMIC_PUTS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"})
"""Protocols of stores where an object is seen whole or not at all."""
UNFINISHED = ".unfinished-"


class RemotePlace:
    """Implements `Place`; `path` is what the file system calls the folder, without its protocol."""

    def __init__(self, files: AbstractFileSystem, path: str, protocol: str) -> None:
        self._files = files
        self._path = path.rstrip("/")
        self._protocol = protocol

    @property
    def url(self) -> str:
        """Protocol and path."""
        return f"{self._protocol}://{self._path}"

    def child(self, name: str) -> RemotePlace:
        """The folder of that name in it."""
        return RemotePlace(self._files, f"{self._path}/{name}", self._protocol)

    def names(self) -> list[str]:
        """The files in it."""
        return sorted(self.sizes())

    def sizes(self) -> dict[str, int]:
        """The bytes of each."""
        found = {name: int(entry["size"] or 0) for name, entry in self._listed().items()}
        return {name: size for name, size in found.items() if not name.startswith(UNFINISHED)}

    def read(self, name: str) -> bytes:
        """The content of a file."""
        with self._reached("read"):
            content: bytes = self._files.cat_file(self._named(name))
            return content

    def write(self, name: str, content: bytes) -> None:
        """Put the object, or write to another name and move."""
        with self._reached("written"):
            if self._protocol in ATOMIC_PUTS:
                self._files.pipe_file(self._named(name), content)
            else:
                self._write_and_move(name, content)

    def remove(self, name: str) -> None:
        """Remove a file."""
        with self._reached("written"):
            self._remove(self._named(name))

    def clear(self) -> None:
        """Remove its files; an object store has no folders that could stay."""
        with self._reached("written"):
            for name in self._listed():
                self._remove(self._named(name))
            if self._protocol not in ATOMIC_PUTS and self._files.isdir(self._path):
                self._files.rmdir(self._path)

    def _write_and_move(self, name: str, content: bytes) -> None:
        self._files.makedirs(self._path, exist_ok=True)
        unfinished = self._named(f"{UNFINISHED}{uuid.uuid4().hex}")
        try:
            self._files.pipe_file(unfinished, content)
            self._files.mv(unfinished, self._named(name))
        except BaseException:
            self._remove(unfinished)
            raise

    def _remove(self, path: str) -> None:
        try:
            self._files.rm_file(path)
        except FileNotFoundError:
            return

    def _listed(self) -> dict[str, Any]:
        with self._reached("read"):
            try:
                entries = self._files.ls(self._path, detail=True)
            except (FileNotFoundError, NotADirectoryError):
                return {}
        return {entry["name"].rpartition("/")[2]: entry for entry in entries if entry["type"] == "file"}

    def _named(self, name: str) -> str:
        return f"{self._path}/{name}"

    @contextmanager
    def _reached(self, done: str) -> Iterator[None]:
        """What libraries raise may quote a request with its signature: only its kind is told."""
        try:
            yield
        except StorageError:
            raise
        except Exception as error:  # each file system has exceptions of its own, without a common base
            if done == "read" and isinstance(error, FileNotFoundError):
                raise
            reason = getattr(error, "strerror", None) if isinstance(error, OSError) else None
            raise StorageError(
                f"checkpoints cannot be {done} in {self.url}: {type(error).__name__}"
                f"{f' ({reason})' if reason and len(reason) < 80 else ''}.",
                fix="See whether it is reached from here, and with the right credentials in the environment.",
            ) from None
