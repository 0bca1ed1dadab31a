"""The compose file starts what the command line has and publishes only the API; its parts fit together."""

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


def of_our_image(compose, program):
    """The services that run `bitfront` or `ray`."""
    ours = [service for service in compose["services"].values() if service.get("image") == "bitfront"]
    return [service for service in ours if service.get("entrypoint", ["bitfront"]) == [program]]


def test_every_command_of_our_image_is_one_of_the_command_line(compose):
    ours = of_our_image(compose, "bitfront")
    assert ours
    for service in ours:
        command, *options = service["command"]
        shown = CliRunner().invoke(app, [command, "--help"]).output
        assert all(option in shown for option in options if option.startswith("--"))


def test_nothing_but_the_api_is_published_and_that_on_loopback(compose):
    published = {
        name: service["ports"] for name, service in compose["services"].items() if "ports" in service
    }
    assert set(published) <= {"api", *in_profiles(compose)}
    for ports in published.values():
        assert all(is_loopback(port.split(":")[0]) for port in ports)
    assert compose["networks"]["inside"] == {"internal": True}


def in_profiles(compose):
    """The services that start only where their profile is asked for."""
    return {name for name, service in compose["services"].items() if "profiles" in service}


def test_every_setting_and_secret_is_one_that_the_service_reads(compose):
    for service in of_our_image(compose, "bitfront"):
        names = {name.removeprefix("BITFRONT_").lower() for name in service["environment"]}
        assert names <= set(Settings.model_fields)
        read = {secret.removeprefix("bitfront_") for secret in service["secrets"]} & set(
            Settings.model_fields
        )
        named = {
            Path(value).name for value in service["environment"].values() if "/run/secrets/" in str(value)
        }
        assert {secret.removeprefix("bitfront_") for secret in service["secrets"]} == read | named
        assert set(service["secrets"]) <= set(compose["secrets"])


def test_every_part_of_ray_has_the_token_and_no_dashboard(compose):
    parts = of_our_image(compose, "ray")
    assert len(parts) == 2
    for service in parts:
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
        assert service["environment"]["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"
        assert "ray_token" in service["secrets"]
    (head,) = [service for service in parts if "--head" in service["command"]]
    assert "--include-dashboard=false" in head["command"]


def test_trials_and_service_see_the_same_folder(compose):
    everywhere = of_our_image(compose, "bitfront") + of_our_image(compose, "ray")
    assert {tuple(service["volumes"]) for service in everywhere} == {("home:/data",)}


def test_every_wait_for_a_healthy_service_is_for_one_that_checks_its_health(compose):
    services = compose["services"]
    for service in services.values():
        for name, wanted in service.get("depends_on", {}).items():
            assert wanted["condition"] != "service_healthy" or "healthcheck" in services[name]


def test_a_secret_file_sets_the_database(tmp_path):
    (tmp_path / "bitfront_database_url").write_text("postgresql://somewhere/bitfront\n")
    assert Settings(_secrets_dir=tmp_path).database == "postgresql://somewhere/bitfront"
