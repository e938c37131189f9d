"""Skins of the VALID heads (MIT) in our texture space: ears, necks, bald scalps, low frequencies.

All individuals share one mesh, so one registration of our mean head with the mean of their bald heads carries every
skin.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.head.model import HeadModel
from backend.imaging.colour import srgb_bytes_to_linear
from backend.imaging.filters import smooth_step
from backend.imaging.sampling import Footprint, sample_image
from backend.photo.networks.model_file import FACE_LANDMARKER, fetched_model
from backend.texture.uv_space import UVSpace
from backend.training.head.landmarks.mesh_landmarks import detect_landmarks
from backend.training.head.landmarks.painted_mesh import SCLERA, SKIN, PaintedMesh
from backend.training.head.registration.registration import (
    StiffnessStage,
    join_anchors,
    register,
    surface_anchors,
    vertex_anchors,
)
from backend.training.head.registration.surfaces import Surface, quad_edges, triangulate
from shared.errors import RelightifyError

_log = logging.getLogger(__name__)
SCHEDULE = (
    StiffnessStage(30, 2.0, 0.000, 1),
    StiffnessStage(15, 2.0, 0.015, 3, 0.7),
    StiffnessStage(6, 1.5, 0.012, 3, 0.7),
    StiffnessStage(2.5, 1.0, 0.010, 4),
    StiffnessStage(1.2, 0.7, 0.008, 4),
)
SKIN_LABELS = (1, 2, 3)
VIEWS = ((0.0, 0.0), (-0.4, 0.0), (0.4, 0.0))


@dataclass(frozen=True)
class ValidSkin:
    """One skin of the library in our texture space.

    Args:
        name: of the individual.
        base: individuals with the same value share one underlying skin.
        bald: True where the scalp is skin.
        linear: float32 [R, R, 3], linear albedo with the shading that was painted in.
        weight: float32 [R, R], 0 where there is none of it (collars, hair, holes).
    """

    name: str
    base: str
    bald: bool
    linear: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class ValidCorrespondence:
    """Where each of our texels lies in the library's texture: uv float64 [n, 2] (v down), of texels [n] (flat)."""

    texel: np.ndarray
    uv: np.ndarray
    corners_uv: np.ndarray
    distance: np.ndarray


def training_records(folder: Path) -> list[dict]:
    """Index records whose `split` is `train`."""
    individuals = json.loads((folder / "index.json").read_text())["individuals"]
    return [r for r in individuals if r["split"] == "train"]


def load_valid_skins(folder: Path, model: HeadModel, space: UVSpace) -> list[ValidSkin]:
    """Every training individual's skin; held-out ones are never opened."""
    records = training_records(folder)
    correspondence = register_valid(folder, model, space, [r["name"] for r in records if r["scalp"] == "bald skin"])
    islands = _read(folder / "islands.png", cv2.IMREAD_UNCHANGED)
    allowed = np.isin(islands, SKIN_LABELS).astype(np.float32)
    # Hair tints and the collar's edge bleed by a few texels.
    allowed = cv2.erode(allowed, np.ones((9, 9), np.uint8))
    skins = []
    for record in records:
        image = _read(folder / record["albedo"], cv2.IMREAD_COLOR_RGB)
        linear = srgb_bytes_to_linear(image)
        sampled, weight = _carried(linear, correspondence, space), _carried(allowed[..., None], correspondence, space)
        bald = record["scalp"] == "bald skin"
        # What leaks over the borders of its islands is not skin.
        inside = smooth_step(weight[..., 0], 0.7, 0.98)
        skins.append(ValidSkin(record["name"], record["skin_base"], bald, sampled, inside))
    return skins


def _read(path: Path, mode: int) -> np.ndarray:
    image = cv2.imread(str(path), mode)
    if image is None:
        raise RelightifyError("no_sources", f"The image {path} cannot be read.", "Give the folder of sources.")
    return np.asarray(image)


