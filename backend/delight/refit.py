"""The light under which finished maps look like the photo."""

from __future__ import annotations

import numpy as np

from backend.delight.light import match_light
from backend.delight.parameters import LightSettings
from backend.head.head_fit import HeadFit
from backend.imaging.colour import srgb_to_linear
from backend.rendering.skin_model import SKIN
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import SkinMaps


def refit_light(skin: FittedSkin, maps: SkinMaps, settings: LightSettings = LightSettings()) -> HeadFit:
    """The fit with the light under which the maps' albedo looks like their texture, so that renders match the photo.

    Args:
        skin: the fitted head's skin on the maps' texels.
        maps: finished maps, R x R.
    """
    space = skin.uv_space
    seen = np.flatnonzero(maps.visibility.reshape(-1) > 0.7)
    seen = seen[:: max(1, len(seen) // settings.samples)]
    triangle = space.triangle.reshape(-1)[seen]
    weights = space.barycentric.reshape(-1, 3)[seen]
    at_texels = np.einsum("nk,nkc->nc", weights, skin.transfer[space.triangles[triangle]])
    texture = srgb_to_linear(maps.texture_srgb.reshape(-1, 3)[seen])
    albedo = srgb_to_linear(maps.diffuse_albedo_srgb.reshape(-1, 3)[seen])
    if len(seen) < 100:
        return skin.fit
    uniform = np.zeros((9, 3))
    uniform[0] = texture.mean(0) / np.maximum(albedo.mean(0), 1e-3) / np.maximum(at_texels[:, 0].mean(), 1e-6)
    light = match_light(
        texture, albedo + SKIN.surface.of_renders, at_texels, np.ones(len(seen), np.float32), uniform, settings
    )
    return skin.fit.with_view(light=light, skin_albedo=np.median(albedo, axis=0).astype(np.float32))
