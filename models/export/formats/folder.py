"""An export in an open format as files: the network, a manifest and the hashes of both.

network.onnx or network.nir    the network
manifest.json                  its layers' bits and step sizes, what the format cannot express, and facts
SHA256SUMS                     the hashes of both, as `sha256sum -c` reads them
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, assert_never

from models.export.files import MANIFEST, SUMS, Contents, sums_of
from models.export.formats.real import RealNetwork, Unexpressed, annotation
from models.export.manifest import damaged, strict_json

Format = Literal["onnx", "nir"]
FORMATS: tuple[Format, ...] = ("onnx", "nir")
VERSION = 1


def names_of(form: Format) -> tuple[str, str, str]:
    """The names of the files, the network's first."""
    return f"network.{form}", MANIFEST, SUMS


def contents_as(form: Format, network: RealNetwork) -> Contents:
    """The bytes of every file. Raises ExportUnsupportedError, naming what the format cannot hold."""
    content, unexpressed = _written(form, network)
    name, *_ = names_of(form)
    manifest = json.dumps(_manifest(form, network, unexpressed), indent=1, allow_nan=False).encode()
    found = {name: content, MANIFEST: manifest}
    return found | {SUMS: sums_of(found)}


def unexpressed_of(contents: Contents) -> list[dict[str, str]]:
    """What the manifest says that the format cannot. Raises ExportDamagedError where the hashes differ."""
    hashed = {name: content for name, content in contents.items() if name != SUMS}
    if contents[SUMS] != sums_of(hashed):
        raise damaged("the files do not match SHA256SUMS.")
    found: list[dict[str, str]] = strict_json(contents[MANIFEST], "the manifest")["not_expressed"]
    return found


def _written(form: Format, network: RealNetwork) -> tuple[bytes, Sequence[Unexpressed]]:
    match form:  # each library is imported only where its format is asked for
        case "onnx":
            from models.export.formats.onnx_form import onnx_bytes

            return onnx_bytes(network)
        case "nir":
            from models.export.formats.nir_form import nir_bytes

            return nir_bytes(network)
        case _:
            assert_never(form)


def _manifest(form: Format, network: RealNetwork, unexpressed: Sequence[Unexpressed]) -> Mapping[str, Any]:
    given = network.input
    return {
        "format": f"bitfront-{form}",
        "version": VERSION,
        "input": {
            "shape": list(given.shape),
            "frames": given.frames,
            "stored": given.stored,
            "mean": given.mean_C.tolist(),
            "scale": given.scale_C.tolist(),
        },
        "layers": {node.name: annotation(node, network.reals[node.name]) for node in network.layers},
        "not_expressed": [one.to_json() for one in unexpressed],
        "facts": dict(network.facts),
    }
