"""What the table `autoencoders` measures."""

from __future__ import annotations

import numpy as np
import torch

from backend.evaluation.autoencoders import BORDER, inner, round_trip
from backend.evaluation.metrics import psnr
from backend.prior.diffusion.autoencoder import AutoencoderConfig, MapAutoencoder


def test_what_is_not_known_does_not_disturb_the_round_trip() -> None:
    torch.manual_seed(0)
    thumbnail = MapAutoencoder.untrained(AutoencoderConfig(3, (16, 16), groups=4)).eval()
    known = np.zeros((64, 64), bool)
    known[:, :32] = True
    image = np.full((64, 64, 3), 0.6, np.float32)
    image[:, 32:] = 0.0
    rebuilt = round_trip(thumbnail, image, known)
    assert psnr(rebuilt, image, known) > 60
    fine = np.random.default_rng(0).uniform(0, 1, (64, 64, 3)).astype(np.float32)
    assert psnr(round_trip(thumbnail, fine, known), fine, known) < 20


def test_texels_beside_unknown_ones_do_not_count() -> None:
    known = np.ones((40, 40), bool)
    known[20, 20] = False
    counted = inner(known)
    assert not counted[20, 20 + BORDER]
    assert counted[20, 20 + BORDER + 1]
