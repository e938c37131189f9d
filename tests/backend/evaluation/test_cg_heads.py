"""Known maps of CG heads carried into our texture space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.evaluation.cg_heads import BLENDER_PYTHON_VARIABLE, _looked_up, _turned, blender_python
from backend.evaluation.subjects import heldout_records
from shared.errors import RelightifyError

SIDE = 32
SOURCES = Path(__file__).resolve().parents[4] / "shared" / "sources"


def straight_uv() -> np.ndarray:
    """Their uv (v down) where their texture lies on ours unchanged."""
    centres = (np.arange(SIDE) + 0.5) / SIDE
    return np.stack(np.meshgrid(centres, centres), axis=-1)


def test_an_unchanged_layout_gives_the_same_image() -> None:
    image = np.random.default_rng(0).random((SIDE, SIDE, 3)).astype(np.float32)
    np.testing.assert_allclose(_looked_up(image, straight_uv()), image, atol=1e-5)


def test_normals_turn_with_the_texture() -> None:
    island = np.ones((SIDE, SIDE), bool)
    leaning = np.zeros((SIDE, SIDE, 3), np.float32) + np.array([0.6, 0, 0.8], np.float32)
    np.testing.assert_allclose(_turned(leaning, straight_uv(), island), leaning, atol=1e-5)
    # On ours their picture is turned by a quarter counter-clockwise: what leaned to their right leans up.
    uv = straight_uv()
    quarter = np.stack([1 - uv[..., 1], uv[..., 0]], axis=-1)
    inner = (slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(_turned(leaning, quarter, island)[inner][0, 0], [0, 0.6, 0.8], atol=1e-4)


def test_without_blender_the_error_says_what_to_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(BLENDER_PYTHON_VARIABLE, raising=False)
    with pytest.raises(RelightifyError) as caught:
        blender_python(None)
    assert caught.value.code == "no_blender"
    with pytest.raises(RelightifyError):
        blender_python(tmp_path / "python")
    monkeypatch.setenv(BLENDER_PYTHON_VARIABLE, str(tmp_path))
    assert blender_python(None) == tmp_path


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the sources are not here")
def test_only_held_out_heads_are_tested() -> None:
    names = {r["name"] for r in heldout_records(SOURCES / "valid_heads")}
    assert names == {"MENA_F_1", "White_M_2", "Black_F_2", "Black_M_2"}
