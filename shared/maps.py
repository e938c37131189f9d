"""Names and encodings of the texture maps that the backend makes and the add-on reads (DESIGN section 3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MapSpec:
    """How one map is stored.

    Args:
        name: field name in results and messages.
        channels: 1 or 3.
        srgb: True where values are sRGB-encoded, False where they are linear ("Non-Color" in Blender).
        bits: bits per channel of the PNG file.
    """

    name: str
    channels: int
    srgb: bool
    bits: int

    @property
    def file_name(self) -> str:
        return f"{self.name}.png"


TEXTURE = MapSpec("texture", 3, srgb=True, bits=8)
DIFFUSE_ALBEDO = MapSpec("diffuse_albedo", 3, srgb=True, bits=8)
SPECULAR_ALBEDO = MapSpec("specular_albedo", 1, srgb=False, bits=16)
NORMAL = MapSpec("normal", 3, srgb=False, bits=16)
VISIBILITY = MapSpec("visibility", 1, srgb=False, bits=8)

MAPS: tuple[MapSpec, ...] = (TEXTURE, DIFFUSE_ALBEDO, SPECULAR_ALBEDO, NORMAL, VISIBILITY)
