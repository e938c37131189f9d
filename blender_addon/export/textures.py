"""From the maps of a surface to the texture files that a preset wants. Pure numpy: knows nothing of Blender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..anatomy.exr import encode_exr
from ..anatomy.paint import linear_from_srgb, srgb_from_linear
from ..anatomy.png import encode_png
from ..anatomy.uv_raster import resized
from . import presets
from .presets import Preset

# Side of maps that are smooth all over, texels.
SMOOTH_PX = 1024
# Standard deviation on one axis of light that goes under the surface, in mean free paths: of
# (exp(-r / d) + exp(-r / 3d)) / (8 pi d r) it is sqrt(7) d, and d is a 3.5th of the path where albedo is that of skin.
PROFILE_DEVIATION = 7**0.5 / 3.5
# Bits of a channel: 8 or 16 in a PNG file, or half floats in an OpenEXR file.
EIGHT, SIXTEEN, EXR = "8", "16", "EXR"

# Principled's specular level stands for F0 / 0.08 (DESIGN section 3).
F0_PER_LEVEL = 0.08


@dataclass(frozen=True)
class Surface:
    """Material of one part of the head, free of any renderer.

    Images have row 0 at the top and hold stored values in [0, 1]; a missing one leaves the plain value.

    Args:
        part: name of the part, see `export.presets.PART_LABELS`.
        colour_srgb: [H, W, 3] or None.
        colour: plain colour, linear RGB.
        opacity: [H, W, 1], linear, or None.
        normal: [H, W, 3], tangent space, +Y up, or None.
        coat_normal: [H, W, 3] of the clear coat, or None.
        specular: [H, W, 1], F0 / 0.08, linear, or None.
        specular_level: plain value of the same.
        roughness: plain roughness of the base.
        roughness_map: [H, W, 1], linear, or None.
        displacement: [H, W, 1], height of the relief, 0.5 at the surface, or None.
        occlusion: [H, W, 1], how much of the surroundings is open, 1 for all, of any size, or None.
        scatter: how far light goes under the surface by channel, as a part of the map's side; zeros for nowhere.
        ior: index of refraction of the base.
        coat: weight of the clear coat.
        coat_roughness: roughness of the clear coat.
        repeats: whether textures repeat outside of the unit square.
    """

    part: str
    colour_srgb: np.ndarray | None = None
    colour: tuple[float, float, float] = (0.8, 0.8, 0.8)
    opacity: np.ndarray | None = None
    normal: np.ndarray | None = None
    coat_normal: np.ndarray | None = None
    specular: np.ndarray | None = None
    specular_level: float = 0.5
    roughness: float = 0.5
    roughness_map: np.ndarray | None = None
    displacement: np.ndarray | None = None
    occlusion: np.ndarray | None = None
    scatter: tuple[float, float, float] = (0.0, 0.0, 0.0)
    ior: float = 1.5
    coat: float = 0.0
    coat_roughness: float = 0.03
    repeats: bool = True


@dataclass(frozen=True)
class TextureChoices:
    """Which textures to write, and how.

    Args:
        limit_px: longest side; larger maps are averaged down, colours in linear light; None leaves them.
        depth: `EIGHT`, `SIXTEEN` or `EXR`; heights never have fewer than 16 bits, in which they would make terraces.
        packing: `presets.AS_PRESET`, `SEPARATE`, `PACKED_ORM` or `PACKED_MASK`.
        occlusion: with ambient occlusion.
        subsurface: with the colour of light under the skin.
        udim: parts share names that end in the number of a tile, and lie side by side in texture space.
    """

    limit_px: int | None = None
    depth: str = EIGHT
    packing: str = presets.AS_PRESET
    occlusion: bool = False
    subsurface: bool = False
    udim: bool = False


@dataclass(frozen=True)
class Texture:
    """One texture file.

    Args:
        role: one of the roles of `export.presets`.
        name: file name without suffix.
        values: [H, W, C] in [0, 1] as they are stored, C of 1, 3 or 4, row 0 at the top.
        srgb: whether the colours are sRGB-encoded.
        depth: `EIGHT`, `SIXTEEN` or `EXR`.
    """

    role: str
    name: str
    values: np.ndarray
    srgb: bool
    depth: str = EIGHT

    @property
    def file_name(self) -> str:
        """The name with its suffix."""
        return f"{self.name}.{'exr' if self.depth == EXR else 'png'}"

    def encoded(self) -> bytes:
        """The file's bytes; colours are in linear light in OpenEXR and sRGB-encoded in PNG."""
        if self.depth != EXR:
            return encode_png(self.values, 16 if self.depth == SIXTEEN else 8)
        colours = self.values[..., :3]
        return encode_exr(
            np.concatenate([linear_from_srgb(colours) if self.srgb else colours, self.values[..., 3:]], axis=-1)
        )


