"""Light taken off a drawn photo's skin by NumPy and on a device: how far the two are from each other."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from backend.delight.delighting import DelightedTexture, delight
from backend.imaging.arrays import is_tensor, to_host
from backend.imaging.colour import linear_to_srgb
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture
from backend.texture.regions import face_regions
from tests.backend.completing import frontal_skin
from tests.backend.prior.linear.test_prior import frontal_light, shade, skin_of

SIDE, SMALL = 512, 256
# The largest difference that is allowed but for a texel in a thousand: of logarithms, and of shares.
LIMITS = {
    "log_seen": 2e-6,
    "log_albedo": 2e-5,
    "log_marks": 2e-5,
    "log_shading": 2e-5,
    "weight": 5e-6,
    "shine": 2e-5,
    "tone": 2e-5,
    "mean_albedo": 2e-5,
}


def drawn_photo() -> tuple[PartialTexture, FittedSkin]:
    """A face in light from one side, without the subject's left third: grain, shine, a stain, a fringe, and a strip of
    neck apart from it."""
    skin = replace(frontal_skin(SIDE), working_resolution=SMALL)
    regions, mask = face_regions(skin.model, skin.uv_space), skin.uv_space.mask
    rng = np.random.default_rng(3)
    albedo = skin_of(regions, rng) * np.exp(0.05 * rng.standard_normal((SIDE, SIDE, 1)))
    scale, centre = regions.texels_per_mm, round(0.36 * SIDE)
    stain = np.zeros((SIDE, SIDE))
    cheek = np.argwhere(regions.face * (1 - regions.nose) * (1 - regions.lips) * (1 - regions.beard) > 0.9)
    row, column = cheek[np.argmin(np.abs(cheek - (0.55 * SIDE, centre)).sum(1))]
    cv2.circle(stain, (int(column), int(row)), round(6 * scale), 1.0, -1, cv2.LINE_AA)
    albedo = albedo * np.exp(-stain[..., None] * (0.1, 0.9, 0.7))
    lit = shade(albedo, skin, frontal_light(0.8, 0.4))
    forehead = cv2.GaussianBlur(regions.forehead, (0, 0), 8 * scale)
    lit = lit + 0.15 * (forehead**4 * (np.arange(SIDE) < 0.5 * SIDE))[..., None]
    strands = (regions.forehead > 0.5) & (rng.random((1, SIDE)) < 0.3) & (np.arange(SIDE)[:, None] < 0.25 * SIDE)
    lit = np.where(strands[..., None], 0.02, lit)
    seen = (regions.face > 0.5) & mask
    seen[:, round(0.56 * SIDE) :] = False
    seen |= mask & (np.abs(np.arange(SIDE) - 0.93 * SIDE) < 4)[:, None]
    visibility = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 1.5) * mask
    texture = linear_to_srgb(lit).astype(np.float32) * (visibility > 0)[..., None]
    return PartialTexture(texture, visibility), skin


def delit(device: str) -> DelightedTexture:
    """The photo without its light; `cpu` is NumPy's."""
    found = delight(*drawn_photo(), device=device)
    assert is_tensor(found.log_albedo) == (device != "cpu")
    return found


def differences(reference: DelightedTexture, found: DelightedTexture) -> dict[str, float]:
    """By name as `LIMITS`, where the reference has seen skin."""
    seen = reference.weight > 0
    apart = {name: np.abs(getattr(reference, name) - to_host(getattr(found, name))) for name in LIMITS}
    return {name: float(np.quantile(d[seen] if d.ndim > 1 else d, 0.999)) for name, d in apart.items()}
