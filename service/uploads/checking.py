"""Reads the headers of an uploaded file, and refuses what no job could use. Nothing is unpickled."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import Any, assert_never

from service.errors import UploadUnusableError
from service.uploads.views import UploadKind

MOST_TENSORS = 100_000
MOST_BYTES = 4 * 2**30
FLOATS = frozenset({"F64", "F32", "F16", "BF16"})


def facts_of(kind: UploadKind, path: Path) -> dict[str, Any]:
    """What the headers say. Raises UploadUnusableError, which names what is wrong."""
    match kind:
        case "dataset":
            return _dataset(path)
        case "weights":
            return _weights(path)
        case _:
            assert_never(kind)


def _dataset(path: Path) -> dict[str, Any]:
    from workers.data.npz import NpzFile  # imports torch

    _whole_archive(path)
    info = NpzFile(path).info()
    if not info.available:
        raise unusable(info.reason.replace(f"{path.name} ", "").removesuffix(" See docs/data.md."))
    return {
        "sample_shape": list(info.sample_shape),
        "classes": info.classes,
        "train_samples": info.train_samples,
    }


def _whole_archive(path: Path) -> None:
    """Every member is read against its checksum, once their declared sizes are known to be bearable."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MOST_BYTES:
                raise unusable(f"would unpack to {size:,} bytes; at most {MOST_BYTES:,} are taken.")
            damaged = archive.testzip()
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise unusable(f"cannot be read as .npz ({error}).") from error
    if damaged is not None:
        raise unusable("is damaged: a checksum of its arrays does not match.")


def _weights(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
            parts = [file.get_slice(name) for name in names[:MOST_TENSORS]]
            kinds = {part.get_dtype() for part in parts}
            sizes = [math.prod(part.get_shape()) for part in parts]
    except (SafetensorError, OSError, ValueError) as error:
        raise unusable(f"cannot be read as safetensors ({error}).") from error
    if not names or len(names) > MOST_TENSORS:
        raise unusable(f"holds {len(names)} tensors; 1 to {MOST_TENSORS:,} are taken.")
    if not kinds <= FLOATS | {"I64"}:  # batch norms count their batches in whole numbers
        raise unusable(f"holds tensors of {', '.join(sorted(kinds - FLOATS))}; weights are floats.")
    return {"tensors": len(names), "values": sum(sizes)}


def unusable(what: str) -> UploadUnusableError:
    """The error for a file that is none of its kind."""
    return UploadUnusableError(f"the file {what}", fix="See docs/data.md for what a file needs to have.")
