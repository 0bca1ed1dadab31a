"""Saves a service to one file while it runs: the tables as of one moment, then the checkpoints they name."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Connection, Table, select

from models.errors import CheckpointDamagedError, InvalidInputError
from service.backup.archive import FORMAT, MANIFEST, Hashed, Manifest, Member
from service.backup.rows import tables, to_line
from service.store import Store
from service.store.tables import Point
from workers.checkpoints import read_checked
from workers.places import Place, Stored, Where, place_of

Progress = Callable[[str], None]
"""Told the name of each member before it is written."""

ROWS_AT_ONCE = 1_000


def save(
    store: Store, checkpoints: Where, target: Path, *, progress: Progress = lambda name: None
) -> Manifest:
    """Write a backup, whole or not at all, and return its manifest.

    Resume checkpoints of unfinished trials are left out: after a restore these trials start again, and end
    the same. Raises InvalidInputError where the file is there already or the tables have another form.
    """
    revision = store.revision()
    if not store.at_head() or revision is None:
        raise InvalidInputError(
            "the database has another form than this version's.",
            fix="Start `bitfront serve` once; it migrates.",
        )
    if target.exists():
        raise InvalidInputError(f"{target} is there already.", fix="Choose another name, or remove it.")
    if not target.parent.is_dir():
        raise InvalidInputError(f"{target} cannot be written: its folder is not there.")
    neighbour = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with store.snapshot() as connection, zipfile.ZipFile(neighbour, "x", zipfile.ZIP_DEFLATED) as archive:
            manifest = _write(archive, connection, place_of(checkpoints), revision, progress)
        with neighbour.open("rb") as file:
            os.fsync(file.fileno())
        neighbour.rename(target)
    finally:
        neighbour.unlink(missing_ok=True)
    return manifest


def _write(
    archive: zipfile.ZipFile, connection: Connection, checkpoints: Place, revision: str, progress: Progress
) -> Manifest:
    created = datetime.now(UTC)
    members = [_table(archive, connection, table, progress) for table in tables()]
    missing = []
    for trial, file, sha256 in _wanted(connection):
        saved = _checkpoint(archive, checkpoints, f"{trial}/{file}", sha256, progress)
        if saved is None:
            missing.append(f"{trial}/{file}")
        else:
            members.append(saved)
    manifest = Manifest(
        format=FORMAT,
        schema_revision=revision,
        version=version("bitfront"),
        created_at=created,
        members=tuple(members),
        missing=tuple(missing),
    )
    archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


def _table(archive: zipfile.ZipFile, connection: Connection, table: Table, progress: Progress) -> Member:
    name = f"tables/{table.name}.jsonl"
    progress(name)
    query = select(table).order_by(*table.primary_key.columns)
    count = 0
    with archive.open(name, "w", force_zip64=True) as file:
        hashed = Hashed(file)
        for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query).mappings():
            hashed.write(to_line({column.name: row[column] for column in table.columns}))
            count += 1
    return hashed.member(name, count)


def _wanted(connection: Connection) -> Iterator[tuple[str, str, str]]:
    """Trial, file and hash of every checkpoint that a point names, once each."""
    columns = (Point.checkpoint_trial, Point.checkpoint, Point.checkpoint_sha256)
    for row in connection.execute(select(*columns).distinct().order_by(*columns)).all():
        yield row[0], row[1], row[2]


def _checkpoint(
    archive: zipfile.ZipFile, checkpoints: Place, path: str, sha256: str, progress: Progress
) -> Member | None:
    """Save a checkpoint; None where it is gone or is no longer what was recorded. Raises StorageError."""
    trial, _, file = path.partition("/")
    try:
        content = read_checked(Stored(place=checkpoints.child(trial), name=file), sha256)
    except CheckpointDamagedError:
        return None
    name = f"checkpoints/{path}"
    progress(name)
    with archive.open(name, "w", force_zip64=True) as target:
        hashed = Hashed(target)
        hashed.write(content)
    return hashed.member(name)
