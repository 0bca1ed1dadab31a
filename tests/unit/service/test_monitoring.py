"""The alerts and the dashboard ask for metrics that the service has."""

import json
import re
from pathlib import Path

import yaml
from prometheus_client import generate_latest

from service.api.metrics import Metrics, StoreMetrics, counts_of

FOLDER = Path(__file__).parents[3] / "deploy/monitoring"


def asked_for():
    """Every metric that an expression names, with the expression."""
    alerts = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    expressions = [rule["expr"] for group in alerts for rule in group["rules"]]
    panels = json.loads((FOLDER / "bitfront.json").read_text())["panels"]
    expressions += [target["expr"] for panel in panels for target in panel["targets"]]
    return {name for expression in expressions for name in re.findall(r"bitfront_\w+", expression)}


def test_every_metric_of_an_alert_and_of_a_panel_is_one_that_the_service_has(store):
    metrics = Metrics()
    metrics.registry.register(StoreMetrics(lambda: counts_of(store)))
    metrics.answered(method="GET", route="/", status=200, seconds=0.1)
    shown = generate_latest(metrics.registry).decode()
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", shown, flags=re.MULTILINE))
    suffixes = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
    there = {name + suffix for name, kind in kinds.items() for suffix in suffixes[kind]}
    assert asked_for() <= there, asked_for() - there


def test_the_service_is_asked_with_a_key_where_it_listens():
    (job,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    compose = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text())["services"]
    host, port = job["static_configs"][0]["targets"][0].split(":")
    assert port in compose[host]["command"]
    key = Path(job["authorization"]["credentials_file"])
    assert key.parent == Path("/run/secrets")
    assert key.name in compose["prometheus"]["secrets"]


def test_every_file_that_a_container_mounts_is_there():
    compose = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text())["services"]
    mounted = [volume.split(":")[0] for service in compose.values() for volume in service["volumes"]]
    files = [path for path in mounted if path.startswith("./")]
    assert files
    assert all((FOLDER.parents[1] / path).is_file() for path in files)
