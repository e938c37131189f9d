"""Relief from fine detail."""

from __future__ import annotations

import numpy as np

from backend.detail.surface import fine_height, laid_over, relief_share

PER_MM, SIDE = 3.2, 1024


def test_broad_grain_is_hardly_relief_but_creases_are() -> None:
    plain, creased = np.zeros((64, 64), np.float32), np.ones((64, 64), np.float32)
    slopes = {}
    for name, crease in (("grain", plain), ("crease", creased)):
        for wave in (1.0, 3.5):
            phase = np.arange(SIDE) / PER_MM * (2 * np.pi / wave)
            relief = (0.03 * np.sin(phase)[None] * np.ones((SIDE, 1))).astype(np.float32)
            height = fine_height(relief, crease, PER_MM, coarsest=4)
            slopes[name, wave] = float(np.diff(height, axis=1).std() * PER_MM)
    assert slopes["grain", 3.5] < 0.4 * slopes["crease", 3.5]
    assert slopes["grain", 1.0] > 0.45 * slopes["crease", 1.0]


def test_the_share_of_relief_falls_with_wavelength_and_is_all_of_a_crease() -> None:
    crease = np.array([0.0, 0.5, 1.0], np.float32)
    fine, broad = (relief_share(w, crease) for w in (0.3, 3.0))
    assert fine[0] > 0.9 > 0.3 > broad[0]
    assert broad[0] < broad[1] < broad[2] == 1


def test_fine_relief_lies_on_inferred_normals_as_their_slopes_add() -> None:
    def tilted(x: float, y: float) -> np.ndarray:
        normal = np.array([-x, -y, 1.0])
        return np.tile((normal / np.linalg.norm(normal)).astype(np.float32), (2, 2, 1))

    np.testing.assert_allclose(laid_over(tilted(0.3, 0.0), tilted(0.1, -0.2)), tilted(0.4, -0.2), atol=1e-6)
    np.testing.assert_allclose(laid_over(tilted(0.3, 0.1), tilted(0.0, 0.0)), tilted(0.3, 0.1), atol=1e-6)
