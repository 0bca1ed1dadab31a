"""Trials on data from the disk, with every augmentation: they resume exactly, and say what is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.cost import Limit
from models.errors import DataDamagedError
from search.job import JobSpec
from search.strategy import LearnBits, proposal_to_json
from workers.report import TrialRequest
from workers.trial import TrialRun

ALL = {"crop": 2, "flip": True, "cutout": 4, "policy": "auto", "mixup": 0.3}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Small copies of published layouts."""
    folder = tmp_path / "data"
    random = np.random.default_rng(0)
    (folder / "cifar10").mkdir(parents=True)
    for name in (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"):
        pixels = random.integers(0, 256, (10, 3_072), dtype=np.uint8)
        labels = np.arange(10, dtype=np.uint8)[:, None]
        (folder / "cifar10" / name).write_bytes(np.concatenate([labels, pixels], axis=1).tobytes())
    for number in range(40):
        path = folder / "imagenet" / "train" / f"n{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(path)
    (folder / "imagenet" / "images.json").write_text('{"size": 16}')
    return folder


def trial(data: Path, name: str, identity: str, augment: dict[str, Any]) -> TrialRun:
    spec = JobSpec.model_validate(
        {
            "name": "disk",
            "architecture": {"name": "conv-net", "width": 2},
            "dataset": {"name": name, "train_samples": 24},
            "budget": {"max": [3]},
            "training": {"epochs": 2, "batch_size": 8, "augment": augment},
        }
    )
    proposal = LearnBits(budget=Limit(metric="bit_budget", maximum=3.0), note={})
    request = TrialRequest(
        trial_id=identity, spec=spec.to_json(), proposal=proposal_to_json(proposal), seed=0
    )
    return TrialRun(request, checkpoints=data.parent / "checkpoints", data_folder=data, threads=1)


@pytest.mark.parametrize("name", ["cifar10", "imagenet"])
def test_an_augmented_trial_resumes_to_the_same_weights(data: Path, name: str) -> None:
    whole, broken = trial(data, name, "whole", ALL), trial(data, name, "broken", ALL)
    reports = [whole.step(), whole.step()]
    assert broken.step().train_loss == reports[0].train_loss
    resumed = trial(data, name, "broken", ALL)
    assert resumed.step().train_loss == reports[1].train_loss
    hashes = {run.outcome().points[0].checkpoint_sha256 for run in (whole, resumed)}
    assert len(hashes) == 1


def test_augmentation_changes_what_is_trained_on_and_its_absence_does_not(data: Path) -> None:
    plain, off, augmented = (
        trial(data, "cifar10", str(number), augment).step().train_loss
        for number, augment in enumerate(({}, {"crop": 0, "mixup": 0.0}, {"flip": True}))
    )
    assert plain == off != augmented


def test_a_damaged_image_ends_the_trial_with_its_name(data: Path) -> None:
    run = trial(data, "imagenet", "damaged", {})
    for path in (data / "imagenet" / "train").glob("*/*.png"):
        path.write_bytes(path.read_bytes()[:99])
    with pytest.raises(DataDamagedError, match=r"\.png is damaged"):
        run.step()
