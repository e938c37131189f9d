"""Image to texture: what the photo shows of the skin, brought into UV space (paper section 3.3: T_0 and m)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.imaging.colour import linear_to_srgb, srgb_bytes_to_linear, srgb_to_linear
from backend.imaging.filters import smooth_step
from backend.imaging.sampling import sample_image, sample_linear
from backend.photo.denoising import denoised
from backend.photo.parameters import NoiseSettings
from backend.photo.reading import Photo
from backend.rendering.camera import Camera
from backend.rendering.normals import vertex_normals
from backend.rendering.rasteriser import Rasteriser
from backend.side_by_side import each
from backend.texture.maps import PartialTexture
from backend.texture.parameters import UnwrapParameters
from backend.texture.super_resolution import Enlarger, enlarged
from backend.texture.texel_points import softened_visibility, texel_footprints, texel_points
from backend.texture.uv_space import UVSpace

_log = logging.getLogger(__name__)


def unwrap(
    photo: Photo,
    skin_mask: np.ndarray,  # float32 [H, W], 1 on skin
    model: HeadModel,
    fit: HeadFit,
    rasteriser: Rasteriser,
    uv_space: UVSpace,
    enlargers: tuple[Enlarger, ...] = (),
    settings: UnwrapParameters = UnwrapParameters(),
    sight: Sight | None = None,
    device: str = "cpu",
) -> PartialTexture:
    """Sample the photo at every texel's surface point and say which texels it shows.

    A texel is seen where its point lies in the frame, nothing stands between it and the camera (rays against all parts
    of the head but the lashes), it faces the camera (n.v > 0.2, soft up to 0.45), lies on the skin mask and keeps a
    small distance from depth edges and from eyes, teeth and mouth. Colours are filtered over the texel's footprint in
    linear light and then encoded. A photo with fewer pixels than the face has texels is first enlarged by
    `enlargers`, where there are some. Noise of camera and file that would be seen is taken out first.

    Args:
        photo, skin_mask, model, fit, rasteriser, uv_space: see above and `Sight`.
        enlargers: by rising factor.
        settings: the stage's chosen numbers.
        sight: `line_of_sight` of the fitted head, where it is at hand.
        device: where the photo is sampled, and where the texture is then; `cpu` is the host.

    Returns:
        R x R texels as `uv_space`; the texture is 0 where the visibility is.
    """
    sight = sight or line_of_sight(model, fit, rasteriser, uv_space, settings)
    vertices, size = sight.vertices, (uv_space.resolution, uv_space.resolution)
    visibility = sight.on_skin(skin_mask)
    if visibility.shape != size:
        visibility = cv2.resize(visibility, size, interpolation=cv2.INTER_LINEAR)
    visibility = visibility * uv_space.mask

    footprint = texel_footprints(uv_space, vertices, fit.camera)
    offset, crop = _crop_linear(photo, fit.camera, vertices)
    factor, sharpness = 1, 1.0
    shown = uv_space.triangle[::4, ::4][visibility[::4, ::4] > 0.5]
    pixels_per_texel = float(np.median(footprint.size[shown])) if len(shown) else 1.0
    if len(shown):
        crop, sharpness = _without_noise(crop, offset, photo, skin_mask, pixels_per_texel, fit.iod_px, settings.noise)
    if device != "cpu":
        from backend.texture.unwrap_on_device import enlarged_and_sampled

        seen = np.flatnonzero(visibility > 0)
        enlarging = (enlargers if len(shown) else ()), pixels_per_texel, settings.enlarging
        texture = enlarged_and_sampled(
            crop, offset, vertices, fit.camera, footprint, uv_space, seen, *enlarging, device
        )
        return PartialTexture(texture, visibility.astype(np.float32), sharpness)
    if enlargers and len(shown):
        crop, factor = enlarged(crop, enlargers, pixels_per_texel, settings.enlarging)
    normals, texture = vertex_normals(vertices, uv_space.mesh_triangles), np.zeros((*size, 3), np.float32)

    def sample(start: int) -> None:
        """Fill a band of rows."""
        rows = slice(start, start + settings.rows_per_band)
        seen = np.flatnonzero(visibility[rows] > 0) + start * uv_space.resolution
        if not len(seen):
            return
        surface = texel_points(uv_space, vertices, normals, seen)
        pixels = (fit.camera.project(surface.position) - offset) * factor
        colour = sample_image(crop, pixels, footprint.select(surface.triangle).scaled(factor))
        texture.reshape(-1, 3)[surface.texel] = linear_to_srgb(colour)

    each(sample, range(0, uv_space.resolution, settings.rows_per_band))
    return PartialTexture(texture, visibility.astype(np.float32), sharpness)


def _without_noise(
    crop: np.ndarray,
    offset: np.ndarray,
    photo: Photo,
    skin_mask: np.ndarray,
    pixels_per_texel: float,
    iod_px: float,
    settings: NoiseSettings,
) -> tuple[np.ndarray, float]:
    """A piece of the photo in linear light without the noise that would be seen in texels, and its sharpness."""
    left, top = offset.astype(int)
    height, width = crop.shape[:2]
    skin = np.ascontiguousarray(skin_mask[top : top + height, left : left + width], np.float32)
    # A texel that is wider than a pixel is a mean of several.
    seen = replace(settings, negligible=settings.negligible * max(pixels_per_texel, 1.0) ** 2)
    levels = photo.image_srgb[top : top + height, left : left + width].astype(np.float32)
    clean = denoised(levels, skin, photo.jpeg_steps, iod_px / settings.iod_mm, seen)
    if clean.levels is levels:
        return crop, 1.0
    _log.info(
        "The skin's noise of camera and file was taken out; %.0f %% of the resolution is left.", 100 * clean.sharpness
    )
    return srgb_to_linear(np.clip(clean.levels / 255, 0, 1)).astype(np.float32), clean.sharpness


@dataclass(frozen=True)
class Sight:
    """What a photo's camera could see of a head's skin, were nothing but the head before it.

    Args:
        vertices: float32 [V, 3], the head.
        side: n, cells a side of the texture at which it is found.
        cells: int [m], flat indices of those that could be seen at all.
        pixels: float [m, 2], where they lie in the photo.
        open: float32 [m], how far they face the camera with nothing between.
        clear: float32 [m], how far they are from edges.
    """

    vertices: np.ndarray
    side: int
    cells: np.ndarray
    pixels: np.ndarray
    open: np.ndarray
    clear: np.ndarray

    def on_skin(self, skin_mask: np.ndarray) -> np.ndarray:
        """Visibility float32 [n, n] of what is skin in the photo, float32 [H, W], 1 on skin."""
        image = np.zeros(self.side * self.side, np.float32)
        image[self.cells] = self.open * sample_linear(skin_mask, self.pixels) * self.clear
        return softened_visibility(image.reshape(self.side, self.side))


def line_of_sight(
    model: HeadModel,
    fit: HeadFit,
    rasteriser: Rasteriser,
    uv_space: UVSpace,
    settings: UnwrapParameters = UnwrapParameters(),
) -> Sight:
    """What the fit's camera could see of the head; of texels in even steps where there are many."""
    vertices, camera = fit.vertices(model), fit.camera
    clearance = _edge_clearance(model, vertices, fit, rasteriser, settings)
    step = max(1, uv_space.resolution // settings.visibility_side)
    side = uv_space.resolution // step
    picked = np.arange(side) * step + step // 2
    texels = (picked[:, None] * uv_space.resolution + picked).reshape(-1)
    texels = texels[uv_space.mask.reshape(-1)[texels]]
    surface = texel_points(uv_space, vertices, vertex_normals(vertices, uv_space.mesh_triangles), texels)

    seen = smooth_step(surface.facing(camera.position), *settings.facing)
    pixels = camera.project(surface.position)
    in_front = camera.to_camera(surface.position)[:, 2] < 0
    inside = (pixels >= 1).all(1) & (pixels[:, 0] <= camera.width - 1) & (pixels[:, 1] <= camera.height - 1)
    seen[~(inside & in_front)] = 0

    candidates = np.flatnonzero(seen > 0)
    opened = seen[candidates] * surface.in_view(model, vertices, camera.position, candidates)
    row, column = np.divmod(surface.texel[candidates], uv_space.resolution)
    cells, pixels = (row // step) * side + column // step, pixels[candidates]
    return Sight(vertices, side, cells, pixels, opened, clearance.at(pixels))


@dataclass(frozen=True)
class _Clearance:
    """How far each pixel keeps from edges: `image` float32 [h, w] in [0, 1], pixel = photo pixel * scale - offset."""

    image: np.ndarray
    scale: float
    offset: np.ndarray

    def at(self, pixels: np.ndarray) -> np.ndarray:
        return sample_linear(self.image, pixels * self.scale - self.offset)


def _edge_clearance(
    model: HeadModel, vertices: np.ndarray, fit: HeadFit, rasteriser: Rasteriser, settings: UnwrapParameters
) -> _Clearance:
    """Distance of the photo's pixels to depth edges and to other parts, as a weight from 0 (at the edge) to 1."""
    low, high = _head_box(fit.camera, vertices)
    scale = min(1.0, settings.edge_side_px / float(max(high - low)))
    offset = np.floor(low * scale) - 2
    width, height = (np.ceil(high * scale) - offset + 2).astype(int)
    focal, centre = fit.camera.focal_px * scale, np.asarray(fit.camera.centre_px) * scale - offset
    camera = Camera(fit.camera.rotation, fit.camera.translation, focal, (centre[0], centre[1]), int(width), int(height))
    names = [name for name in model.part_names if name != "lashes"]
    triangles = model.triangles(*names)
    fragments = rasteriser.rasterise(vertices, triangles, camera)
    is_skin = np.zeros(len(triangles) + 1, bool)  # the last entry stands for background, index -1
    is_skin[: len(triangles)] = np.isin(_face_of_triangles(model, names), model.part_names.index("skin"))

    depth = np.where(fragments.mask, fragments.depth, 10.0)
    pixel_m = float(np.median(depth[fragments.mask])) / focal if fragments.mask.any() else 1e-3
    jump = max(settings.depth_edge_m, 8 * pixel_m)
    fold = np.zeros(depth.shape, bool)
    fold[:, 1:] |= np.abs(np.diff(depth, axis=1)) > jump
    fold[1:] |= np.abs(np.diff(depth, axis=0)) > jump
    other_part = fragments.mask & ~is_skin[fragments.triangle]

    reach = fit.iod_px * scale
    weight = (
        _distance_ramp(~fragments.mask, settings.silhouette_erosion * reach)
        * _distance_ramp(fold, settings.fold_erosion * reach)
        * _distance_ramp(other_part, settings.part_erosion * reach)
    )
    return _Clearance(weight.astype(np.float32), scale, offset)


def _face_of_triangles(model: HeadModel, names: list[str]) -> np.ndarray:
    """The part index of every triangle of `model.triangles(*names)`."""
    faces = model.part_faces(*names)
    per_face = np.where(model.quads[faces, 3] < 0, 1, 2)
    return np.repeat(model.face_part[faces], per_face)


def _distance_ramp(edges: np.ndarray, reach_px: float) -> np.ndarray:
    """0 up to `reach_px` (at least one pixel) from the edges, then rising to 1 over the same distance."""
    reach_px = max(reach_px, 1.0)
    if not edges.any():
        return np.ones(edges.shape, np.float32)
    distance = cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, 5)
    return smooth_step(distance, reach_px, 2 * reach_px)


def _head_box(camera: Camera, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of the frame that the head covers: low and high corner (x, y) in pixels."""
    pixels = camera.project(vertices)
    frame = np.array([camera.width, camera.height], np.float64)
    low, high = np.clip(pixels.min(0), 0, frame - 2), np.clip(pixels.max(0), 0, frame)
    return np.floor(low), np.maximum(np.ceil(high), np.floor(low) + 2)


def _crop_linear(photo: Photo, camera: Camera, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The head's part of the photo in linear light, and its upper left corner in pixels."""
    low, high = _head_box(camera, vertices)
    left, top = np.maximum(low.astype(int) - 8, 0)
    right, bottom = high.astype(int) + 8
    return np.array([left, top], np.float64), srgb_bytes_to_linear(photo.image_srgb[top:bottom, left:right])
