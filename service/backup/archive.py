"""The form of a backup: a ZIP file, readable without Bitfront.

    backup.json                    the manifest: version, schema, when, and every other member with its hash
    tables/<table>.jsonl           one JSON object per row, in the order of the primary key
    checkpoints/<trial>/<file>     the checkpoints of points, byte by byte

Nothing is read before the list of members, their names and their sizes agree with the manifest.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from models.errors import InvalidInputError

FORMAT = 1
MANIFEST = "backup.json"
MANIFEST_BYTES = 64 * 1024 * 1024
"""More than a million members need; a greater manifest is hostile."""
CHUNK = 1024 * 1024
MEMBER = r"^(tables/[a-z_]{1,63}\.jsonl|checkpoints/trial-[0-9a-f]{16}/[a-z0-9-]{1,64}\.safetensors)$"
"""Names that restoring may write: no member can lead out of its folder."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class BackupDamagedError(InvalidInputError):
    """A file that is no backup, or one that was cut short or altered."""

    code = "backup_damaged"


class Member(BaseModel):
    """One file of a backup: its size in bytes and its hash, and for a table its rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=MEMBER)]
    bytes: int = Field(ge=0)
    sha256: Sha256
    rows: int | None = Field(default=None, ge=0)


class Manifest(BaseModel):
    """What a backup holds; `missing` names checkpoints that were not there to be saved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    schema_revision: str = Field(max_length=32)
    version: str = Field(max_length=64)
    created_at: datetime
    members: tuple[Member, ...]
    missing: tuple[str, ...] = ()

    def tables(self) -> dict[str, Member]:
        """The members that hold tables, by the table's name."""
        return {Path(each.name).stem: each for each in self.members if each.rows is not None}

    def checkpoints(self) -> tuple[Member, ...]:
        """The members that are checkpoints."""
        return tuple(each for each in self.members if each.rows is None)


class Hashed:
    """Writes to a file and keeps count of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self._bytes = 0

    def write(self, content: bytes) -> None:
        """Append."""
        self._file.write(content)
        self._sha256.update(content)
        self._bytes += len(content)

    def member(self, name: str, rows: int | None = None) -> Member:
        """The entry of the manifest for what was written."""
        return Member(name=name, bytes=self._bytes, sha256=self._sha256.hexdigest(), rows=rows)


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """A backup whose members are those of its manifest. Raises BackupDamagedError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive, _checked(archive)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.filename != str(path):
            raise  # of another file
        raise BackupDamagedError(
            f"{path} cannot be read as a backup: {error}.",
            fix="Give a whole file that `bitfront backup` wrote.",
        ) from error


def chunks(archive: zipfile.ZipFile, member: Member) -> Iterator[bytes]:
    """The content of a member. Raises BackupDamagedError, at its end, where it is not what was saved."""
    sha256, left = hashlib.sha256(), member.bytes
    with archive.open(member.name) as file:
        while chunk := file.read(min(CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            sha256.update(chunk)
            yield chunk
    if left or sha256.hexdigest() != member.sha256:
        raise BackupDamagedError(
            f"{member.name} is not what was saved.", fix="Use another copy of the backup."
        )


def lines(archive: zipfile.ZipFile, member: Member) -> Iterator[bytes]:
    """The rows of a table's member, one by one."""
    rest = b""
    for chunk in chunks(archive, member):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        raise BackupDamagedError(f"{member.name} ends in the middle of a row.")


def _checked(archive: zipfile.ZipFile) -> Manifest:
    manifest = _manifest(archive)
    if manifest.format != FORMAT:
        raise BackupDamagedError(
            f"the backup has format {manifest.format}; this version reads format {FORMAT}.",
            fix="Restore it with the version of Bitfront that wrote it.",
        )
    named = [(each.name, each.bytes) for each in manifest.members]
    there = [(each.filename, each.file_size) for each in archive.infolist() if each.filename != MANIFEST]
    if sorted(named) != sorted(there):
        odd = sorted({name for name, _ in set(named) ^ set(there)})[:3] or ["a member twice"]
        raise BackupDamagedError(f"the backup and its manifest disagree on {', '.join(odd)}.")
    return manifest


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        size = archive.getinfo(MANIFEST).file_size
    except KeyError:
        raise BackupDamagedError(f"there is no {MANIFEST} in the file; it is no backup.") from None
    if size > MANIFEST_BYTES:
        raise BackupDamagedError(f"{MANIFEST} has {size} bytes, more than any backup's.")
    try:
        return Manifest.model_validate_json(archive.read(MANIFEST))
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(str(part) for part in first["loc"])
        raise BackupDamagedError(f"{MANIFEST} is not acceptable at {place!r}: {first['msg']}.") from None
