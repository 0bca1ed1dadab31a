"""`bitfront doctor`: each check where all is well and where it is not, and what the command makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from models.errors import BitfrontError
from models.functional.kernels import build
from service import doctor
from service.cli import app as command_line
from service.settings import Settings
from service.store import Store
from service.store.engine import open_engine
from service.store.schema import migrate


def test_everything_that_is_installed_here_works(settings: Settings) -> None:
    found = doctor.diagnose(settings, lambda: "it is ready")
    assert found.works
    names = [check.name for check in found.checks]
    assert names == [
        "Python", "torch", "ray", "compiler", "GPU", "home", "disk space", "data sets", "database",
        "charts", "service",
    ]  # fmt: skip
    assert all(check.fix for check in found.checks if check.verdict != "fine")
    assert found.checks[-1].found == "it is ready"


def test_an_old_python_and_a_missing_library_are_wrong() -> None:
    assert doctor.python((3, 11, 0)).verdict == "fine"
    assert (doctor.python((3, 10, 9)).verdict, doctor.python((3, 10, 9)).found) == ("wrong", "3.10.9")
    missing = doctor.library("no_such_library", fix="Install it.")
    assert (missing.verdict, missing.fix) == ("wrong", "Install it.")


def test_without_a_compiler_training_is_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Any:
        raise build.BuildError("there is no C compiler")

    monkeypatch.setattr(build, "load", none)
    found = doctor.compiler()
    assert (found.verdict, found.found) == ("note", "there is no C compiler")
    assert "apt install gcc" in found.fix


@pytest.mark.parametrize(
    ("driver", "found"),
    [(None, "none"), ("/usr/bin/nvidia-smi", "there is a driver, but torch cannot use it")],
)
def test_a_gpu_that_torch_does_not_see(
    driver: str | None, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: driver)
    assert (doctor.gpu().verdict, doctor.gpu().found) == ("note", found)


def test_gpus_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda number: f"GPU {number}")
    assert doctor.gpu().found == "GPU 0, GPU 1"


def test_a_home_is_a_folder_that_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.folder("home", tmp_path).verdict == "fine"
    later = doctor.folder("home", tmp_path / "a" / "b")
    assert (later.verdict, "made at the first start" in later.found) == ("fine", True)
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("")
    assert doctor.folder("home", tmp_path / "file" / "b").verdict == "wrong"
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    assert "cannot be written" in doctor.folder("home", tmp_path).found


@pytest.mark.parametrize(("free", "verdict"), [(2**40, "fine"), (2**31, "note"), (2**20, "wrong")])
def test_disk_space(tmp_path: Path, free: int, verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    assert doctor.space(tmp_path / "none").verdict == verdict


def test_data_sets_that_are_missing_are_named(tmp_path: Path) -> None:
    found = doctor.data(tmp_path)
    assert "digits" in found.found
    assert (found.verdict, "cifar10" in found.fix, str(tmp_path) in found.fix) == ("note", True, True)


def test_a_database_is_new_current_older_or_out_of_reach(settings: Settings) -> None:
    file = settings.home / "bitfront.db"
    assert "made at the first start" in doctor.database(settings).found
    assert not file.exists()
    engine = open_engine(settings.database)
    migrate(engine, to="0001")
    engine.dispose()
    assert doctor.database(settings).verdict == "note"
    store = Store.open(settings.database)
    store.migrate()
    store.close()
    assert doctor.database(settings).verdict == "fine"
    file.write_bytes(b"not a database" * 100)
    assert doctor.database(settings).verdict == "wrong"


def test_a_server_that_does_not_answer_is_wrong_and_its_password_is_not_shown(settings: Settings) -> None:
    url = "postgresql://someone:secret@127.0.0.1:9/none"
    found = doctor.database(settings.model_copy(update={"database_url": url}))
    assert found.verdict == "wrong"
    assert "secret" not in found.model_dump_json()


def test_a_check_that_breaks_does_not_hide_the_others() -> None:
    def broken() -> doctor.Check:
        raise RuntimeError("driver\nlong trace")

    found = doctor.guarded("GPU", broken)
    assert (found.name, found.verdict, found.found) == ("GPU", "wrong", "RuntimeError: driver")


def test_without_a_service_it_still_works() -> None:
    def away() -> str:
        raise BitfrontError("no answer", fix="Start it.")

    assert doctor.service(away).verdict == "note"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(command_line, ["--url", "http://127.0.0.1:9", "doctor", *arguments])


def test_the_command_says_what_to_do_and_exits_1_where_something_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = run("--home", str(tmp_path))
    assert fine.exit_code == 0, fine.output
    assert "✓ Python" in fine.output
    assert "bitfront serve" in fine.output
    assert "Bitfront works here." in fine.output
    monkeypatch.setattr(doctor, "TOO_LITTLE_SPACE", 2**62)
    wrong = run("--home", str(tmp_path), "--json")
    assert wrong.exit_code == 1
    found = json.loads(wrong.stdout)
    assert not found["works"]
    assert [check["name"] for check in found["checks"] if check["verdict"] == "wrong"] == ["disk space"]
    assert list(tmp_path.iterdir()) == []
