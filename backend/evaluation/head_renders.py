"""Pictures of a fitted head with its maps, by the shading that training uses: from any side, in any light.

Skin is shaded in texture space (`backend.rendering.skin_shading`); eyes, teeth and mouth are plain matt surfaces in the
light that lids and lips let through. There is no hair and there are no lashes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from backend.evaluation.parameters import HeadRenderSettings
from backend.head.model import HeadModel
from backend.imaging.colour import srgb_to_linear
from backend.imaging.sampling import Footprint, sample_image
from backend.rendering.camera import Camera
from backend.rendering.light_transfer import radiance_transfer, shading
from backend.rendering.occlusion import sphere_directions
from backend.rendering.rasteriser import Fragments, Rasteriser
from backend.rendering.skin_model import SKIN
from backend.rendering.skin_shading import Heads, Shots, TexelMesh, shade
from backend.rendering.spherical_harmonics import project_radiance
from backend.texture.maps import SkinMaps
from backend.texture.regions import face_regions
from backend.texture.uv_space import UVSpace
from backend.training.stream.heads import heads_of_shapes, texel_mesh

_EYES = ("eye_left", "eye_right")


@dataclass(frozen=True)
class Studio:
    """What all renders share.

    Args:
        model: the head model.
        rasteriser: finds what a pixel sees.
        space: texels of the maps, R x R.
        settings: the chosen numbers.
    """

    model: HeadModel
    rasteriser: Rasteriser
    space: UVSpace
    settings: HeadRenderSettings = HeadRenderSettings()

    @cached_property
    def directions(self) -> np.ndarray:
        """float32 [D, 3], where light comes from."""
        return sphere_directions(self.settings.directions)

    @cached_property
    def mesh(self) -> TexelMesh:
        """Texels of the maps."""
        return texel_mesh(self.model, self.space.resolution, self._density * 512 / self.space.resolution)

    @cached_property
    def coarse(self) -> TexelMesh:
        """Texels of what varies slowly."""
        return texel_mesh(self.model, self.settings.shading_texels, self._density * 512 / self.space.resolution)

    @cached_property
    def _density(self) -> float:
        return face_regions(self.model, self.space).texels_per_mm

    @cached_property
    def triangles(self) -> np.ndarray:
        """int32 [n, 3], all that is drawn: the lashes are not."""
        return self.model.triangles(*self._drawn)

    @cached_property
    def part(self) -> np.ndarray:
        """int [n], the part of each triangle."""
        faces = self.model.part_faces(*self._drawn)
        return np.repeat(self.model.face_part[faces].astype(int), np.where(self.model.quads[faces, 3] < 0, 1, 2))

    @cached_property
    def corners_uv(self) -> np.ndarray:
        """float32 [n, 3, 2], where the triangles' corners lie in texture space."""
        return self.model.uv[self.model.uv_triangles(*self._drawn)]

    @property
    def _drawn(self) -> tuple[str, ...]:
        return tuple(name for name in self.model.part_names if name != "lashes")


