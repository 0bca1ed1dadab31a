"""Truncated, altered and hostile exports are refused with a reason, before anything is made of them."""

import hashlib
import json
import struct
import zipfile
from io import BytesIO

import pytest

from models.errors import ExportDamagedError, InvalidInputError
from models.export import archive_of, contents_of, export_of, read_export, unarchived, write_export
from models.export.files import MANIFEST, SUMS, TENSORS


@pytest.fixture(scope="module")
def contents(make, export_of_network):
    """A whole export."""
    return contents_of(export_of_network(make("conv-net", {"width": 2})))


def signed(manifest, tensors):
    """Files whose hashes fit, as an attacker would write them; the manifest is bytes or a dictionary."""
    if isinstance(manifest, dict):
        manifest = json.dumps(manifest).encode()
    lines = [
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in ((MANIFEST, manifest), (TENSORS, tensors))
    ]
    return {MANIFEST: manifest, TENSORS: tensors, SUMS: "".join(lines).encode()}


def with_tensors(contents, tensors):
    manifest = json.loads(contents[MANIFEST])
    manifest["tensors"] = {"bytes": len(tensors), "sha256": hashlib.sha256(tensors).hexdigest()}
    return signed(manifest, tensors)


def refused(contents, match):
    with pytest.raises(ExportDamagedError, match=match) as caught:
        export_of(contents)
    assert caught.value.code == "export_damaged"
    assert caught.value.fix


@pytest.mark.parametrize("name", [MANIFEST, TENSORS, SUMS])
def test_a_changed_or_shortened_file_is_refused(contents, name):
    content = contents[name]
    refused({**contents, name: content[:-1]}, "SHA256SUMS")
    refused({**contents, name: content[:40] + bytes([content[40] ^ 1]) + content[41:]}, "SHA256SUMS")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"version": 3}, "version 3"),
        ({"version": True}, "version True"),
        ({"version": "1"}, "version '1'"),
        ({"format": "other"}, "bitfront-integers"),
        ({"fraction_bits": 10**9}, "fraction_bits"),
        ({"fraction_bits": 1.5}, "fraction_bits"),
        ({"nodes": []}, "nodes"),
        ({"surplus": 1}, "schema"),
        ({"input": {"shape": [1, 2**40, 2**40], "frames": 0, "stored": "uint8", "limit": 1}}, "input/shape"),
        ({"input": {"shape": [2, 2**20, 2**20], "frames": 0, "stored": "uint8", "limit": 1}}, "too many"),
        ({"tensors": {"bytes": 9, "sha256": "0" * 64}}, "not those"),
        ({"tensors": {"bytes": 9, "sha256": "0" * 64, "file": "/etc/passwd"}}, "schema"),
    ],
)
def test_a_manifest_that_breaks_the_schema_is_refused(contents, change, match):
    refused(signed(json.loads(contents[MANIFEST]) | change, contents[TENSORS]), match)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"name": "../../etc"}, "nodes/0"),
        ({"name": "a/b"}, "nodes/0"),
        ({"inputs": ["classifier"]}, "no earlier node"),
        ({"weight_shape": [2, 2, 1000000, 1000000]}, "larger than its map"),
        ({"weight_shape": [1048576, 2, 3, 3]}, "disagree|not U8|has weights"),
        ({"stride": [0, 1]}, "nodes/0"),
        ({"steps": 2}, "other spike bits"),
        ({"weight_bits": [8, 8, 8]}, "3 weight bits"),
        ({"weight_bits": [17]}, "nodes/0"),
        ({"groups": 3}, "has weights"),
        ({"op": "attention"}, "nodes/0"),
    ],
)
def test_a_node_that_cannot_be_is_refused(contents, change, match):
    manifest = json.loads(contents[MANIFEST])
    manifest["nodes"][0] |= change
    refused(signed(manifest, contents[TENSORS]), match)


def test_two_nodes_of_a_name_are_refused(contents):
    manifest = json.loads(contents[MANIFEST])
    manifest["nodes"][1]["name"] = manifest["nodes"][0]["name"]
    refused(signed(manifest, contents[TENSORS]), "two nodes")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"", "JSON"),
        (b"[]", "no JSON object"),
        (b"\xff\xfe", "JSON"),
        (b'{"format": "bitfront-integers", "format": "x"}', "twice"),
        (b'{"format": NaN}', "NaN"),
        (b'{"format": Infinity}', "Infinity"),
        (b'{"format": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "too deep"),
        (b'{"format": ' + b"[" * 100 + b"]" * 100 + b"}", "more than 32 deep"),
        (b'{"fraction_bits": ' + b"9" * 10_000 + b"}", "JSON"),
        (b" " * (17 * 2**20), "bytes"),
    ],
)
def test_json_that_is_hostile_is_refused(contents, text, match):
    refused(signed(text, contents[TENSORS]), match)


