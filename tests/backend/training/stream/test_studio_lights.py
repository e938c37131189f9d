"""Blender's studio lights become small environments without losing light."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from backend.training.__main__ import main
from backend.training.stream.lights import load_environments
from backend.training.stream.studio_lights import HEIGHT, WIDTH, shrunk


def solid_angles(height: int) -> np.ndarray:
    return np.sin((np.arange(height) + 0.5) / height * np.pi)[:, None, None]


def test_a_folder_of_exr_files_becomes_an_asset_that_training_reads(tmp_path: Path) -> None:
    image = np.random.default_rng(0).uniform(0.1, 3, (2 * HEIGHT, 2 * WIDTH, 3)).astype(np.float32)
    image[: HEIGHT // 2] *= 4
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"RGB": image}).write(str(tmp_path / "sky.exr"))
    assert main(["studio-lights", str(tmp_path), "--out", str(tmp_path / "lights.npz")]) == 0
    (environment,) = load_environments(tmp_path / "lights.npz")
    assert environment.shape == (HEIGHT, WIDTH, 3)
    weight = solid_angles(HEIGHT)
    assert (environment * weight).sum() / (weight.sum() * WIDTH * 3) == pytest.approx(1, rel=1e-3)
    assert environment[: HEIGHT // 4].mean() > 3 * environment[HEIGHT // 2 :].mean()


def test_no_light_is_lost_near_the_poles() -> None:
    image = np.random.default_rng(1).uniform(0, 1, (4 * HEIGHT, 4 * WIDTH, 3))
    image[:3] += 100
    large, small = solid_angles(4 * HEIGHT), solid_angles(HEIGHT)
    whole = (image * large).sum((0, 1)) / (large.sum() * 4 * WIDTH)
    np.testing.assert_allclose((shrunk(image) * small).sum((0, 1)) / (small.sum() * WIDTH), whole, rtol=0.01)


def test_a_folder_without_lights_is_a_plain_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["studio-lights", str(tmp_path), "--out", str(tmp_path / "lights.npz")]) == 1
    assert "no EXR files" in capsys.readouterr().err
    assert not (tmp_path / "lights.npz").exists()
