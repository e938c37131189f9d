"""Training the coarse prior from a pack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.head.model import load_head_model
from backend.prior.channels import LINEAR
from backend.prior.linear.factor_model import (
    layout_of,
    load_coarse_prior,
)
from backend.training.priors.linear import SIDE
from backend.training.priors.linear_command import as_maps, sheet, train
from backend.training.skin.pack import SkinPack, save_pack

pytestmark = pytest.mark.slow

PEOPLE, SAMPLES = 3, 5


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tones = np.array([[224, 172, 140], [170, 120, 92], [92, 62, 48]], np.uint8)
    albedo = np.zeros((PEOPLE, SIDE, SIDE, 3), np.uint8) + tones[:, None, None]
    certain = np.full((PEOPLE, 64, 64), 255, np.uint8)
    names = tuple(f"p/{i}" for i in range(PEOPLE))
    path = tmp_path_factory.mktemp("pack") / "pack.npz"
    save_pack(SkinPack(albedo, certain, np.zeros((PEOPLE, 100), np.float32), names, {"credits": "nobody"}), path)
    return path


def test_a_pack_gives_a_prior_of_skin(pack: Path, tmp_path: Path) -> None:
    path = tmp_path / "prior.safetensors"
    _, size = train(pack, path, SAMPLES, seed=1)
    prior = load_coarse_prior(path)
    assert size == path.stat().st_size < 6 * 2**20
    assert prior.layout == layout_of(load_head_model())
    assert prior.metadata["samples"] == SAMPLES
    assert prior.metadata["credits"] == "nobody"
    red, green, blue = np.exp(prior.mean_maps(64)[..., LINEAR.diffuse]).mean((0, 1))
    assert 0.9 > red > green > blue > 0.01
    assert sheet(prior, 0, count=1).shape == (2 * SIDE, 4 * SIDE, 3)


def test_samples_of_the_stream_become_maps() -> None:
    sample = torch.zeros(10, 8, 8)
    sample[0:3], sample[3:6], sample[6], sample[9] = 1.0, -1.0, 0.0, 1.0
    maps = as_maps(sample)
    assert maps.texture_srgb.min() == 1.0
    assert maps.diffuse_albedo_srgb.max() == 0.0
    assert np.all(maps.specular_albedo == 0.5)
    np.testing.assert_array_equal(maps.normal[0, 0], [0, 0, 1])