def header_of(tensors):
    (length,) = struct.unpack("<Q", tensors[:8])
    return json.loads(tensors[8 : 8 + length]), tensors[8 + length :]


def rebuilt(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_tensor_files_that_lie_are_refused(contents):
    header, data = header_of(contents[TENSORS])
    name = "convs.0.weight"

    def changed(**fields):
        return rebuilt({**header, name: {**header[name], **fields}}, data)

    begin, end = header[name]["data_offsets"]
    cases = {
        b"": "minimum",
        b"12345678": "truncated",
        struct.pack("<Q", 2**62) + b"{}": "truncated",
        contents[TENSORS] + b"\0": "bytes",
        contents[TENSORS][:-1]: "bytes",
        changed(shape=[2**60]): "is not U8",
        changed(dtype="F64"): "is not U8",
        changed(data_offsets=[begin, end + 1]): "lies where",
        changed(data_offsets=[begin + 1, end + 1]): "overlap",
        changed(data_offsets=[-8, end - begin - 8]): "lies where",
        changed(data_offsets=["0", 1]): "lies where",
        changed(more=1): "none of safetensors",
        rebuilt({**header, "another": header[name]}, data): "disagree on 'another'",
        rebuilt(
            {key: value for key, value in header.items() if key != name}, data
        ): "disagree on 'convs.0.weight'",
        rebuilt(b'{"a": 1, "a": 2}', data): "twice",
    }
    for tensors, match in cases.items():
        refused(with_tensors(contents, tensors), match)


def test_numbers_that_no_network_has_are_refused(contents):
    header, data = header_of(contents[TENSORS])
    for name, value, match in (
        ("convs.0.threshold", 0, "not above 0"),
        ("convs.0.threshold", -5, "not above 0"),
        ("convs.1.multiplier", 2**62, "too much"),
        ("convs.1.multiplier", -(2**63), "too much"),
        ("convs.1.bias", -(2**63), "too much"),
    ):
        begin = header[name]["data_offsets"][0]
        altered = data[:begin] + struct.pack("<q", value) + data[begin + 8 :]
        refused(with_tensors(contents, rebuilt(header, altered)), match)
    begin = header["input.scale"]["data_offsets"][0]
    altered = data[:begin] + struct.pack("<f", float("nan")) + data[begin + 4 :]
    refused(with_tensors(contents, rebuilt(header, altered)), "no scale")


def test_a_folder_is_read_as_it_was_written(contents, tmp_path):
    write_export(contents, tmp_path / "new" / "folder")
    assert contents_of(read_export(tmp_path / "new" / "folder")) == contents
    write_export(contents, tmp_path / "new" / "folder")


def test_a_folder_with_other_files_is_not_written_to(contents, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match=r"notes\.txt"):
        write_export(contents, tmp_path)


def test_a_link_or_a_missing_file_is_refused(contents, tmp_path):
    with pytest.raises(ExportDamagedError, match=r"no file manifest\.json"):
        read_export(tmp_path)
    write_export(contents, tmp_path / "a")
    (tmp_path / "a" / TENSORS).rename(tmp_path / "elsewhere")
    (tmp_path / "a" / TENSORS).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ExportDamagedError, match="no file tensors"):
        read_export(tmp_path / "a")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_comes_back_and_hostile_ones_do_not(contents):
    assert unarchived(archive_of(contents)) == contents
    assert archive_of(contents) == archive_of(dict(reversed(contents.items())))
    for names, compression in (
        ([*contents, "../../evil"], zipfile.ZIP_STORED),
        ([MANIFEST, TENSORS], zipfile.ZIP_STORED),
        ([*contents, MANIFEST], zipfile.ZIP_STORED),
        (list(contents), zipfile.ZIP_DEFLATED),
    ):
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name in names:
                archive.writestr(name, b"0" * 1000)
        with pytest.raises(ExportDamagedError, match="none of an export"):
            unarchived(buffer.getvalue())
    for content in (b"", b"PK", archive_of(contents)[:-30], archive_of(contents)[:100]):
        with pytest.raises(ExportDamagedError, match="archive"):
            unarchived(content)
