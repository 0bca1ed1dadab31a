"""Backups with members that were changed after they were saved."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import inspect

from service.backup.archive import MANIFEST
from service.backup.rows import to_line
from service.store.engine import open_engine
from service.store.schema import migrate


def damaged(source: Path, target: Path, change: Callable[[dict[str, bytes]], Any]) -> Path:
    """A backup whose members were changed."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return target


def as_the_first_version_saved(members: dict[str, bytes]) -> None:
    """Without the tables and columns that came later, and with the names of that time."""
    renamed = {("front_members", "score"): "accuracy"}
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/first.db")
        migrate(engine, to="0001")
        first = inspect(engine)
        columns = {name: [one["name"] for one in first.get_columns(name)] for name in first.get_table_names()}
        engine.dispose()
    for member in [name for name in members if name.startswith("tables/")]:
        saved = members.pop(member)
        if kept := columns.get(Path(member).stem):
            table = Path(member).stem
            rows = [
                {renamed.get((table, name), name): value for name, value in json.loads(line).items()}
                for line in saved.splitlines()
            ]
            members[member] = b"".join(to_line({name: row[name] for name in kept}) for row in rows)
    vouch(members)
    edit_manifest(members, schema_revision="0001")


def vouch(members: dict[str, bytes]) -> None:
    """Make the manifest say what the members are."""
    manifest = json.loads(members[MANIFEST])
    entries = [entry for entry in manifest["members"] if entry["name"] in members]
    for entry in entries:
        content = members[entry["name"]]
        entry.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        entry["rows"] = entry["rows"] and content.count(b"\n")
    edit_manifest(members, members=entries)


def edit_manifest(saved: dict[str, bytes], **changes: Any) -> None:
    saved[MANIFEST] = json.dumps(json.loads(saved[MANIFEST]) | changes).encode()


def rename_a_checkpoint(members: dict[str, bytes], name: str) -> None:
    """Move a checkpoint to another name, in the manifest as well."""
    old = next(each for each in members if each.startswith("checkpoints/"))
    members[name] = members.pop(old)
    members[MANIFEST] = members[MANIFEST].replace(old.encode(), name.encode())


def swap_a_row(members: dict[str, bytes]) -> None:
    rows = members["tables/jobs.jsonl"]
    members["tables/jobs.jsonl"] = rows.replace(b'"job-0"', b'"job-9"')


def repeat_a_row(members: dict[str, bytes]) -> None:
    """A row twice, with a manifest that vouches for it."""
    rows = members["tables/jobs.jsonl"]
    members["tables/jobs.jsonl"] = rows + rows.splitlines(keepends=True)[0]
    vouch(members)
