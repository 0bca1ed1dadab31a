"""The manifests under deploy/kubernetes: Kubernetes' own schemas accept them, and their parts fit."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner

from service.cli import app
from service.settings import Settings

FOLDER = Path(__file__).parents[3] / "deploy/kubernetes"
VERSION = "1.31.0"
MANIFESTS = [
    manifest for path in sorted(FOLDER.glob("*.yaml")) for manifest in yaml.safe_load_all(path.read_text())
]
OWN = [manifest for manifest in MANIFESTS if manifest["apiVersion"] != "ray.io/v1"]


def pods():
    """The template of every pod, those of the Ray cluster among them."""
    for manifest in MANIFESTS:
        spec = manifest["spec"]
        if manifest["kind"] == "RayCluster":
            yield spec["headGroupSpec"]["template"]
            yield from (group["template"] for group in spec["workerGroupSpecs"])
        elif "template" in spec:
            yield spec["template"]


PODS = list(pods())


def containers():
    return [container for pod in PODS for container in pod["spec"]["containers"]]


def variables(container):
    return {given["name"]: given["value"] for given in container.get("env", [])}


@pytest.mark.parametrize("manifest", OWN, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_kubernetes_own_schema_accepts_it(manifest):
    kubernetes_validate.validate(manifest, VERSION, strict=True)


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: pod["metadata"]["labels"]["part"])
def test_every_pod_is_one_by_the_schema_also_within_the_ray_cluster(pod):
    template = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "any"}, "template": pod}
    kubernetes_validate.validate(template, VERSION, strict=True)


def test_a_field_with_a_typing_error_would_be_found():
    wrong = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"accessMode": ["ReadWriteMany"]}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_no_pod_runs_as_root_or_may_become_root():
    for pod in PODS:
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
    for container in containers():
        assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_all_pods_see_the_same_home():
    for container in containers():
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts["home"] == "/data"


def test_every_command_and_setting_is_one_that_there_is():
    for container in containers():
        settings = [name for name in variables(container) if name.startswith("BITFRONT_")]
        assert {name.removeprefix("BITFRONT_").lower() for name in settings} <= set(Settings.model_fields)
        if command := container.get("args"):
            shown = CliRunner().invoke(app, [command[0], "--help"])
            assert shown.exit_code == 0
            assert all(option in shown.output for option in command if option.startswith("--"))


def test_every_part_of_ray_shows_a_token_and_only_its_own_parts_reach_it():
    ray = [container for container in containers() if container["name"].startswith("ray-")]
    assert all(variables(container)["RAY_AUTH_MODE"] == "token" for container in ray)
    policies = {one["metadata"]["name"]: one["spec"] for one in MANIFESTS if one["kind"] == "NetworkPolicy"}
    (rule,) = policies["bitfront-ray"]["ingress"]
    expressions = rule["from"][0]["podSelector"]["matchExpressions"]
    assert {"key": "part", "operator": "In", "values": ["ray", "dispatcher"]} in expressions
