"""Exports as files: a folder of three, or the same three in one archive.

    manifest.json          what the network is
    tensors.safetensors    its numbers
    SHA256SUMS             the hashes of both, as `sha256sum -c` reads them

The names are fixed and no path stands in any file, so nothing that is read can point elsewhere.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import InvalidInputError
from models.export.bounds import RangeError, bounds_of
from models.export.integers import AttentionIntegers, Export, InputSpec
from models.export.manifest import damaged, manifest_of, nodes_of, parsed
from models.export.nodes import AttentionNode, LayerNode, Node
from models.export.shapes import Edge
from models.export.tensors import (
    attention_integers,
    check_header,
    expected,
    layer_integers,
    loaded,
    tensor_bytes,
)

MANIFEST, TENSORS, SUMS = "manifest.json", "tensors.safetensors", "SHA256SUMS"
NAMES = (MANIFEST, TENSORS, SUMS)
MOST_BYTES = 16 * 2**30
Contents = Mapping[str, bytes]


def contents_of(export: Export) -> Contents:
    """The bytes of every file of an export; a pure function of it."""
    tensors = tensor_bytes(export)
    record = {"bytes": len(tensors), "sha256": hashlib.sha256(tensors).hexdigest()}
    manifest = json.dumps(manifest_of(export, record), indent=1, allow_nan=False).encode()
    found = {MANIFEST: manifest, TENSORS: tensors}
    return found | {SUMS: sums_of(found)}


def export_of(contents: Contents) -> Export:
    """The export in these files, checked from the outside in. Raises ExportDamagedError."""
    if contents[SUMS] != sums_of({name: contents[name] for name in (MANIFEST, TENSORS)}):
        raise damaged("the files do not match SHA256SUMS.")
    manifest = parsed(contents[MANIFEST])
    nodes, edges = nodes_of(manifest)
    tensors = contents[TENSORS]
    record = manifest["tensors"]
    if record != {"bytes": len(tensors), "sha256": hashlib.sha256(tensors).hexdigest()}:
        raise damaged("the tensors are not those of the manifest.", "/tensors")
    check_header(tensors, expected(manifest["input"]["shape"][0], nodes))
    found = loaded(tensors)
    given = manifest["input"]
    export = Export(
        fraction_bits=manifest["fraction_bits"],
        input=InputSpec(
            shape=tuple(given["shape"]),
            frames=given["frames"],
            stored=given["stored"],
            limit=given["limit"],
            mean_C=found["input.mean"],
            scale_C=found["input.scale"],
        ),
        nodes=nodes,
        integers={node.name: layer_integers(node, found) for node in nodes if isinstance(node, LayerNode)},
        attentions=_attentions(nodes, edges, found),
        facts=manifest["facts"],
    )
    _check_numbers(export)
    return export


def _attentions(
    nodes: Sequence[Node], edges: Mapping[str, Edge], tensors: Mapping[str, Any]
) -> Mapping[str, AttentionIntegers]:
    steps = {node.name: node.steps for node in nodes if isinstance(node, LayerNode)}
    return {
        node.name: attention_integers(node, steps, edges[node.name].frames, tensors)
        for node in nodes
        if isinstance(node, AttentionNode)
    }


def write_export(contents: Contents, folder: Path) -> None:
    """Write the files into a folder that is new, empty or holds such files. Raises InvalidInputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strange = sorted(path.name for path in folder.iterdir() if path.name not in contents)
        if strange:
            raise InvalidInputError(
                f"{folder} holds other files, such as {strange[0]}.", fix="Name a new folder."
            )
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise InvalidInputError(f"{folder} cannot be written: {error.strerror}.") from None


def read_folder(folder: Path) -> Contents:
    """The bytes of a folder's files. Raises ExportDamagedError."""
    found = {}
    for name in NAMES:
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise damaged(f"{folder} has no file {name}.")
        if path.stat().st_size > MOST_BYTES:
            raise damaged(f"{path} is too large.")
        found[name] = path.read_bytes()
    return found


def read_export(folder: Path) -> Export:
    """The export in a folder. Raises ExportDamagedError."""
    return export_of(read_folder(folder))


def archive_of(contents: Contents) -> bytes:
    """The files as one uncompressed ZIP archive; equal files give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(contents.items()):
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def unarchived(content: bytes, names: Sequence[str] = NAMES) -> Contents:
    """The files of an archive. Raises ExportDamagedError where it holds others, or compressed ones."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            plain = all(
                entry.compress_type == zipfile.ZIP_STORED and entry.file_size <= len(content)
                for entry in entries
            )
            if sorted(entry.filename for entry in entries) != sorted(names) or not plain:
                raise damaged("the archive is none of an export.")
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise damaged(f"the archive is damaged: {error}.") from None


def sums_of(contents: Contents) -> bytes:
    """The lines of SHA256SUMS for these files."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items()]
    return "".join(lines).encode()


def _check_numbers(export: Export) -> None:
    given = export.input
    if not (
        np.isfinite(given.mean_C).all() and np.isfinite(given.scale_C).all() and (given.scale_C > 0).all()
    ):
        raise damaged("the scale of the input is no scale.")
    try:
        bounds_of(export.nodes, export.edges, export.integers, given.limit, export.attentions)
    except RangeError as error:
        raise damaged(f"{error}, which is too much for exact arithmetic.") from None