def register_valid(folder: Path, model: HeadModel, space: UVSpace, names: list[str]) -> ValidCorrespondence:
    """Bend our mean head onto the mean of the named heads and look up every texel."""
    with np.load(folder / "topology.npz") as topology, np.load(folder / "heads.npz") as heads:
        chosen = [heads["names"].tolist().index(n) for n in names]
        weld, faces, uv = topology["weld"], topology["faces"], topology["uv"].astype(np.float64)
        eye_faces = [topology["left_eye_faces"], topology["right_eye_faces"]]
        origin = heads["eye_center"][chosen].mean((0, 1))
        vertices = heads["vertices"][chosen].astype(np.float64).mean(0) - origin
        eyes = [heads[n][chosen].astype(np.float64).mean(0) - origin for n in ("left_eye", "right_eye")]
        centres = heads["eye_center"][chosen].mean(0) - origin
    target = Surface(vertices, weld[faces])
    painted = _painted(vertices, weld[faces], eyes, eye_faces, centres)
    landmarks, _ = detect_landmarks(painted, fetched_model(FACE_LANDMARKER), size=640, views=VIEWS)
    bent = _bend(model, target, landmarks)

    texel = np.flatnonzero(space.mask.reshape(-1))
    position = space.positions(bent).reshape(-1, 3)[texel]
    # Curled ears and nostrils are tried by their normals as well.
    found = target.closest(position, space.normals(bent).reshape(-1, 3)[texel])
    corner_uv = uv[faces[found.triangles]]
    _log.info("VALID heads: registered to %.2f mm in the mean.", 1000 * float(np.median(found.distance)))
    return ValidCorrespondence(texel, np.einsum("nk,nkd->nd", found.barycentric, corner_uv), corner_uv, found.distance)


def _bend(model: HeadModel, target: Surface, landmarks: np.ndarray) -> np.ndarray:
    """Our mean head's skin on the target surface, float64 [V, 3]; the other parts stay."""
    names = ("skin", "mouth")
    faces = model.part_faces(*names)
    ids = np.unique(model.quads[faces][model.quads[faces] >= 0])
    new = np.full(len(model.mean) + 1, -1)
    new[ids] = np.arange(len(ids))
    quads = new[model.quads[faces]]
    template = model.mean.astype(np.float64)[ids]
    on_skin = (new[model.landmark_triangles] >= 0).all(1)
    there = target.closest(landmarks)
    on_skin &= (there.distance < 0.002) & (model.landmarks(model.mean)[:, 2] > -0.01)
    anchors = surface_anchors(
        len(template),
        new[model.landmark_triangles[on_skin]],
        model.landmark_barycentric[on_skin].astype(np.float64),
        there.points[on_skin],
        np.full(int(on_skin.sum()), 0.5),
    )
    crown = np.flatnonzero(template[:, 1] > template[:, 1].max() - 0.002)[:1]
    top = target.vertices[target.vertices[:, 1].argmax()]
    goals = np.array([[0.0, top[1], template[crown[0], 2]]])
    crown_anchor = vertex_anchors(len(template), crown, goals, 0.05)
    follows = np.isin(ids, np.unique(model.triangles("skin"))).astype(float)
    bent = register(
        template,
        quad_edges(quads),
        triangulate(quads),
        follows,
        target,
        join_anchors(anchors, crown_anchor),
        SCHEDULE,
        mirror=new[model.mirror[ids]],
    )
    result = model.mean.astype(np.float64).copy()
    result[ids] = bent
    return result


def _painted(
    vertices: np.ndarray,
    triangles: np.ndarray,
    eyes: list[np.ndarray],
    eye_faces: list[np.ndarray],
    centres: np.ndarray,
) -> PaintedMesh:
    """The head with eyes, for the landmark detector."""
    points = np.concatenate([vertices, *eyes])
    starts = [len(vertices), len(vertices) + len(eyes[0])]
    faces = np.concatenate([triangles, *(f + start for f, start in zip(eye_faces, starts, strict=True))])
    owner = np.repeat([0, 1, 2], [len(triangles), *(len(f) for f in eye_faces)])
    colours = np.where(owner[:, None] == 0, np.array(SKIN), np.array(SCLERA))
    irises = tuple((owner == k + 1, centres[k], np.array([0.0, 0, 1])) for k in range(2))
    return PaintedMesh(points, faces, colours, irises)


def _carried(image: np.ndarray, correspondence: ValidCorrespondence, space: UVSpace) -> np.ndarray:
    """An image [h, w, C] of the library on our texels, float32 [R, R, C]; 0 outside."""
    height, width = image.shape[:2]
    pixels = correspondence.uv * [width, height]
    # About the same density on both sides: one pixel of footprint is right to within a factor of two.
    step = np.tile(np.eye(2) * (width / space.resolution * 0.6), (len(pixels), 1, 1))
    result = np.zeros((space.resolution**2, image.shape[2]), np.float32)
    result[correspondence.texel] = sample_image(np.ascontiguousarray(image, np.float32), pixels, Footprint(step))
    return result.reshape(space.resolution, space.resolution, -1)
