"""The maps of a skin: in memory, and as PNG files (names and encodings: `shared/maps.py`)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from backend.imaging.arrays import Array, as_float32, like, namespace
from backend.imaging.colour import srgb_to_linear
from backend.imaging.octaves import reduce_to
from backend.imaging.rows import bands, filled_in_bands, reduced_in_bands
from backend.side_by_side import each
from backend.texture.detail_report import DetailReport
from backend.texture.uv_space import filled, nearest_inside
from shared.errors import RelightifyError
from shared.maps import (
    DIFFUSE_ALBEDO,
    DISPLACEMENT,
    DISPLACEMENT_RANGE_MM,
    DISPLACEMENT_ZERO,
    EXTRA_MAPS,
    MAPS,
    NORMAL,
    ROUGHNESS,
    SPECULAR_ALBEDO,
    TEXTURE,
    VISIBILITY,
    MapSpec,
)

# Mip-maps and filtering reach over the island's border; 16 texels serve four mip levels.
DILATION_TEXELS = 16


@dataclass(frozen=True)
class PartialTexture:
    """What the photo shows of the skin (T_0 and m of the paper, section 3.3).

    Args:
        texture_srgb: float32 [R, R, 3], sRGB-encoded colour, 0 where nothing was seen; on the host or on a device.
        visibility: float32 [R, R], 1 = seen, 0 = not seen, soft in between.
        sharpness: share of the resolution that the photo's pixels could show which it still has, in (0, 1].
        pixels: float32 [B, B], pixels that a texel of B x B is wide in the photo that shows it, where several photos
            do; None where the only photo's camera tells.
    """

    texture_srgb: Array
    visibility: np.ndarray
    sharpness: float = 1.0
    pixels: Array | None = None

    def reduced(self, side: int) -> tuple[Array, Array]:
        """Linear colour float32 [side, side, 3], averaged over what was seen, and visibility float32 [side, side];
        both where the texture is."""
        texture, seen = self.texture_srgb, like(self.visibility, self.texture_srgb)
        full = len(seen)

        def linear(rows: slice) -> Array:
            return as_float32(srgb_to_linear(texture[rows]))

        if full == side:
            return filled_in_bands(linear, side, 3, texture), seen
        total = reduced_in_bands(lambda rows: linear(rows) * seen[rows][..., None], full, side, 3, texture)
        weight = reduce_to(seen, side)
        return total / namespace(weight).maximum(weight, 1e-6)[..., None], weight


@dataclass(frozen=True)
class SkinMaps:
    """All maps of one skin, R x R texels, row 0 is v = 1 (DESIGN section 3).

    Args:
        texture_srgb: float32 [R, R, 3] in [0, 1], sRGB-encoded; completed, still shaded.
        diffuse_albedo_srgb: float32 [R, R, 3] in [0, 1], sRGB-encoded.
        specular_albedo: float32 [R, R] in [0, 1], linear, F0 / 0.08.
        normal: float32 [R, R, 3], unit vectors in tangent space, +Y up.
        visibility: float32 [R, R] in [0, 1], 1 = seen in the photo.
        displacement_mm: float32 [R, R], height of the fine relief over the mesh, mm; None where not asked for.
        roughness: float32 [R, R] in [0, 1], perceptual roughness of the gloss; None where no detail was made.
        detail: where the detail comes from, None where it was not counted.
    """

    texture_srgb: Array
    diffuse_albedo_srgb: Array
    specular_albedo: Array
    normal: Array
    visibility: np.ndarray
    displacement_mm: np.ndarray | None = None
    roughness: np.ndarray | None = None
    detail: DetailReport | None = None

    @property
    def resolution(self) -> int:
        return self.texture_srgb.shape[0]

    def dilated(self, island: np.ndarray, texels: int = DILATION_TEXELS) -> SkinMaps:
        """Maps continued `texels` beyond the island, bool [R, R]; visibility stays as it is."""
        names = (f.name for f in fields(self) if f.name not in ("visibility", "detail"))
        margin = nearest_inside(island, texels)
        grown = {name: filled(image, *margin) for name in names if (image := getattr(self, name)) is not None}
        return replace(self, **grown)

    def by_name(self) -> dict[str, np.ndarray]:
        """The maps under the names of `shared.maps.MAPS`, and of `EXTRA_MAPS` those that were made."""
        maps = {
            TEXTURE.name: self.texture_srgb,
            DIFFUSE_ALBEDO.name: self.diffuse_albedo_srgb,
            SPECULAR_ALBEDO.name: self.specular_albedo,
            NORMAL.name: self.normal,
            VISIBILITY.name: self.visibility,
        }
        extras = {DISPLACEMENT.name: self.displacement_mm, ROUGHNESS.name: self.roughness}
        return maps | {name: image for name, image in extras.items() if image is not None}

    def encode(self) -> dict[str, bytes]:
        """Every map as a PNG file, by name."""
        arrays = self.by_name()
        made = [spec for spec in (*MAPS, *EXTRA_MAPS) if spec.name in arrays]
        files = each(lambda spec: encode_map(arrays[spec.name], spec), made)
        return {spec.name: file for spec, file in zip(made, files, strict=True)}

    @staticmethod
    def decode(files: dict[str, bytes]) -> SkinMaps:
        """The maps of PNG files by name; exact up to the rounding of `encode`.

        Raises:
            KeyError: a map is missing.
            RelightifyError: ``map_unreadable``.
        """
        specs = (*MAPS, *(spec for spec in EXTRA_MAPS if spec.name in files))
        arrays = {spec.name: decode_map(files[spec.name], spec) for spec in specs}
        return SkinMaps(
            arrays[TEXTURE.name],
            arrays[DIFFUSE_ALBEDO.name],
            arrays[SPECULAR_ALBEDO.name],
            arrays[NORMAL.name],
            arrays[VISIBILITY.name],
            arrays.get(DISPLACEMENT.name),
            arrays.get(ROUGHNESS.name),
        )


def encode_map(values: np.ndarray, spec: MapSpec) -> bytes:
    """A map, float [R, R] or [R, R, 3], as PNG with the channels and bits of `spec`; normals go from [-1, 1] to [0, 1],
    displacements in mm to a range of `DISPLACEMENT_RANGE_MM` about 0.5.

    Raises:
        ValueError: the channels are not those of `spec`.
    """
    if values.ndim != (2 if spec.channels == 1 else 3) or values.shape[2:] not in ((), (spec.channels,)):
        raise ValueError(f"{spec.name} has {spec.channels} channels, got shape {values.shape}")
    top, dtype = (65535, np.uint16) if spec.bits == 16 else (255, np.uint8)
    whole = np.empty(values.shape, dtype)
    for rows in bands(len(values)):
        band = values[rows]
        if spec == NORMAL:
            band = band * 0.5 + 0.5
        if spec == DISPLACEMENT:
            band = band / DISPLACEMENT_RANGE_MM + DISPLACEMENT_ZERO
        band = np.round(np.clip(band, 0, 1) * np.float32(top))
        whole[rows] = band[..., ::-1] if spec.channels == 3 else band  # OpenCV stores BGR
    ok, data = cv2.imencode(".png", whole, [cv2.IMWRITE_PNG_COMPRESSION, 2])
    if not ok:
        raise RuntimeError(f"the PNG encoder failed on {spec.name}")
    return data.tobytes()


def decode_map(data: bytes, spec: MapSpec) -> np.ndarray:
    """What `encode_map` wrote: float32 [R, R] or [R, R, 3]; normals come back as unit vectors.

    Raises:
        RelightifyError: ``map_unreadable``, not a PNG with the channels and bits of `spec`.
    """
    whole = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    dtype = np.uint16 if spec.bits == 16 else np.uint8
    channels = 0 if whole is None else (whole.shape[2] if whole.ndim == 3 else 1)
    if whole is None or whole.dtype != dtype or channels != spec.channels:
        raise RelightifyError(
            "map_unreadable",
            f"The map {spec.name} is not a PNG with {spec.channels} channels of {spec.bits} bits.",
            "Reconstruct the face again.",
        )
    values = whole.astype(np.float32) / np.float32(np.iinfo(dtype).max)
    if spec.channels == 3:
        values = values[..., ::-1]
    if spec == NORMAL:
        values = values * 2 - 1
        values = values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-6)
    if spec == DISPLACEMENT:
        values = (values - DISPLACEMENT_ZERO) * DISPLACEMENT_RANGE_MM
    return np.ascontiguousarray(values)