def textures_of(
    surface: Surface, preset: Preset, stem: str, choices: TextureChoices = TextureChoices(), tile: int | None = None
) -> dict[str, Texture]:
    """The texture files of a surface by role.

    Args:
        surface: material of one part.
        preset: says which files there are and how they are named.
        stem: goes into the names.
        choices: which of them, and how.
        tile: number of a UDIM tile for the end of the names; None for the part's own, where `choices` wants tiles.
    """
    makers = {
        presets.COLOUR: (_colour, True),
        presets.NORMAL: (_base_normal, False),
        presets.COAT_NORMAL: (_coat_normal, False),
        presets.SPECULAR: (_specular, False),
        presets.SPECULAR_TWICE: (_specular_twice, False),
        presets.SPECULAR_GLOSS: (_specular_gloss, True),
        presets.ROUGHNESS: (_roughness, False),
        presets.MASK: (_mask, False),
        presets.OCCLUSION: (_occlusion, False),
        presets.ORM: (_orm, False),
        presets.SUBSURFACE: (_subsurface, True),
        presets.DISPLACEMENT: (_displacement, False),
    }
    label = presets.PART_LABELS.get(surface.part, surface.part)
    textures = {}
    for role, pattern in preset.names(
        choices.packing, occlusion=choices.occlusion, subsurface=choices.subsurface
    ).items():
        make, srgb = makers[role]
        values = make(surface, preset, choices.limit_px)
        if values is None:
            continue
        name = pattern.format(stem=stem, part=label)
        if tile is not None:
            name = f"{name}.{tile}"
        elif choices.udim:
            name = f"{pattern.replace('_{part}', '').format(stem=stem)}.{presets.tile_of(surface.part)}"
        textures[role] = Texture(role, name, values, srgb, texture_depth(role, preset, choices))
    return textures


def texture_depth(role: str, preset: Preset, choices: TextureChoices) -> str:
    """How a texture of a role is stored: as asked, as far as the format knows that."""
    if choices.depth == EXR and not preset.knows_exr:
        return SIXTEEN
    return SIXTEEN if choices.depth == EIGHT and role == presets.DISPLACEMENT else choices.depth