@dataclass(frozen=True)
class Sitter:
    """A head to be rendered.

    Args:
        studio: what all renders share.
        identity, expression: coefficients of the head model.
        maps: of the skin, R x R.
        iris_srgb: [2, 3], colours of the left and the right iris.
    """

    studio: Studio
    identity: np.ndarray
    expression: np.ndarray
    maps: SkinMaps
    iris_srgb: np.ndarray

    @cached_property
    def vertices(self) -> np.ndarray:
        """float32 [V, 3], metres."""
        return self.studio.model.shape(self.identity, self.expression)

    @cached_property
    def heads(self) -> Heads:
        """Frames and shadows of the skin."""
        return heads_of_shapes(self.studio.model, self.vertices[None], self.studio.directions)

    @cached_property
    def inner_transfer(self) -> np.ndarray:
        """float32 [V, 9], how light reaches eyes, teeth and mouth past the head."""
        model = self.studio.model
        inner = model.triangles(*(name for name in model.part_names if name not in ("skin", "lashes")))
        return radiance_transfer(self.vertices, model.triangles(), inner, model.solid_triangles())

    @cached_property
    def albedo(self) -> np.ndarray:
        """Diffuse albedo float32 [R, R, 3], linear, continued beyond the island."""
        return srgb_to_linear(self._dilated.diffuse_albedo_srgb).astype(np.float32)

    @cached_property
    def photo_colours(self) -> np.ndarray:
        """The completed texture float32 [R, R, 3], linear: skin in the photo's own light, highlights and all."""
        return srgb_to_linear(self._dilated.texture_srgb).astype(np.float32)

    @cached_property
    def _dilated(self) -> SkinMaps:
        return self.maps.dilated(self.studio.space.mask)

    def skin(self, radiance: np.ndarray, camera: Camera) -> np.ndarray:
        """The skin's colour float32 [R, R, 3], linear, as a camera sees it in a light [D, 3]."""
        studio, maps = self.studio, self._dilated
        shots = Shots(
            torch.from_numpy(studio.directions),
            torch.from_numpy(radiance.astype(np.float32))[None],
            torch.from_numpy(camera.position.astype(np.float32))[None],
            torch.tensor([SKIN.gloss.of_pictures]),
        )
        albedo = torch.from_numpy(self.albedo).permute(2, 0, 1)[None]
        specular = torch.from_numpy(np.ascontiguousarray(maps.specular_albedo, np.float32))[None, None]
        normal = torch.from_numpy(np.ascontiguousarray(maps.normal, np.float32)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            lit = shade(studio.mesh, studio.coarse, self.heads, shots, albedo, specular, normal)
            return (albedo * lit.diffuse + lit.specular)[0].permute(1, 2, 0).numpy()


@dataclass(frozen=True)
class Render:
    """A picture of a head.

    Args:
        linear: float32 [S, S, 3], linear RGB, the background 0.
        covered: float32 [S, S], how much of a pixel the head takes.
        seen: float32 [S, S], how much of it is skin that the photo showed, or eyes or mouth.
        landmarks_px: float64 [478, 2], of the head in the picture.
    """

    linear: np.ndarray
    covered: np.ndarray
    seen: np.ndarray
    landmarks_px: np.ndarray


def render(sitter: Sitter, camera: Camera, radiance: np.ndarray, skin: np.ndarray | None = None) -> Render:
    """Draw a head.

    Args:
        sitter: the head.
        camera: that looks at it; its picture is S x S.
        radiance: float [D, 3], linear RGB, from `Studio.directions`; uniform radiance 1 shows a white surface as 1.
        skin: colours float32 [R, R, 3], linear, shown instead of the maps in this light; eyes and mouth are lit.
    """
    studio = sitter.studio
    factor = studio.settings.oversampling
    fragments = studio.rasteriser.rasterise(sitter.vertices, studio.triangles, camera.scaled(factor))
    part = np.where(fragments.mask, studio.part[fragments.triangle], -1)
    on_skin = part == studio.model.part_names.index("skin")
    linear = np.zeros((*part.shape, 3), np.float32)
    seen = (fragments.mask & ~on_skin).astype(np.float32)
    texels, footprint = _texels(studio, fragments, on_skin, camera.scaled(factor), sitter.vertices)
    shown = sitter.skin(radiance, camera) if skin is None else skin
    linear[on_skin] = sample_image(np.maximum(shown, 0), texels, footprint)
    seen[on_skin] = sample_image(sitter.maps.visibility[..., None], texels, footprint)[:, 0]
    _draw_inner(sitter, fragments, part, radiance, linear)
    landmarks = camera.project(studio.model.landmarks(sitter.vertices).astype(np.float64))
    covered = fragments.mask.astype(np.float32)
    return Render(_reduced(linear, factor), _reduced(covered, factor), _reduced(seen, factor), landmarks)


def _texels(
    studio: Studio, fragments: Fragments, on_skin: np.ndarray, camera: Camera, vertices: np.ndarray
) -> tuple[np.ndarray, Footprint]:
    """Where in the maps the skin's pixels look, [n, 2] texels, and how far a pixel reaches there."""
    triangle, resolution = fragments.triangle[on_skin], studio.space.resolution
    corners = studio.corners_uv * (resolution, -resolution) + (0, resolution)
    place = np.einsum("nk,nkc->nc", fragments.barycentric[on_skin], corners[triangle])
    pixels = camera.project(vertices.astype(np.float64))[studio.triangles]
    return place, Footprint(Footprint.of_triangles(corners, pixels).jacobian[triangle])


def _draw_inner(
    sitter: Sitter, fragments: Fragments, part: np.ndarray, radiance: np.ndarray, linear: np.ndarray
) -> None:
    """Eyes, teeth, tongue and mouth, into `linear`."""
    studio, chosen = sitter.studio, sitter.studio.settings
    model = studio.model
    solid = np.full(len(studio.directions), 4 * np.pi / len(studio.directions))
    light = project_radiance(studio.directions, radiance, solid)
    inner = (part >= 0) & (part != model.part_names.index("skin"))
    triangle, weights = fragments.triangle[inner], fragments.barycentric[inner]
    corners = studio.triangles[triangle]
    shown = shading(np.einsum("nk,nkc->nc", weights, sitter.inner_transfer[corners]), light)
    rest = model.shape(sitter.identity)
    at_rest = np.einsum("nk,nkc->nc", weights, rest[corners])
    albedo = np.tile(np.array(chosen.mouth, np.float32), (len(triangle), 1))
    albedo[part[inner] == model.part_names.index("teeth")] = chosen.teeth
    for name, iris in zip(_EYES, srgb_to_linear(np.asarray(sitter.iris_srgb)), strict=True):
        own = part[inner] == model.part_names.index(name)
        albedo[own] = _eye_albedo(at_rest[own], _sphere(rest[np.unique(model.triangles(name))]), iris, chosen)
    linear[inner] = albedo * shown


def _sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre [3] and radius of the sphere that fits points [n, 3] best."""
    points = points.astype(np.float64)
    solution = np.linalg.lstsq(np.c_[2 * points, np.ones(len(points))], (points**2).sum(1), rcond=None)[0]
    return solution[:3], float(np.sqrt(solution[3] + solution[:3] @ solution[:3]))


def _eye_albedo(
    points: np.ndarray, eyeball: tuple[np.ndarray, float], iris: np.ndarray, chosen: HeadRenderSettings
) -> np.ndarray:
    """Linear colours [n, 3] of points [n, 3] of an eyeball that looks ahead; its iris is dark at rim and pupil."""
    centre, radius = eyeball
    towards = points - centre
    towards = towards / np.maximum(np.linalg.norm(towards, axis=-1, keepdims=True), 1e-9)
    from_axis = np.arccos(np.clip(towards[:, 2], -1, 1)) / np.arcsin(min(chosen.iris_radius_m / radius, 0.9))
    inside = _step(1.06, 0.94, from_axis)[:, None]
    ring = np.exp(-(((from_axis - 0.97) / 0.1) ** 2))[:, None]
    colour = inside * iris * chosen.iris_brightness + (1 - inside) * np.array(chosen.sclera)
    return colour * (1 - 0.6 * ring) * _step(0.93, 1.05, from_axis / chosen.pupil)[:, None] + 0.002


def _step(start: float, end: float, values: np.ndarray) -> np.ndarray:
    """Straight from 0 at `start` to 1 at `end`."""
    return np.clip((values - start) / (end - start), 0, 1)


def _reduced(image: np.ndarray, factor: int) -> np.ndarray:
    """Means over blocks of `factor` x `factor` pixels."""
    rows, columns = image.shape[0] // factor, image.shape[1] // factor
    return image.reshape(rows, factor, columns, factor, *image.shape[2:]).mean((1, 3))


def turned(camera: Camera, degrees: float, centre: np.ndarray) -> Camera:
    """A camera that went round a point [3] on a level circle; positive towards the subject's left."""
    angle = np.radians(degrees)
    around = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
    rotation = camera.rotation @ around
    translation = camera.translation + (camera.rotation - rotation) @ centre
    return replace(camera, rotation=rotation, translation=translation)


def framed(camera: Camera, points_px: np.ndarray, settings: HeadRenderSettings) -> tuple[Camera, np.ndarray]:
    """The camera of a square cut-out about points [n, 2], and the affine map [2, 3] from its picture's pixels to it."""
    low, high = points_px.min(0), points_px.max(0)
    scale = settings.side_px / (settings.margin * float((high - low).max()))
    shift = settings.side_px / 2 - (low + high) / 2 * scale
    centre = (camera.centre_px[0] * scale + shift[0], camera.centre_px[1] * scale + shift[1])
    side = settings.side_px
    cut = Camera(camera.rotation, camera.translation, camera.focal_px * scale, centre, side, side)
    return cut, np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
