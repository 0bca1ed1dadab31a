"""Folders, fsspec's memory and local file systems and an S3-compatible server keep the contract of places."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import fsspec
import pytest

from models.errors import InvalidInputError, StorageError
from tests.contract.place_contract import PlaceContract, checkpoint
from tests.s3_server import S3Server
from workers.checkpoints import latest_checkpoint
from workers.failures import failure_of
from workers.places import LocalPlace, Place, RemotePlace, place_of


class TestFolder(PlaceContract):
    """A folder of this machine."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return place_of(tmp_path / "checkpoints")


class TestMemory(PlaceContract):
    """fsspec's memory, which puts objects whole as stores do."""

    @pytest.fixture
    def place(self) -> Place:
        return place_of(f"memory://{uuid.uuid4().hex}")


class TestMovedIntoPlace(PlaceContract):
    """A file system where a file is seen while it is written: fsspec's own for local files."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        return self.again(f"slow://{tmp_path}/checkpoints")

    def again(self, url: str) -> Place:
        return RemotePlace(fsspec.filesystem("local"), url.removeprefix("slow://"), "slow")


class TestS3(PlaceContract):
    """A bucket of a server in a process of its own."""

    @pytest.fixture
    def place(self, s3_server: S3Server) -> Place:
        return place_of(f"s3://{s3_server.new_bucket()}/some/folder")


def test_a_store_that_does_not_answer_or_refuses_is_no_place_without_checkpoints(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = place_of("s3://no-such-bucket/x")
    with pytest.raises(StorageError, match="s3://no-such-bucket/x") as caught:
        absent.write("a", b"content")
    assert caught.value.code == "storage_unavailable"
    from s3fs import S3FileSystem

    secret = "wJalrXUtnFEMI-K7MDENG"
    nobody = "http://127.0.0.1:9"  # the port of discard, where nothing listens
    options: dict[str, Any] = {"key": "AKIDEXAMPLE", "secret": secret, "endpoint_url": nobody}
    options["config_kwargs"] = {"retries": {"max_attempts": 0}}
    monkeypatch.setattr(S3FileSystem, "retries", 1)
    away = RemotePlace(S3FileSystem(skip_instance_cache=True, **options), "bucket/x", "s3")
    with pytest.raises(StorageError) as gone:
        latest_checkpoint(away)
    shown = f"{gone.value} {gone.value.__cause__} {failure_of(gone.value).message}"
    assert secret not in shown
    assert "AKIDEXAMPLE" not in shown


def test_a_url_with_a_secret_or_without_a_bucket_is_refused_without_showing_it() -> None:
    for url in ("s3://key:hidden@bucket/x", "s3://bucket/x?token=hidden", "simplecache::s3://b/x#hidden"):
        with pytest.raises(InvalidInputError, match="environment") as caught:
            place_of(url)
        assert "hidden" not in str(caught.value)
    for url, words in (("memory://", "no bucket"), ("gopher://x/y", "no place")):
        with pytest.raises(InvalidInputError, match=words):
            place_of(url)
    assert isinstance(place_of("file:///tmp/x"), LocalPlace)
    assert checkpoint(1).epoch == 1
