"""Settings: their defaults, the environment, and which addresses may be listened on."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from models.errors import InvalidInputError
from service.settings import Settings, is_loopback, require_loopback


def test_everything_lies_in_the_home_unless_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/bitfront.db"
    assert (settings.data, settings.checkpoints) == (tmp_path / "data", tmp_path / "checkpoints")
    assert settings.scratch == tmp_path / "scratch"


def test_a_child_process_gets_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Settings(home=tmp_path, data_folder=tmp_path / "d", port=9, lease_seconds=2.5)
    for name, value in given.to_environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == given


def test_a_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings(home=Path("here")).home == tmp_path / "here"


@pytest.mark.parametrize(("host", "url"), [("127.0.0.1", "http://127.0.0.1:9"), ("::1", "http://[::1]:9")])
def test_the_url_that_a_browser_uses(host: str, url: str) -> None:
    assert Settings(host=host, port=9).url == url


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_addresses(host: str) -> None:
    assert is_loopback(host)
    require_loopback(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.org", "localhost.example.org", ""])  # noqa: S104 - refused
def test_other_addresses_are_refused(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(InvalidInputError, match="other machines"):
        require_loopback(Settings(host=host))


@pytest.mark.parametrize("address", ["somewhere", "ray://head:10001", "head:99999", ""])
def test_what_is_no_address_of_a_cluster_is_refused(address, tmp_path):
    with pytest.raises(ValidationError, match="no address of a Ray cluster"):
        Settings(home=tmp_path, ray_address=address)


def test_the_token_of_a_cluster_lies_in_the_home_unless_it_is_named(tmp_path):
    assert Settings(home=tmp_path).ray_token == tmp_path / "ray-token"
    assert Settings(home=tmp_path, ray_token_file=tmp_path / "other").ray_token == tmp_path / "other"
