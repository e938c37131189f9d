"""Light taken off a drawn photo's skin by NumPy and on a device: how far the two are from each other."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from backend.delight.delighting import DelightedTexture, delight
from backend.delight.merging import merged
from backend.imaging.arrays import is_tensor, to_host
from backend.imaging.colour import linear_to_srgb
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture
from backend.texture.regions import face_regions
from tests.backend.completing import frontal_skin
from tests.backend.prior.linear.test_prior import frontal_light, shade, skin_of

SIDE, SMALL = 512, 256
NAMES = ("log_seen", "log_albedo", "log_marks", "log_shading", "weight", "shine", "tone", "mean_albedo")
# The largest difference that is allowed but for a texel in a thousand: of logarithms, and of shares.
# Of two photos, one is moved onto the other by what is found in images of 8 bits, of which some round differently.
LIMITS, LIMITS_TOGETHER = dict.fromkeys(NAMES, 5e-5), dict.fromkeys(NAMES, 2e-3)


def drawn_photo(from_left: bool = False) -> tuple[PartialTexture, FittedSkin]:
    """A face in light from one side, without the subject's left third: grain, shine, a stain, a fringe, and a strip of
    neck apart from it. From the left: in other light, without the right third."""
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
    lit = shade(albedo, skin, frontal_light(0.6, -0.3) if from_left else frontal_light(0.8, 0.4))
    forehead = cv2.GaussianBlur(regions.forehead, (0, 0), 8 * scale)
    lit = lit + 0.15 * (forehead**4 * (np.arange(SIDE) < 0.5 * SIDE))[..., None]
    strands = (regions.forehead > 0.5) & (rng.random((1, SIDE)) < 0.3) & (np.arange(SIDE)[:, None] < 0.25 * SIDE)
    lit = np.where(strands[..., None], 0.02, lit)
    seen = (regions.face > 0.5) & mask
    seen[:, slice(0, round(0.4 * SIDE)) if from_left else slice(round(0.6 * SIDE), None)] = False
    seen |= mask & (np.abs(np.arange(SIDE) - 0.93 * SIDE) < 4)[:, None]
    # Not quite 1: else whole borders are as much as a threshold, and rounding decides.
    visibility = cv2.GaussianBlur(0.97 * seen.astype(np.float32), (0, 0), 1.5) * mask
    texture = linear_to_srgb(lit).astype(np.float32) * (visibility > 0)[..., None]
    return PartialTexture(texture, visibility), skin


def delit(device: str) -> DelightedTexture:
    """The photo without its light; `cpu` is NumPy's."""
    found = delight(*drawn_photo(), device=device)
    assert is_tensor(found.log_albedo) == (device != "cpu")
    return found


def delit_together(device: str) -> DelightedTexture:
    """Two photos' skin as one."""
    parts = [delight(*drawn_photo(from_left), device=device) for from_left in (False, True)]
    both = merged(parts, drawn_photo()[1])
    assert is_tensor(both.log_albedo) == is_tensor(both.partial.texture_srgb) == (device != "cpu")
    return both


def differences(reference: DelightedTexture, found: DelightedTexture) -> dict[str, float]:
    """By name as `LIMITS`, where the reference has seen skin."""
    seen = reference.weight > 0
    apart = {name: np.abs(getattr(reference, name) - to_host(getattr(found, name))) for name in LIMITS}
    return {name: float(np.quantile(d[seen] if d.ndim > 1 else d, 0.999)) for name, d in apart.items()}
