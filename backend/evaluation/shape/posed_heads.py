"""Heads whose shape is known, in the poses that fits find hard, as pictures by our own renderer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import sparse

from backend.evaluation.cg_heads import correspondence, truth
from backend.evaluation.head_renders import Sitter, Studio, render
from backend.evaluation.identity import before_grey, studio_light
from backend.evaluation.parameters import HeadRenderSettings, PosedSettings
from backend.evaluation.shape.face_surfaces import (
    UNMOVED,
    RegionMesh,
    aligned,
    best_fit,
    region_mesh,
    spread_evenly,
    surface_of,
)
from backend.evaluation.subjects import RESOLUTION
from backend.head.face_parts import PARTS, FaceParts
from backend.head.model import HeadModel
from backend.head.shading.compared_skin import compared_skin
from backend.photo.files.exif_tags import FILM_DIAGONAL_MM
from backend.pipeline import Pipeline
from backend.rendering.camera import Camera
from backend.rendering.normals import vertex_normals
from backend.texture.maps import SkinMaps
from backend.training.head.registration.surfaces import Surface, quad_edges

_CLOSED = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
_YAWN = {"jawOpen": 0.9, "mouthFunnel": 0.2, "eyeSquintLeft": 0.3, "eyeSquintRight": 0.3}
_SMILE = {
    **{"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "cheekSquintLeft": 0.6, "cheekSquintRight": 0.6},
    **{"jawOpen": 0.12, "mouthUpperUpLeft": 0.3, "mouthUpperUpRight": 0.3},
}


@dataclass(frozen=True)
class Pose:
    """How a head is photographed.

    Args:
        expression: weights by ARKit name.
        above_degrees: how far the camera stands above the face's level; a head that looks up is seen from below.
        yaw_degrees: of the camera towards the subject's left.
        focal_35mm, distance_m: of the camera, from the middle of the face.
        told: whether the file tells the focal length.
    """

    expression: Mapping[str, float] = field(default_factory=dict)
    above_degrees: float = 0.0
    yaw_degrees: float = 0.0
    focal_35mm: float = 50.0
    distance_m: float = 0.6
    told: bool = False


POSES = {
    "front": Pose(),
    "front, lens told": Pose(told=True),
    "eyes closed": Pose(_CLOSED),
    "yawn": Pose(_YAWN),
    "smile": Pose(_SMILE),
    "looks up 30": Pose(above_degrees=-30),
    "looks down 30": Pose(above_degrees=30),
    "selfie 24 mm": Pose(focal_35mm=24, distance_m=0.3),
    "selfie 24 mm, lens told": Pose(focal_35mm=24, distance_m=0.3, told=True),
    "selfie 28 mm": Pose(focal_35mm=28, distance_m=0.4),
    "selfie 28 mm, lens told": Pose(focal_35mm=28, distance_m=0.4, told=True),
    "yaw 45": Pose(yaw_degrees=45),
    "yaw 60": Pose(yaw_degrees=60),
    "yaw 70": Pose(yaw_degrees=70),
    "smile, yaw 30": Pose(_SMILE, yaw_degrees=30),
}


@dataclass(frozen=True)
class KnownHead:
    """A head on our topology whose shape is known.

    Args:
        name: of the individual.
        identity: float64 [K], the part of it that the model has.
        offsets: float32 [V, 3], metres, the rest of the face.
        maps: of its skin.
    """

    name: str
    identity: np.ndarray
    offsets: np.ndarray
    maps: SkinMaps

    def neutral(self, model: HeadModel) -> np.ndarray:
        """Its vertices without expression, float32 [V, 3]."""
        return model.shape(self.identity) + self.offsets


@dataclass(frozen=True)
class _Posed(Sitter):
    """A sitter whose face the model does not quite have."""

    offsets: np.ndarray = field(default_factory=lambda: np.zeros(3, np.float32))

    @cached_property
    def vertices(self) -> np.ndarray:
        """float32 [V, 3], metres."""
        return self.studio.model.shape(self.identity, self.expression) + self.offsets


class HeadStudio:
    """Makes heads of a folder in the format of `valid_heads`, and pictures of them."""

    def __init__(self, pipeline: Pipeline, folder: Path, settings: PosedSettings = PosedSettings()) -> None:
        chosen = HeadRenderSettings(side_px=settings.side_px, texels=RESOLUTION, directions=settings.directions)
        self.model, self.settings, self.folder = pipeline.model, settings, folder
        self.space = pipeline.uv_space(RESOLUTION)
        self.studio = Studio(self.model, pipeline.rasteriser, self.space, chosen)
        self.found = correspondence(folder, self.model, self.space)
        self.mesh: RegionMesh = region_mesh(folder, self.model, self.space, self.found)
        self.light = studio_light(self.studio.directions, chosen)
        with np.load(folder / "topology.npz") as topology:
            self._faces = topology["faces"].astype(np.int64)
        edges = quad_edges(self.model.quads[self.model.part_faces("skin")])
        count = len(self.model.mean)
        edges = edges[(edges >= 0).all(axis=1)]
        near = sparse.csr_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), (count, count))
        near = near + near.T + sparse.eye(count)
        self._smooth = sparse.diags(1 / np.asarray(near.sum(axis=1)).ravel()) @ near
        self._face = compared_skin(self.model).weight

    def scanned(self, record: dict) -> KnownHead:
        """The individual of a record: the model's nearest head, its face moved onto the true surface."""
        points = self.mesh.points(record["name"])
        identity = best_fit(self.model, points)
        shape = self.model.shape(identity).astype(np.float64)
        place = aligned(points.whole, surface_of(self.model, shape), UNMOVED, scaled=True)
        true = Surface(place(self.mesh.vertices[self.mesh.names.index(record["name"])]), self._faces)
        chosen = np.flatnonzero(self._face > 0)
        normals = vertex_normals(shape, self.model.triangles("skin"))[chosen].astype(np.float64)
        there = true.closest(shape[chosen], normals)
        sure = (there.distance < self.settings.farthest_m) & (there.normal_agreement > self.settings.least_agreement)
        offsets = np.zeros_like(shape)
        offsets[chosen] = (there.points - shape[chosen]) * (sure * self._face[chosen])[:, None]
        for _ in range(self.settings.smoothings):
            offsets = self._smooth @ offsets
        return KnownHead(record["name"], identity, offsets.astype(np.float32), self._maps(record))

    def drawn(self, record: dict) -> KnownHead:
        """A person as the prior expects them, p_s ~ N(0, I), in the skin of a record."""
        rng = np.random.default_rng(sum(map(ord, record["name"])))
        identity = rng.standard_normal(len(self.model.identity_basis))
        return KnownHead(f"{record['name']}-drawn", identity, np.zeros_like(self.model.mean), self._maps(record))

    def _maps(self, record: dict) -> SkinMaps:
        return truth(self.folder, record, self.found, self.model, self.space)

    def picture(self, head: KnownHead, pose: Pose) -> np.ndarray:
        """A photograph before grey, uint8 [S, S, 3] sRGB."""
        names = self.model.expression_names
        expression = np.array([pose.expression.get(name, 0.0) for name in names], np.float32)
        irises = np.tile(np.array(self.settings.iris_srgb), (2, 1))
        given = (self.studio, head.identity.astype(np.float32), expression, head.maps, irises, head.offsets)
        sitter = _Posed(*given)
        shown = render(sitter, posed_camera(self.model, sitter.vertices, pose, self.settings.side_px), self.light)
        grey = before_grey(shown, self.studio.settings)
        return np.round(255 * np.clip(grey, 0, 1)).astype(np.uint8)

    def pictures(self, head: KnownHead) -> Iterator[tuple[str, Pose, np.ndarray]]:
        """A photograph in each pose; those that differ only in what the file tells are one."""
        before: tuple[Pose, np.ndarray] | None = None
        for name, pose in POSES.items():
            if before is None or _untold(pose) != _untold(before[0]):
                before = pose, self.picture(head, pose)
            yield name, pose, before[1]


