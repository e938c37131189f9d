"""The detail stage on tensors beside itself on NumPy's arrays, on drawn skin; any device."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.detail.on_device import delit_on, maps_back, maps_on
from backend.detail.options import DetailOptions
from backend.detail.parameters import DetailParameters, UnseenSettings
from backend.detail.stage import add_detail
from backend.head.model import load_head_model
from backend.imaging.colour import linear_to_srgb
from backend.prior.interface import CompletedMaps
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.uv_space import uv_space
from tests.backend.texture.test_unwrap import fit_from

SIDE, SMALL = 512, 256
SKIN = np.log(np.array([0.42, 0.27, 0.2], np.float32))
NAMES = ("texture_srgb", "diffuse_albedo_srgb", "specular_albedo", "normal", "displacement_mm", "roughness")
# Without made detail, of a thousand texels of the island all but one.
AS_THEY_ARE: dict[str, float] = dict.fromkeys(NAMES, 1e-5)
# Patches are chosen where a distance is more than so much, so that others may be drawn: what is made is as strong.
STRENGTH = 0.01


def drawn_skin() -> tuple[CompletedMaps, DelightedTexture]:
    """Grain, a mole, a crease and a beard's dots on the subject's left half of the face, of which a photo shows all;
    the prior made the rest plain."""
    model = load_head_model()
    fit = fit_from(0)
    space = uv_space(model, SIDE)
    none = np.zeros((len(model.mean), 9), np.float32)
    skin = FittedSkin(model, fit.with_view(camera=fit.camera.scaled(0.8)), space, none, working_resolution=SMALL)
    rng = np.random.default_rng(0)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE)), (0, 0), 0.8)
    face = skin.regions.face
    full = (0.05 * grain / grain.std()).astype(np.float32)
    place = space.positions(model.mean)
    cheek = np.unravel_index(np.argmin(np.linalg.norm(place - (0.035, -0.03, 0.06), axis=-1)), (SIDE, SIDE))
    row, column = (int(at) for at in cheek)
    cv2.circle(full, (column, row), 3, -0.8, -1, cv2.LINE_AA)
    cv2.line(full, (column - 14, row - 12), (column + 10, row - 16), -0.4, 1, cv2.LINE_AA)
    haired = cv2.resize(skin.regions.beard, (SIDE, SIDE)) > 0.5
    full -= 0.5 * haired * (rng.random((SIDE, SIDE)) < 0.15)
    log_full = SKIN + full[..., None]
    visibility = ((place[..., 0] > 0.003) & (cv2.resize(face, (SIDE, SIDE)) > 0.5)).astype(np.float32)
    visibility = cv2.GaussianBlur(visibility, (0, 0), 2) * space.mask
    size = (SMALL, SMALL)
    weight = cv2.resize(visibility, size, interpolation=cv2.INTER_AREA)
    seen = np.log(cv2.resize(np.exp(log_full), size, interpolation=cv2.INTER_AREA))
    complete = SKIN + weight[..., None] * (seen - SKIN)
    flat = np.zeros(size, np.float32)
    shine = cv2.GaussianBlur((rng.random(size) < 0.002).astype(np.float32), (0, 0), 3) * 2
    working = CompletedMaps(complete, complete.copy(), complete.copy(), flat + 0.35)
    texture = linear_to_srgb(np.exp(log_full)).astype(np.float32) * (visibility > 0)[..., None]
    marks = np.zeros_like(seen)
    images = seen, seen, marks, flat[..., None], weight, shine
    return working, DelightedTexture(skin, PartialTexture(texture, visibility), *images, SKIN + 0.0, np.exp(SKIN))


def made(device: str, strength: float) -> SkinMaps:
    """The finished maps; `cpu` are NumPy's."""
    working, delit = drawn_skin()
    options = DetailOptions(strength=strength, extras=True)
    # Regions are as large as the working size, as they are at the sizes of jobs.
    chosen = replace(DetailParameters(), unseen=UnseenSettings(region_side=SMALL))
    return maps_back(add_detail(maps_on(working, device), delit_on(delit, device), 0, options, chosen))


def differences(one: SkinMaps, other: SkinMaps, quantile: float = 0.999) -> dict[str, float]:
    """How far maps are from others on the island, by name."""
    island = drawn_skin()[1].skin.uv_space.mask
    pairs = {name: (getattr(one, name), getattr(other, name)) for name in NAMES}
    return {name: float(np.quantile(np.abs(a - b)[island], quantile)) for name, (a, b) in pairs.items()}


def strengths(maps: SkinMaps) -> dict[str, float]:
    """Standard deviation of the finest detail of maps on the island, by name."""
    island = drawn_skin()[1].skin.uv_space.mask
    found = {}
    for name in NAMES:
        image = getattr(maps, name)
        found[name] = float((image - cv2.GaussianBlur(image, (0, 0), 2))[island].std())
    return found
