"""Takes in a file: to disk as it arrives, hashed, checked, and put where workers look for it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from models.errors import StorageError
from service.store import Store
from service.uploads.checking import facts_of, unusable
from service.uploads.views import ENDINGS, UploadKind, UploadView
from workers.warm_start import warm_start_path


async def receive(
    store: Store, data: Path, chunks: AsyncIterator[bytes], *, kind: UploadKind, name: str
) -> tuple[UploadView, bool]:
    """The upload of what arrives, and whether it is new.

    Raises UploadUnusableError, QuotaExceededError, and StorageError where the disk takes no more.
    """
    with _part(data, kind) as part:
        digest, size = hashlib.sha256(), 0
        with _storing(), part.open("wb") as file:
            async for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                await run_in_threadpool(file.write, chunk)
            await run_in_threadpool(os.fsync, file.fileno())
        if not size:
            raise unusable("is empty.")
        facts = await run_in_threadpool(facts_of, kind, part)

        def keep() -> tuple[UploadView, bool]:
            with store.unit() as unit:
                unit.quotas.require_bytes(size)
                kept = unit.uploads.add(
                    kind=kind, name=name, sha256=digest.hexdigest(), size=size, facts=facts
                )
                with _storing():
                    _place(part, path_of(kept[0].id, kept[0].kind, data))
            return kept

        return await run_in_threadpool(keep)


def path_of(upload: str, kind: UploadKind, data: Path) -> Path:
    """Where workers look for an upload that a job names."""
    return data / f"{upload}{ENDINGS[kind]}" if kind == "dataset" else warm_start_path(upload, data)


@contextlib.contextmanager
def _part(data: Path, kind: UploadKind) -> Iterator[Path]:
    """A file of its own beside the others, gone at the end whatever happens."""
    with _storing():
        data.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".uploading-", suffix=ENDINGS[kind], dir=data)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _place(part: Path, to: Path) -> None:
    """The content is the same wherever its name is, so a damaged file that has it is replaced."""
    to.parent.mkdir(parents=True, exist_ok=True)
    part.chmod(0o644)
    part.replace(to)


@contextlib.contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageError(
            f"the upload cannot be stored: {reason}.", fix="Make room, then send it again."
        ) from error