def _untold(pose: Pose) -> tuple:
    return pose.expression, pose.above_degrees, pose.yaw_degrees, pose.focal_35mm, pose.distance_m


def posed_camera(model: HeadModel, vertices: np.ndarray, pose: Pose, side_px: int) -> Camera:
    """The camera of a square picture that looks at the middle of a face [V, 3]."""
    middle = model.landmarks(vertices)[[33, 263, 1, 152]].astype(np.float64).mean(axis=0)
    yaw, above = np.radians(pose.yaw_degrees), np.radians(pose.above_degrees)
    away = np.array([np.sin(yaw) * np.cos(above), np.sin(above), np.cos(yaw) * np.cos(above)])
    right = np.cross([0.0, 1.0, 0.0], away)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(away, right), away])
    focal_px = pose.focal_35mm / FILM_DIAGONAL_MM * np.hypot(side_px, side_px)
    centre = (side_px / 2, side_px / 2)
    translation = -rotation @ (middle + pose.distance_m * away)
    return Camera(rotation, translation, float(focal_px), centre, side_px, side_px)


def true_errors_mm(
    model: HeadModel, parts: FaceParts, true: np.ndarray, fitted: np.ndarray, settings: PosedSettings = PosedSettings()
) -> dict[str, float]:
    """Mean distance in mm from the true surface to the fitted one by part, and `face`; both neutral heads [V, 3].

    The face is aligned as a whole, scale included, as `FitConfidence.expected_mm` means it.
    """
    skin = model.triangles("skin")
    part = np.full(len(model.mean), -1)
    part[parts.vertices] = parts.part
    of = part[skin]
    vertices, surface = true.astype(np.float64), surface_of(model, fitted)
    whole = spread_evenly(vertices, skin[(of >= 0).all(axis=1)], settings.face_points)
    place = aligned(whole, surface, UNMOVED, scaled=True)

    def error(points: np.ndarray) -> float:
        return 1000 * float(surface.closest(place(points)).distance.mean()) / place.scale

    by_part = {
        name: error(spread_evenly(vertices, skin[(of == number).all(axis=1)], settings.part_points))
        for number, name in enumerate(PARTS)
    }
    return {**by_part, "face": error(whole)}
