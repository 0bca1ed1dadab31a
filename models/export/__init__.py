"""Integer export: a trained network as whole numbers, their files, and an engine that runs them."""

from models.export.engine import IntegerNetwork
from models.export.files import (
    archive_of,
    contents_of,
    export_of,
    read_export,
    read_folder,
    unarchived,
    write_export,
)
from models.export.integers import Export, InputSpec
from models.export.make import make_export

__all__ = [
    "Export",
    "InputSpec",
    "IntegerNetwork",
    "archive_of",
    "contents_of",
    "export_of",
    "make_export",
    "read_export",
    "read_folder",
    "unarchived",
    "write_export",
]
