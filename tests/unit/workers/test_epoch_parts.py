"""A training that stores where it is within epochs: pauses change nothing, a kill loses less than a part."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.replicas import Replicas
from tests.unit.workers import test_descent
from tests.unit.workers.replicas import replicas_of
from tests.unit.workers.test_trial import PROPOSALS, RESUMED, fixed, job, learn, request
from workers.checkpoints import Checkpoint, latest_checkpoint, save_checkpoint
from workers.pace import SHARE, Pace
from workers.report import EpochReport, TrialOutcome, TrialRequest
from workers.shared_folder import mark_of
from workers.stepping import SteppedTrial
from workers.trial import TrialRun

STEPS_OF_AN_EPOCH = 7  # 200 samples in batches of 32


class AfterSteps:
    """A pace that pauses after so many steps, whatever the clock says."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def pause(self) -> Callable[[], bool]:
        left = iter(range(self.steps - 1, -1, -1))
        return lambda: next(left) == 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        yield


def opened(wanted: TrialRequest, folder: Path, pace: Any = None, **others: Any) -> TrialRun:
    return TrialRun(wanted, checkpoints=folder, data_folder=folder, threads=1, pace=pace, **others)


def ended(run: TrialRun) -> tuple[TrialOutcome, list[EpochReport]]:
    """What comes of a trial that is trained to its end; reports without what a clock told."""
    reports = [] if run.resumed is None else [run.resumed]
    while not run.finished:
        if (report := run.step()) is not None:
            reports.append(report)
    return run.outcome(), [replace(one, seconds=0, data_wait_share=0) for one in reports]


def ended_in_many_lives(wanted: TrialRequest, folder: Path, pace: Any) -> tuple[TrialOutcome, Any]:
    """The same where the process dies after each part; the next one shares only the folder."""
    reports: dict[int, EpochReport] = {}
    while not (run := opened(wanted, folder, pace)).finished:
        torch.manual_seed(12345)
        for report in (run.resumed, run.step()):
            if report is not None:
                reports[report.epoch] = replace(report, seconds=0, data_wait_share=0)
    return run.outcome(), [reports[epoch] for epoch in sorted(reports)]


@pytest.mark.parametrize(("name", "steps"), [("learned", 1), *((name, 3) for name in RESUMED)])
def test_a_trial_that_dies_after_each_part_ends_the_same_bit_for_bit(
    tmp_path: Path, name: str, steps: int
) -> None:
    kind, training = RESUMED[name]
    wanted = request(PROPOSALS[kind](tmp_path), job(**training))
    whole = ended(opened(wanted, tmp_path / "whole"))
    cut = ended_in_many_lives(wanted, tmp_path / "cut", AfterSteps(steps))
    assert cut == whole  # the hash of the point's weights among it


def test_so_does_a_descent(tmp_path: Path) -> None:
    wanted = test_descent.request()
    whole = ended(opened(wanted, tmp_path / "whole"))
    assert ended_in_many_lives(wanted, tmp_path / "cut", AfterSteps(3)) == whole


def test_pauses_change_nothing_and_come_between_steps(tmp_path: Path) -> None:
    wanted = request(learn())
    whole = ended(opened(wanted, tmp_path / "whole"))
    run = opened(wanted, tmp_path / "paused", AfterSteps(3))
    found = [run.step() for _ in range(3)]
    assert [report is None for report in found] == [True, True, False]
    assert (run.progress.epoch, run.progress.part) == (1, None)
    run.step()
    assert (run.progress.epoch, run.progress.step) == (1, STEPS_OF_AN_EPOCH + 3)
    assert run.progress.samples == 200 + 3 * 32
    outcome, _ = ended(run)
    assert outcome == whole[0]


def test_of_an_epoch_that_was_cut_the_whole_time_is_told(tmp_path: Path) -> None:
    wanted = request(fixed(tmp_path))
    opened(wanted, tmp_path, AfterSteps(4)).step()
    again = opened(wanted, tmp_path, AfterSteps(STEPS_OF_AN_EPOCH))
    assert again.resumed is None
    before = again.progress.part
    assert before is not None
    report = again.step()
    assert report is not None
    assert report.seconds > before.seconds > 0


def test_an_altered_part_leaves_the_epoch_before_it(tmp_path: Path) -> None:
    wanted = request(fixed(tmp_path))
    run = opened(wanted, tmp_path, AfterSteps(5))
    for _ in range(3):
        run.step()
    (part,) = (tmp_path / "trial-a").glob("epoch-1-step-*.safetensors")
    part.write_bytes(part.read_bytes()[:-1])
    again = opened(wanted, tmp_path)
    assert (again.progress.epoch, again.progress.part) == (1, None)


@given(st.lists(st.tuples(st.integers(0, 12), st.none() | st.integers(1, 200)), min_size=1, max_size=4))
def test_the_newest_checkpoint_is_the_one_that_trained_longest(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int | None]]
) -> None:
    folder = tmp_path_factory.mktemp("checkpoints")
    ordered = sorted(places, key=lambda place: (place[0], place[1] or 0))
    for epoch, step in ordered:
        save_checkpoint(folder, Checkpoint(epoch=epoch, step=step, tensors={}, state={}))
    found = latest_checkpoint(folder)
    assert found is not None
    assert (found.epoch, found.step or 0) == (ordered[-1][0], ordered[-1][1] or 0)
    assert len({path.stem for path in folder.iterdir()}) == min(2, len(set(ordered)))


def test_a_pace_is_as_long_as_asked_for_and_longer_where_writing_takes_long() -> None:
    now = 0.0
    pace = Pace(every=10.0, clock=lambda: now)
    due = pace.pause()
    now = 9.9
    assert not due()
    now = 10.0
    assert due()
    with pace.writing():
        now = 12.0
    due = pace.pause()
    now = 12.0 + 2.0 / SHARE - 0.1
    assert not due()
    now += 0.1
    assert due()


def test_a_stepped_trial_tells_its_parts(tmp_path: Path) -> None:
    wanted = request(fixed(tmp_path))
    config = {
        "request": json.dumps(asdict(wanted)),
        "checkpoints": str(tmp_path / "checkpoints"),
        "folder_mark": mark_of(tmp_path / "checkpoints"),
        "data_folder": str(tmp_path),
        "threads": 1,
        "checkpoint_every": 1e-9,
    }
    trial = SteppedTrial(config)
    results = [trial.step()]
    while not results[-1]["done"]:
        results.append(trial.step())
    parts = [result["part"]["samples"] for result in results if "part" in result]
    assert parts == sorted(parts)
    assert [result["epoch"]["epoch"] for result in results if "epoch" in result] == [1, 2, 3, 4]
    assert parts
    assert "outcome" in results[-1]


def paused(replicas: Replicas, wanted: TrialRequest, folder: Path) -> list[tuple[int, int]]:
    """(epochs, steps) at the pauses of a replica; only the first one's clock asks for them."""
    pace = AfterSteps(2 if replicas.first else 10_000)
    run = opened(wanted, folder, pace, replicas=replicas)
    found = []
    for _ in range(4):
        run.step()
        found.append((run.progress.epoch, run.progress.step))
    return found


def test_replicas_pause_with_the_first(tmp_path: Path) -> None:
    with replicas_of(2) as pair:
        first, second = pair(paused, request(fixed(tmp_path)), tmp_path)
    assert first == second == [(0, 2), (0, 4), (0, 6), (1, STEPS_OF_AN_EPOCH)]
