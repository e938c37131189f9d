"""The network of the feature distance."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.evaluation import face_features
from backend.evaluation.face_features import FeatureNet, feature_distance, load_features


def test_the_network_has_the_published_shape() -> None:
    net = FeatureNet()
    assert sum(p.numel() for p in net.parameters()) == 3_371_008
    with torch.inference_mode():
        assert net.eval()(torch.zeros(1, 3, 224, 224)).shape == (1, 1280)


def test_equal_images_are_at_no_distance_and_others_are_not() -> None:
    torch.manual_seed(0)
    net = FeatureNet().eval()
    image = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)
    assert feature_distance(net, image, image) == pytest.approx(0, abs=1e-5)
    assert feature_distance(net, image, 0 * image) > 1e-4


def test_without_the_package_there_are_no_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_features, "PACKAGE", "no_such_package_anywhere")
    assert load_features() is None
