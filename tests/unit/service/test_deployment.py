"""The compose file starts what the command line has, and publishes nothing."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from service.cli import app
from service.settings import Settings, is_loopback

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_every_command_of_our_image_is_one_of_the_command_line(compose):
    ours = [service for service in compose["services"].values() if "build" in service]
    assert ours
    for service in ours:
        command, *options = service["command"]
        shown = CliRunner().invoke(app, [command, "--help"]).output
        assert all(option in shown for option in options if option.startswith("--"))


def test_nothing_is_published_beyond_loopback(compose):
    assert not any("ports" in service for service in compose["services"].values())
    serve = compose["services"]["bitfront"]["command"]
    assert is_loopback(serve[serve.index("--host") + 1])


def test_every_setting_and_secret_is_one_that_the_service_reads(compose):
    service = compose["services"]["bitfront"]
    names = [*service["environment"], *(secret.upper() for secret in service["secrets"])]
    assert {name.removeprefix("BITFRONT_").lower() for name in names} <= set(Settings.model_fields)
    assert set(service["secrets"]) <= set(compose["secrets"])


def test_a_secret_file_sets_the_database(tmp_path):
    (tmp_path / "bitfront_database_url").write_text("postgresql://somewhere/bitfront\n")
    assert Settings(_secrets_dir=tmp_path).database == "postgresql://somewhere/bitfront"
