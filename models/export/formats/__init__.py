"""Open formats of a trained network: ONNX and NIR, each in a folder with a manifest and hashes."""

from models.export.formats.folder import FORMATS, Format, contents_as, names_of, unexpressed_of
from models.export.formats.real import RealNetwork, real_network

__all__ = ["FORMATS", "Format", "RealNetwork", "contents_as", "names_of", "real_network", "unexpressed_of"]
