"""The table of draws: what it says of rows, whom it measures how, and completions whose right scores are known."""

from __future__ import annotations

import argparse
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch

from backend.delight.delighting import DelightedTexture
from backend.evaluation import draws
from backend.evaluation.distribution.from_noise import Reality, Yardstick
from backend.evaluation.distribution.latent_features import blocks_known, features, without_tone
from backend.evaluation.distribution.skin_statistics import small_log
from backend.evaluation.draws import (
    LINEAR,
    NETWORK,
    HiddenPart,
    completion_figures,
    completion_verdicts,
    noise_verdicts,
)
from backend.evaluation.parameters import DrawSettings
from backend.evaluation.tables import Row
from backend.prior.diffusion.autoencoder import AutoencoderConfig, MapAutoencoder
from backend.prior.diffusion.weights import MAPS
from backend.texture.maps import SkinMaps
from backend.texture.regions import FaceRegions

SIDE = 128


def plain_regions() -> FaceRegions:
    nothing, face = np.zeros((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)
    return FaceRegions(nothing, nothing, nothing, nothing, nothing, nothing, face, 1.0)


def hidden_part(truth: np.ndarray) -> HiddenPart:
    known = np.ones((SIDE, SIDE), bool)
    hidden = known.copy()
    hidden[:, : SIDE // 2] = False
    delit = cast(DelightedTexture, SimpleNamespace(skin=SimpleNamespace(regions=plain_regions())))
    return HiddenPart(delit, delit, truth, hidden, known)


def skin(seed: int, roughness: float = 0.05) -> SkinMaps:
    rng = np.random.default_rng(seed)
    tone = np.array([0.7, 0.55, 0.45]) * np.exp(rng.normal(0, 0.05))
    grain = 1 + roughness * rng.standard_normal((SIDE, SIDE, 1))
    texture = np.clip(tone * grain, 0, 1).astype(np.float32)
    flat = np.zeros((SIDE, SIDE, 3), np.float32) + np.array([0, 0, 1], np.float32)
    return SkinMaps(texture, texture, np.full((SIDE, SIDE), 0.4, np.float32), flat, np.ones((SIDE, SIDE), np.float32))


def test_the_truth_itself_scores_nothing_and_blur_takes_pores_out_of_account() -> None:
    rng = np.random.default_rng(0)
    truth = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    settings = DrawSettings()
    exact = completion_figures(truth[None], hidden_part(truth), settings)
    assert exact["energy"] == pytest.approx(0, abs=1e-4)
    assert exact["best of 4"] == 99
    pores = truth + 0.1 * rng.standard_normal((8, SIDE, SIDE, 3)).astype(np.float32)
    found = completion_figures(pores, hidden_part(truth), settings)
    assert found["spread"] == pytest.approx(100 * 0.1 * np.sqrt(2), rel=0.02)
    assert found["energy"] == pytest.approx(100 * (0.1 - 0.1 / np.sqrt(2)), rel=0.03)
    assert found["usual"] == pytest.approx(20, abs=0.1)
    assert found["of the mean"] == pytest.approx(20 + 10 * np.log10(8), abs=0.2)
    assert found["energy, broad"] < 0.5 * found["energy"]


def test_only_hidden_texels_count() -> None:
    truth = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    wrong_where_seen = truth.copy()
    wrong_where_seen[:, : SIDE // 2] = 0
    assert completion_figures(wrong_where_seen[None], hidden_part(truth), DrawSettings())["energy"] == 0


def test_contenders_are_compared_person_by_person() -> None:
    energies = {LINEAR: (5.0, 9.0, 7.0), NETWORK: (4.0, 8.1, 6.1), "candidate": (4.5, 9.5, 6.5)}
    rows = [
        Row(name, "yaw 30", str(k), {"energy": value, "energy, broad": value})
        for name, values in energies.items()
        for k, value in enumerate(values)
    ]
    sentences = completion_verdicts(rows)
    assert (
        sentences[0] == "reached: yaw 30: energy of network less that of linear prior -0.93 ± 0.03, below by 2 errors"
    )
    assert any("candidate less that of network +0.77" in s and s.startswith("MISSED") for s in sentences)


def test_a_candidate_must_be_unblotched_and_at_a_third_of_todays_distance() -> None:
    good = {f"blotch {m}": 1.0 for m in ("T", "A_d", "A_s", "N")}
    today = Row(NETWORK, "from noise", "", {**good, "blotch T": 1.4, "distance": 0.6})
    candidate = Row("candidate", "from noise", "", {**good, "distance": 0.19})
    sentences = noise_verdicts([today, candidate])
    assert [s.split(":")[0] for s in sentences] == ["MISSED", "reached", "reached"]


def test_the_command_knows_its_options() -> None:
    parser = argparse.ArgumentParser()
    draws.add_arguments(parser)
    chosen = parser.parse_args(["--out", "x", "--weights", "a", "--weights", "b", "--people", "train"])
    assert [path.name for path in chosen.weights] == ["a", "b"]
    assert chosen.samples == DrawSettings().samples


def encoders() -> dict[str, MapAutoencoder]:
    torch.manual_seed(0)
    channels = dict(zip(MAPS, (3, 3, 1, 3), strict=True))
    return {
        name: MapAutoencoder.untrained(AutoencoderConfig(count, (16, 16))).eval() for name, count in channels.items()
    }


def test_what_is_not_known_of_the_usual_person_is_no_feature() -> None:
    seen = np.ones((SIDE, SIDE), np.float32)
    half = seen.copy()
    half[:, SIDE // 2 :] = 0
    assert blocks_known([seen, half, half]).sum() == 8
    blocks = blocks_known([half])
    image = 2 * skin(0).texture_srgb - 1
    other = image.copy()
    other[:, SIDE // 2 :] = -1
    own = features(image, half > 0, encoders()["texture"], blocks)
    assert own.shape == (6 * 8,)
    np.testing.assert_array_equal(own, features(other, half > 0, encoders()["texture"], blocks))


def test_tone_is_taken_off_over_what_is_known() -> None:
    known = np.zeros((4, 4), bool)
    known[0] = True
    found = without_tone({"a": np.arange(16, dtype=np.float32).reshape(4, 4, 1) / 16}, known)["a"]
    assert found[known].mean() == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_samples_like_the_real_ones_are_near_and_others_far_and_copies_are_told() -> None:
    people = {str(k): skin(k) for k in range(8)}
    normals = people["0"].normal
    rng = np.random.default_rng(9)
    normals = normals + 0.3 * rng.standard_normal(normals.shape)
    training = np.stack([small_log(skin(100 + k).texture_srgb, SIDE) for k in range(10)])
    reality = Reality(people, [], training, encoders(), plain_regions(), normals)
    yardstick = Yardstick(reality, DrawSettings(rounds=60))
    (alike,) = yardstick.rows("alike", [skin(50 + k) for k in range(8)])
    (rough,) = yardstick.rows("rough", [skin(50 + k, 0.2) for k in range(8)])
    (copies,) = yardstick.rows("copies", [skin(100 + k) for k in range(8)])
    assert alike.values["fine T"] == pytest.approx(1, abs=0.1)
    assert rough.values["fine T"] == pytest.approx(16, rel=0.3)
    assert alike.values["distance, p"] > 0.05 > rough.values["distance, p"]
    assert rough.values["distance"] > 3 * abs(alike.values["distance"])
    assert copies.values["novelty"] < 0.9 < alike.values["novelty"]
    assert yardstick.real_row().values["blotch T"] == 1
