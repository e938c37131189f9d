"""The light under which finished maps look like the photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backend.delight.light import match_light
from backend.delight.parameters import LightSettings
from backend.head.head_fit import HeadFit
from backend.imaging.arrays import Array, like, to_host
from backend.imaging.colour import srgb_to_linear
from backend.rendering.skin_model import SKIN
from backend.texture.fitted_skin import FittedSkin, ShownSkin
from backend.texture.maps import SkinMaps

# Of the texels that are seen so well, light is told from that many and more.
SEEN, LEAST_TEXELS = 0.7, 100


def refit_light(skin: FittedSkin, maps: SkinMaps, settings: LightSettings = LightSettings()) -> HeadFit:
    """The fit with the light under which the maps' albedo looks like their texture, so that renders match the photo.

    Args:
        skin: the fitted head's skin on the maps' texels.
        maps: finished maps, R x R.
    """
    found = _matched(skin, maps.texture_srgb, maps.visibility, maps.diffuse_albedo_srgb, settings)
    return skin.fit if found is None else skin.fit.with_view(light=found[0], skin_albedo=found[1])


def refit_further_lights(
    fit: HeadFit, shown: Sequence[ShownSkin], maps: SkinMaps, settings: LightSettings = LightSettings()
) -> HeadFit:
    """The fit with the lights under which the maps' albedo looks like the photos after the first, each in its own.

    Args:
        fit: of all photos.
        shown: what each of them shows of the skin, R x R.
        maps: finished maps, R x R.
    """
    views = list(fit.views)
    for number, part in enumerate(shown[1:], 1):
        seen = part.partial
        found = _matched(part.skin, seen.texture_srgb, seen.visibility, maps.diffuse_albedo_srgb, settings)
        if found is not None:
            views[number] = replace(views[number], light=found[0], skin_albedo=found[1])
    return replace(fit, views=tuple(views))


def _matched(
    skin: FittedSkin, texture_srgb: Array, visibility: np.ndarray, albedo_srgb: np.ndarray, settings: LightSettings
) -> tuple[np.ndarray, np.ndarray] | None:
    """Light [9, 3] and median albedo [3] of the texels that are seen; None where too few are."""
    space = skin.uv_space
    seen = np.flatnonzero(visibility.reshape(-1) > SEEN)
    seen = seen[:: max(1, len(seen) // settings.samples)]
    if len(seen) < LEAST_TEXELS:
        return None
    triangle = space.triangle.reshape(-1)[seen]
    weights = space.barycentric.reshape(-1, 3)[seen]
    at_texels = np.einsum("nk,nkc->nc", weights, skin.transfer[space.triangles[triangle]])
    texture = srgb_to_linear(to_host(texture_srgb.reshape(-1, 3)[like(seen, texture_srgb)]))
    albedo = srgb_to_linear(albedo_srgb.reshape(-1, 3)[seen])
    uniform = np.zeros((9, 3))
    uniform[0] = texture.mean(0) / np.maximum(albedo.mean(0), 1e-3) / np.maximum(at_texels[:, 0].mean(), 1e-6)
    light = match_light(
        texture, albedo + SKIN.surface.of_renders, at_texels, np.ones(len(seen), np.float32), uniform, settings
    )
    return light, np.median(albedo, axis=0).astype(np.float32)
