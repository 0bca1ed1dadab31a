"""Checkpoints are whole or absent, and an altered one is never believed."""

import pytest
import torch

from models.errors import CheckpointDamagedError
from workers.checkpoints import (
    Checkpoint,
    discard_resume,
    latest_checkpoint,
    read_tensors,
    save_checkpoint,
    write_tensors,
)


def checkpoint(epoch):
    return Checkpoint(
        epoch=epoch, tensors={"a": torch.arange(6.0).reshape(2, 3) * epoch}, state={"step": epoch * 10}
    )


def test_the_newest_checkpoint_comes_back_whole(tmp_path):
    save_checkpoint(tmp_path, checkpoint(1))
    save_checkpoint(tmp_path, checkpoint(2))
    found = latest_checkpoint(tmp_path)
    assert found.epoch == 2
    assert found.state == {"step": 20}
    assert torch.equal(found.tensors["a"], checkpoint(2).tensors["a"])


def test_older_checkpoints_and_temporary_files_do_not_pile_up(tmp_path):
    for epoch in range(1, 5):
        save_checkpoint(tmp_path, checkpoint(epoch))
    assert sorted({path.stem for path in tmp_path.iterdir()}) == ["epoch-3", "epoch-4"]


def test_a_folder_without_checkpoints_has_none(tmp_path):
    assert latest_checkpoint(tmp_path / "absent") is None


@pytest.mark.parametrize("kept_bytes", [0, 7, 40])
def test_a_truncated_checkpoint_is_passed_over(tmp_path, kept_bytes):
    save_checkpoint(tmp_path, checkpoint(3))
    tensors = tmp_path / "epoch-3.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:kept_bytes])
    assert latest_checkpoint(tmp_path) is None


def test_a_record_that_is_no_json_is_passed_over(tmp_path):
    save_checkpoint(tmp_path, checkpoint(3))
    (tmp_path / "epoch-3.json").write_text("{")
    assert latest_checkpoint(tmp_path) is None


def test_tensors_written_without_their_record_do_not_count(tmp_path):
    save_checkpoint(tmp_path, checkpoint(1))
    write_tensors(tmp_path / "epoch-2.safetensors", checkpoint(2).tensors)
    assert latest_checkpoint(tmp_path).epoch == 1


def test_altered_tensors_are_refused_by_their_hash(tmp_path):
    path = tmp_path / "point.safetensors"
    sha256 = write_tensors(path, checkpoint(1).tensors)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointDamagedError, match="SHA-256"):
        read_tensors(path, sha256)


def test_discarding_resume_files_keeps_the_points(tmp_path):
    save_checkpoint(tmp_path, checkpoint(1))
    write_tensors(tmp_path / "point-0.safetensors", checkpoint(1).tensors)
    discard_resume(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["point-0.safetensors"]
