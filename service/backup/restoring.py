"""Restores a backup into an empty service, whole or not at all, on either kind of database."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, Table, delete, exists, func, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from models.errors import InvalidInputError
from service.backup.archive import BackupDamagedError, Manifest, Member, chunks, lines, opened
from service.backup.rows import from_line, in_its_form, tables
from service.backup.saving import Progress
from service.store import Store
from workers.places import LocalPlace, Place, Where, place_of

ROWS_AT_ONCE = 500


def restore(
    store: Store, checkpoints: Where, source: Path, *, progress: Progress = lambda name: None
) -> Manifest:
    """Fill an empty database and the checkpoint folder from a backup, and return its manifest.

    Checkpoints come first and rows last, in one transaction: an interrupted restore leaves the database
    empty, and can be run again. A backup of an earlier version is brought to this version's form.
    Raises InvalidInputError where the database holds jobs, and BackupDamagedError, storing no row.
    """
    place = place_of(checkpoints)
    with opened(source) as (archive, manifest):
        _check_form(store, manifest)
        store.migrate(to=manifest.schema_revision)
        _check_space(manifest, place)
        for member in manifest.checkpoints():
            progress(member.name)
            _place(archive, member, place)
        try:
            with store.connection() as connection:
                _fill(archive, manifest, connection, progress)
        except OperationalError:
            raise  # the disk or the database, not the backup
        except (IntegrityError, StatementError) as error:
            raise BackupDamagedError(f"the rows of the backup do not fit together: {error}.") from error
    store.migrate()
    return manifest


def _check_form(store: Store, manifest: Manifest) -> None:
    if not store.knows(manifest.schema_revision):
        raise InvalidInputError(
            f"the backup has schema {manifest.schema_revision}, which this version does not know.",
            fix=f"Restore it with Bitfront {manifest.version} or later.",
        )
    if manifest.tables().keys() - {table.name for table in tables()}:
        raise BackupDamagedError("the backup holds tables that its schema does not have.")
    if store.revision() not in {None, manifest.schema_revision}:
        raise InvalidInputError(
            "the database has tables of another form than the backup's.",
            fix="Give one without tables.",
        )
    if store.revision() and _holds_rows(store):
        raise InvalidInputError(
            "the database holds jobs or keys already; a backup is restored into an empty one.",
            fix="Give another --home, or another BITFRONT_DATABASE_URL.",
        )


def _holds_rows(store: Store) -> bool:
    """Whether there is more than what migrations put into a new database, be its form an old one."""
    with store.snapshot() as connection:
        there = set(inspect(connection).get_table_names())
        asked = [table for table in tables() if table.name in there and not _seeded(table)]
        return any(connection.scalar(select(exists().select_from(table))) for table in asked)


def _seeded(table: Table) -> bool:
    return table.name == "workspaces"


def _check_space(manifest: Manifest, place: Place) -> None:
    """Refuse before anything is written; SQLite's file takes about as much as the rows do as JSON."""
    if not isinstance(place, LocalPlace):
        return  # a store does not say how much it has left
    place.folder.mkdir(parents=True, exist_ok=True)
    needed, free = sum(each.bytes for each in manifest.members), shutil.disk_usage(place.folder).free
    if needed > free:
        raise InvalidInputError(
            f"the backup unpacks to {needed:,} bytes, and {free:,} are free.", fix="Free space on the disk."
        )


def _place(archive: zipfile.ZipFile, member: Member, checkpoints: Place) -> None:
    """Write a checkpoint; its content is checked before it has its name."""
    _, trial, file = member.name.split("/")
    checkpoints.child(trial).write(file, b"".join(chunks(archive, member)))


def _fill(archive: zipfile.ZipFile, manifest: Manifest, connection: Connection, progress: Progress) -> None:
    saved = manifest.tables()
    for table in tables():
        if table.name in saved:
            if _seeded(table):
                connection.execute(delete(table))
            progress(saved[table.name].name)
            _fill_table(archive, saved[table.name], in_its_form(table, connection), connection)


def _fill_table(archive: zipfile.ZipFile, member: Member, table: Table, connection: Connection) -> None:
    count, saved = 0, _rows(table, member, lines(archive, member))
    while lot := list(islice(saved, ROWS_AT_ONCE)):
        connection.execute(insert(table), lot)
        count += len(lot)
    if count != member.rows:
        raise BackupDamagedError(f"{member.name} has {count} rows where {member.rows} were saved.")
    if "seq" in table.columns and connection.dialect.name == "postgresql":
        _continue_numbers(table, connection)


def _rows(table: Table, member: Member, saved: Iterable[bytes]) -> Iterator[dict[str, object]]:
    for line in saved:
        try:
            yield from_line(table, line)
        except (ValueError, TypeError) as error:
            raise BackupDamagedError(f"a row of {member.name} is not acceptable: {error}.") from error


def _continue_numbers(table: Table, connection: Connection) -> None:
    """PostgreSQL numbers new rows by a sequence of its own, which inserting given numbers leaves behind."""
    greatest = connection.scalar(select(func.max(table.c.seq)))
    if greatest is not None:
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:name, 'seq'), :value)"),
            {"name": table.name, "value": greatest},
        )