def shrink(values: np.ndarray, limit_px: int | None) -> np.ndarray:
    """Average blocks of an image [H, W, C] so that no side is longer than `limit_px`."""
    height, width = values.shape[:2]
    if limit_px is None or max(height, width) <= limit_px:
        return values
    factor = -(-max(height, width) // limit_px)
    # Where the factor does not divide a side, the border is repeated up to the next block.
    padded = np.pad(values, ((0, -height % factor), (0, -width % factor), (0, 0)), mode="edge")
    rows, columns = padded.shape[0] // factor, padded.shape[1] // factor
    return padded.reshape(rows, factor, columns, factor, -1).mean(axis=(1, 3), dtype=np.float64).astype(np.float32)


def shrink_colour(values_srgb: np.ndarray, limit_px: int | None) -> np.ndarray:
    """`shrink` for sRGB-encoded colours, averaged in linear light."""
    if limit_px is None or max(values_srgb.shape[:2]) <= limit_px:
        return values_srgb
    return srgb_from_linear(shrink(linear_from_srgb(values_srgb), limit_px))


def shrink_normal(values: np.ndarray, limit_px: int | None) -> np.ndarray:
    """`shrink` for encoded normals [H, W, 3], which keep unit length."""
    if limit_px is None or max(values.shape[:2]) <= limit_px:
        return values
    vectors = shrink(values * 2 - 1, limit_px)
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
    return (0.5 + 0.5 * vectors).astype(np.float32)


def flip_green(values: np.ndarray) -> np.ndarray:
    """Encoded normals [H, W, 3] of the other convention: OpenGL's +Y up against DirectX's -Y."""
    flipped = values.copy()
    flipped[..., 1] = 1 - flipped[..., 1]
    return flipped


def base_roughness(surface: Surface, preset: Preset) -> float:
    """Roughness of the base; without a coat of its own, a surface under a strong coat looks as glossy as the coat."""
    if not preset.has_coat and surface.coat >= 0.5:
        return min(surface.roughness, max(surface.coat_roughness, 0.08))
    return surface.roughness


def _base_normal(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    # The eye's base is a bowl under a cornea; where there is one normal for both, the smooth ball looks right.
    if surface.coat_normal is not None and presets.COAT_NORMAL not in preset.texture_names:
        return None
    return _normal(surface.normal, preset, limit_px)


def _coat_normal(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    return _normal(surface.coat_normal, preset, limit_px)


def _normal(values: np.ndarray | None, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    if values is None:
        return None
    values = shrink_normal(values, limit_px)
    return flip_green(values) if preset.directx_normals else values


def _colour(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    """RGB, or RGBA with the opacity in the alpha channel."""
    colour = surface.colour_srgb
    if colour is not None:
        colour = shrink_colour(colour, limit_px)
    if surface.opacity is None:
        return colour
    opacity = shrink(surface.opacity, limit_px)
    if colour is None or colour.shape[:2] != opacity.shape[:2]:
        plain = srgb_from_linear(np.array(surface.colour, np.float32))
        colour = np.broadcast_to(plain, (*opacity.shape[:2], 3))
    return np.concatenate([colour, opacity], axis=-1)


def _specular(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    return None if surface.specular is None else shrink(surface.specular, limit_px)


def _specular_twice(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    """KHR_materials_specular counts from F0 = 0.04, Principled's level from 0.08."""
    specular = _specular(surface, preset, limit_px)
    return None if specular is None else np.clip(2 * specular, 0, 1)


def _specular_gloss(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    """Unity's specular set-up: F0 as an sRGB-encoded grey in RGB, smoothness in alpha."""
    specular = _specular(surface, preset, limit_px)
    if specular is None:
        return None
    grey = srgb_from_linear(F0_PER_LEVEL * specular)
    return np.concatenate([grey, grey, grey, _smoothness(surface, limit_px, grey)], axis=-1)


def _mask(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    """HDRP's mask map for the part with maps, the skin: metallic 0, occlusion, no detail mask, smoothness."""
    specular = _specular(surface, preset, limit_px)
    if specular is None:
        return None
    zero = np.zeros_like(specular)
    return np.concatenate([zero, _open(surface, zero), zero, _smoothness(surface, limit_px, zero)], axis=-1)


def _orm(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    """Occlusion, roughness and metalness, which is 0, in red, green and blue."""
    like = (
        _specular(surface, preset, limit_px) if surface.roughness_map is None else _roughness(surface, preset, limit_px)
    )
    if like is None:
        return None
    return np.concatenate([_open(surface, like), 1 - _smoothness(surface, limit_px, like), 0 * like], axis=-1)


def _occlusion(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    return None if surface.occlusion is None else shrink(surface.occlusion, limit_px)


def _open(surface: Surface, like: np.ndarray) -> np.ndarray:
    """Ambient occlusion [H, W, 1] at the size of another map; 1 where there is none."""
    if surface.occlusion is None:
        return np.ones_like(like)
    return resized(surface.occlusion, *like.shape[:2])


def _subsurface(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    """The albedo as light finds it that comes out again: blurred as far as each colour goes under the skin.

    The profile is Christensen and Burley's (2015, "Approximate Reflectance Profiles for Efficient Subsurface
    Scattering"), of which a Gaussian of the same variance is taken.
    """
    if surface.colour_srgb is None or not any(surface.scatter):
        return None
    linear = linear_from_srgb(shrink_colour(surface.colour_srgb, min(limit_px or SMOOTH_PX, SMOOTH_PX)))
    # Around the islands the maps are black, which must not bleed in.
    known = (linear.max(axis=-1) > 0).astype(np.float32)
    channels = []
    for index, length in enumerate(surface.scatter):
        sigma = PROFILE_DEVIATION * length * linear.shape[1]
        weight = _blurred(known, sigma)
        channels.append(
            np.where(weight > 1e-3, _blurred(linear[..., index] * known, sigma) / np.maximum(weight, 1e-3), 0)
        )
    return srgb_from_linear(np.stack(channels, axis=-1).astype(np.float32))


def _blurred(image: np.ndarray, sigma_px: float) -> np.ndarray:
    """An image [H, W] under a Gaussian, in float32; nothing lies outside of it."""
    radius = int(np.ceil(3 * sigma_px))
    if radius == 0:
        return image
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma_px, 1e-6)) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    for axis in (0, 1):
        padded = np.pad(image, [(radius, radius) if a == axis else (0, 0) for a in (0, 1)])
        mixed = np.zeros_like(image)
        for start, weight in enumerate(weights.tolist()):
            mixed += weight * np.take(padded, range(start, start + image.shape[axis]), axis)
        image = mixed
    return image


def _roughness(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    return None if surface.roughness_map is None else shrink(surface.roughness_map, limit_px)


def _displacement(surface: Surface, preset: Preset, limit_px: int | None) -> np.ndarray | None:
    return None if surface.displacement is None else shrink(surface.displacement, limit_px)


def _smoothness(surface: Surface, limit_px: int | None, like: np.ndarray) -> np.ndarray:
    """What Unity calls 1 - roughness, [H, W, 1]; from the plain value where the map has another size than `like`."""
    roughness = None if surface.roughness_map is None else shrink(surface.roughness_map, limit_px)
    if roughness is None or roughness.shape != like.shape:
        return np.full_like(like, 1 - surface.roughness)
    return 1 - roughness
