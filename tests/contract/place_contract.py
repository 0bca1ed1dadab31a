"""What every place of checkpoints keeps, whatever is behind it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from models.errors import CheckpointDamagedError
from workers.checkpoints import (
    Checkpoint,
    discard_resume,
    latest_checkpoint,
    read_tensors,
    save_checkpoint,
)
from workers.places import Place, Stored
from workers.shared_folder import mark_of, require_mark


def checkpoint(epoch: int) -> Checkpoint:
    """A small one that differs from every other."""
    return Checkpoint(epoch=epoch, tensors={"a": torch.arange(6.0) * epoch}, state={"step": epoch * 10})


class PlaceContract:
    """Inherit it and give a fixture `place`: an empty one."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        """An empty place."""
        raise NotImplementedError

    def test_what_is_written_is_read_listed_and_removed(self, place: Place) -> None:
        assert (place.names(), place.child("absent").names()) == ([], [])
        place.write("b", b"")
        place.write("a", b"one")
        place.write("a", b"two!")
        place.child("c").write("d", b"deep")
        assert place.sizes() == {"a": 4, "b": 0}
        assert place.read("a") == b"two!"
        place.remove("a")
        place.remove("a")
        assert place.names() == ["b"]
        with pytest.raises(FileNotFoundError):
            place.read("a")
        place.child("c").clear()
        place.child("absent").clear()
        assert (place.child("c").names(), place.names()) == ([], ["b"])

    def test_it_is_found_again_by_its_url(self, place: Place) -> None:
        place.child("x").write("y", b"z")
        again = self.again(place.url)
        assert again.child("x").read("y") == b"z"
        require_mark(again, mark_of(place))

    def again(self, url: str) -> Place:
        """As another process finds it."""
        from workers.places import place_of

        return place_of(url)

    def test_a_reader_sees_the_old_or_the_new_file_and_never_half_of_one(self, place: Place) -> None:
        contents = [bytes([value]) * 300_000 for value in (1, 2)]
        place.write("a", contents[0])
        done = threading.Event()

        def write() -> None:
            for turn in range(12):
                place.write("a", contents[turn % 2])
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        while not done.is_set():
            assert place.read("a") in contents
            assert place.names() == ["a"]
        writer.join()

    def test_the_newest_checkpoint_and_the_one_before_are_kept(self, place: Place) -> None:
        for epoch in (1, 2, 10):
            save_checkpoint(place, checkpoint(epoch))
        assert [name for name in place.names() if name.endswith("json")] == ["epoch-10.json", "epoch-2.json"]
        found = latest_checkpoint(place)
        assert found is not None
        assert (found.epoch, found.state) == (10, {"step": 100})
        assert torch.equal(found.tensors["a"], checkpoint(10).tensors["a"])

    def test_an_altered_or_truncated_one_falls_back_to_the_one_before_and_then_to_none(
        self, place: Place
    ) -> None:
        for epoch in (1, 2):
            save_checkpoint(place, checkpoint(epoch))
        content = place.read("epoch-2.safetensors")
        place.write("epoch-2.safetensors", content[:-1] + bytes([content[-1] ^ 1]))
        found = latest_checkpoint(place)
        assert found is not None
        assert found.epoch == 1
        place.write("epoch-1.safetensors", place.read("epoch-1.safetensors")[:30])
        assert latest_checkpoint(place) is None
        with pytest.raises(CheckpointDamagedError, match="SHA-256") as caught:
            read_tensors(Stored(place=place, name="epoch-2.safetensors"), "0" * 64)
        assert caught.value.code == "checkpoint_damaged"

    def test_discarding_what_serves_resuming_keeps_the_points(self, place: Place) -> None:
        save_checkpoint(place, checkpoint(1))
        place.write("point-0.safetensors", b"weights")
        discard_resume(place)
        assert place.names() == ["point-0.safetensors"]
