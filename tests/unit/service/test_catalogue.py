"""The catalogue of everything that is installed, as the API sends it."""

import json

from models.nets import architectures
from service.api.catalogue import registered


def test_every_architecture_is_sent_with_its_settings_of_every_kind():
    views = json.loads(json.dumps([view.model_dump(mode="json") for view in registered().architectures()]))
    assert [view["name"] for view in views] == list(architectures())
    settings = {view["name"]: view["details"]["settings"] for view in views}
    assert settings["resnet19"] == {
        "width": {"kind": "whole", "default": 128, "minimum": 1, "maximum": 512},
        "stem": {"kind": "choice", "default": "cifar", "choices": ["cifar", "imagenet"]},
    }
