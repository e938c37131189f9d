"""What the detail stage is given, on the device that the networks run on, and the maps that it makes, back."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TypeVar

from backend.delight.delighting import DelightedTexture
from backend.imaging.arrays import is_tensor, on_device, to_host
from backend.prior.interface import CompletedMaps
from backend.texture.maps import SkinMaps

Maps = TypeVar("Maps", CompletedMaps, SkinMaps)


def delit_on(delit: DelightedTexture, device: str) -> DelightedTexture:
    """What was seen, its images on a device where the stage looks at them; `cpu` has the host's as they are."""
    if device == "cpu":
        return delit
    partial = on_device(delit.partial, device, "texture_srgb", "pixels")
    skin = delit.skin.on_device(device)
    images = on_device(delit, device, "log_seen", "log_marks", "weight", "shine")
    return replace(images, skin=skin, partial=partial)


def maps_on(maps: CompletedMaps, device: str) -> CompletedMaps:
    """What a prior made, on a device, wherever it made it; `cpu` is the host."""
    return _on_host(maps) if device == "cpu" else on_device(maps, device, *(field.name for field in fields(maps)))


def maps_back(maps: SkinMaps) -> SkinMaps:
    """The finished maps on the host."""
    return _on_host(maps)


def _on_host(maps: Maps) -> Maps:
    there = {field.name: getattr(maps, field.name) for field in fields(maps)}
    return replace(maps, **{name: to_host(image) for name, image in there.items() if is_tensor(image)})
