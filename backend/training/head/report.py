"""The report on a built head model: the figures that issue and design ask for, and sheets to look at."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from backend.head.model import HeadModel
from backend.training.head.built_head import BuiltHead
from backend.training.head.figures import (
    align,
    face_vertices,
    flipped_triangles,
    lid_gaps,
    refit,
    self_intersections,
    surface_distance,
)
from backend.training.head.landmarks.painted_mesh import Camera, contact_sheet, look_camera, orbit_camera, render
from backend.training.head.landmarks.pictures import (
    Painter,
    expression_sheet,
    fit_sphere,
    identity_sheet,
    paint_ict,
    save_small_png,
)
from backend.training.head.registration.surfaces import Surface, triangulate
from backend.training.uv.report import write_skin_uv_report

log = logging.getLogger(__name__)

UNSEEN_DRAWS, DRAW_SEED = 200, 20240
CLOSE_UPS = {
    "eye": ((0.032, 0.0, 0.012), 0.022, 0.35),
    "mouth": ((0.0, -0.074, 0.03), 0.035, 0.3),
    "nose": ((0.0, -0.035, 0.035), 0.027, 0.4),
    "ear": ((0.08, -0.02, -0.08), 0.045, 1.3),
}


def write_head_report(build: BuiltHead, out: Path) -> dict:
    """Write ``report.json``, ``report.md`` and the sheets to a folder; returns the figures."""
    out.mkdir(parents=True, exist_ok=True)
    model, topology = build.model, build.topology
    figures = {
        "size": {
            "vertices": len(model.mean),
            "quads": len(model.quads),
            "faces_by_part": {n: int((model.face_part == k).sum()) for k, n in enumerate(model.part_names)},
        },
        "mean_to_ict_surface_on_face": _mean_figures(build),
        "topology": _topology_figures(build),
        "lids_to_eyeballs": _lid_figures(build),
        "unseen_ict_draws": _unseen_draws(build),
        "valid_heads": _valid_figures(build),
        "modes": {
            "standard_deviation_mm": [round(1000 * float(s), 4) for s in build.deviations],
        },
    }
    skin = topology.quads[topology.face_part == 0]
    uv = write_skin_uv_report(model.mean.astype(np.float64), skin, topology.mirror, build.layout, out)
    figures["skin_uv"] = {
        k: asdict(uv)[k] for k in ("used", "face_share", "mirror_error", "flipped", "overlapping_texels")
    }
    (out / "report.json").write_text(json.dumps(figures, indent=1) + "\n")
    (out / "report.md").write_text(_as_markdown(figures))
    painter = Painter.of(topology, model.mean.astype(np.float64))
    save_small_png(expression_sheet(model, painter, 190), out / "expressions.png")
    save_small_png(identity_sheet(model, painter, 230), out / "identities.png")
    Image.fromarray(_registration_sheet(build, painter)).save(out / "registration.png")
    Image.fromarray(_close_up_sheet(model, painter)).save(out / "close_ups.png")
    Image.fromarray(_mode_sheet(model, painter)).save(out / "modes.png")
    Image.fromarray(_landmark_sheet(model, painter)).save(out / "landmarks.png")
    log.info("report written to %s", out)
    return figures


def _mean_figures(build: BuiltHead) -> dict:
    """The carried-over mean against the ICT surface, both ways, on the face."""
    topology, vertices = build.topology, build.mean.vertices
    skin = triangulate(topology.quads[topology.face_part == 0])
    on_face = face_vertices(vertices, np.unique(skin)) & ~build.carrier.hidden
    ict_skin = build.ict.skin_triangles()
    face = skin[on_face[skin].all(axis=1)]
    there = ict_skin[face_vertices(build.ict.mean, np.unique(ict_skin))[ict_skin].all(axis=1)]
    return {
        "to_ict": surface_distance(vertices, face, Surface(build.ict.mean, ict_skin), 40000),
        "from_ict": surface_distance(build.ict.mean, there, Surface(vertices, skin), 40000),
    }


def _topology_figures(build: BuiltHead) -> dict:
    topology, model = build.topology, build.model
    skin = triangulate(topology.quads[topology.face_part == 0])
    rng = np.random.default_rng(0)
    identities = [model.shape(rng.standard_normal(100)).astype(np.float64) for _ in range(16)]
    mean = model.mean.astype(np.float64)
    return {
        "flipped_skin_triangles": len(flipped_triangles(mean, skin, topology.vertices)),
        "self_intersecting_skin_triangles": len(self_intersections(mean, skin)),
        "self_intersecting_skin_triangles_of_16_identities": [len(self_intersections(s, skin)) for s in identities],
        "mirror_error_of_mean_mm": float(1000 * np.abs(mean[topology.mirror] * [-1, 1, 1] - mean).max()),
    }


def _lid_figures(build: BuiltHead) -> dict:
    model, eyes = build.model, build.mean.eyes

    def gaps(shape: np.ndarray) -> dict:
        shape = shape.astype(np.float64)
        return lid_gaps(shape, [eye.margin for eye in eyes], [fit_sphere(shape[eye.vertices]) for eye in eyes])

    rng = np.random.default_rng(0)
    names = model.expression_names
    blink = np.isin(names, ["eyeBlinkLeft", "eyeBlinkRight"]).astype(float)
    sixteen = [gaps(model.shape(rng.standard_normal(100))) for _ in range(16)]
    return {
        "mean": gaps(model.mean),
        "eyeBlink": gaps(model.shape(None, blink)),
        "16_identities": {
            "min_mm": min(g["min_mm"] for g in sixteen),
            "max_mm": max(g["max_mm"] for g in sixteen),
        },
    }


def _unseen_draws(build: BuiltHead) -> dict:
    """ICT identities that the basis has not seen, carried over and fitted again with the 100 modes."""
    rng = np.random.default_rng(DRAW_SEED)
    modes = build.carrier.identities(build.ict.modes)
    shapes = build.model.mean + np.tensordot(rng.standard_normal((UNSEEN_DRAWS, len(modes))), modes, 1)
    coefficients = refit(build.model, shapes, build.mass)
    fitted = build.model.mean + np.tensordot(coefficients, build.model.identity_basis, 1)
    on_face = face_vertices(build.model.mean, np.unique(build.topology.quads[build.topology.face_part == 0]))
    error = 1000 * np.linalg.norm(fitted - shapes, axis=2)[:, on_face]
    return {
        "draws": UNSEEN_DRAWS,
        "mean_mm": float(error.mean()),
        "p95_mm": float(np.percentile(error, 95)),
        "worst_draw_mean_mm": float(error.mean(axis=1).max()),
        "coefficient_rms": float(np.sqrt((coefficients**2).mean())),
    }


def _valid_figures(build: BuiltHead) -> dict:
    """VALID heads fitted with the 100 modes: distance between corresponding points on the face."""
    on_face = face_vertices(build.model.mean, np.unique(build.topology.quads[build.topology.face_part == 0]))
    mass = np.where(on_face, build.mass, 0)
    mean = build.model.mean.astype(np.float64)
    rows = {}
    for name, heldout, registered in build.valid:
        shape = goal = np.where(on_face[:, None], np.nan_to_num(registered), mean)
        coefficients = np.zeros(100)
        for _ in range(4):
            shape = align(shape, goal, mass)
            coefficients = refit(build.model, shape[None], mass, noise=3e-4)[0]
            goal = mean + np.tensordot(coefficients, build.model.identity_basis, 1)
        error = 1000 * np.linalg.norm(shape - goal, axis=1)[on_face]
        rows[name] = {
            "heldout": heldout,
            "mean_mm": float(error.mean()),
            "p95_mm": float(np.percentile(error, 95)),
            "coefficient_rms": float(np.sqrt((coefficients**2).mean())),
        }
    return {
        "train_mean_mm": float(np.mean([r["mean_mm"] for r in rows.values() if not r["heldout"]])),
        "heldout": {n: r for n, r in rows.items() if r["heldout"]},
    }


def _as_markdown(figures: dict) -> str:
    mean, draws, lids = figures["mean_to_ict_surface_on_face"], figures["unseen_ict_draws"], figures["lids_to_eyeballs"]
    topology, uv = figures["topology"], figures["skin_uv"]
    rows = [
        (
            "ICT mean carried over, to the ICT surface on the face, mean",
            f"{mean['to_ict']['mean_mm']:.3f} mm",
            "0.5 mm",
        ),
        ("the same, 95th percentile", f"{mean['to_ict']['p95_mm']:.3f} mm", "1.5 mm"),
        ("the other way, mean", f"{mean['from_ict']['mean_mm']:.3f} mm", "-"),
        ("flipped skin triangles of the mean", str(topology["flipped_skin_triangles"]), "0"),
        ("self-intersecting skin triangles of the mean", str(topology["self_intersecting_skin_triangles"]), "0"),
        (
            "lid margins to eyeballs, mean shape",
            f"{lids['mean']['min_mm']:.2f} to {lids['mean']['max_mm']:.2f} mm",
            "0 to 0.3",
        ),
        (
            "lid margins to eyeballs, 16 identities",
            f"{lids['16_identities']['min_mm']:.2f} to {lids['16_identities']['max_mm']:.2f} mm",
            "-",
        ),
        (f"{draws['draws']} unseen ICT draws refitted, mean on the face", f"{draws['mean_mm']:.3f} mm", "0.4 mm"),
        ("VALID training heads refitted, mean on the face", f"{figures['valid_heads']['train_mean_mm']:.3f} mm", "-"),
        *(
            (f"held-out VALID head {name}, mean on the face", f"{row['mean_mm']:.3f} mm", "report")
            for name, row in figures["valid_heads"]["heldout"].items()
        ),
        ("skin UV: share of the square used", f"{uv['used']:.3f}", "0.7"),
        ("skin UV: share of the used texels on the face", f"{uv['face_share']:.3f}", "0.5"),
        ("skin UV: mirror error", f"{uv['mirror_error']:.2g}", "1e-4"),
        ("skin UV: overlapping texels", str(uv["overlapping_texels"]), "0"),
    ]
    lines = ["# Head model", "", "| figure | value | wanted |", "| --- | --- | --- |"]
    lines += [f"| {what} | {value} | {wanted} |" for what, value, wanted in rows]
    lines += ["", "Sheets: `expressions.png`, `identities.png`, `modes.png`, `close_ups.png`, `registration.png`,"]
    lines += ["`landmarks.png`, `skin_uv_layout.png`, `skin_uv_views.png`.", ""]
    return "\n".join(lines)


def _registration_sheet(build: BuiltHead, painter: Painter) -> np.ndarray:
    """Our mean with its wires above, the ICT mean below, from the same cameras."""
    ours = painter.paint(build.model.mean.astype(np.float64), lashes=False)
    theirs = paint_ict(build.ict, build.origin)
    cameras = [orbit_camera(yaw, 420) for yaw in (0.0, 0.7, 1.5)]
    cameras += [look_camera(target, half, yaw, 420) for target, half, yaw in CLOSE_UPS.values()]
    pictures = [_wired(mesh, camera) for mesh in (ours, theirs) for camera in cameras]
    return contact_sheet(pictures, [""] * len(pictures), columns=len(cameras))


def _wired(mesh, camera: Camera) -> np.ndarray:
    picture, fragments = render(mesh, camera)
    wire = (fragments.barycentric < 0.03).any(axis=-1) & fragments.mask
    return np.where(wire[..., None], picture * 0.8, picture).astype(np.uint8)


def _close_up_sheet(model: HeadModel, painter: Painter) -> np.ndarray:
    """Eyes and mouths in the poses where models break."""
    poses = (
        ("eye", {}),
        ("eye", {"eyeBlinkLeft": 0.5}),
        ("eye", {"eyeBlinkLeft": 1}),
        ("eye", {"eyeLookDownLeft": 1}),
        ("eye", {"eyeLookUpLeft": 1}),
        ("eye", {"eyeWideLeft": 1}),
        ("mouth", {}),
        ("mouth", {"jawOpen": 0.5}),
        ("mouth", {"jawOpen": 0.6, "mouthClose": 0.6}),
        ("mouth", {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "jawOpen": 0.15}),
        ("mouth", {"mouthFunnel": 1}),
        ("mouth", {"tongueOut": 1, "jawOpen": 0.4}),
    )
    pictures, labels = [], []
    for where, weights in poses:
        expression = np.array([weights.get(n, 0.0) for n in model.expression_names])
        target, half, yaw = CLOSE_UPS[where]
        shape = model.shape(None, expression).astype(np.float64)
        pictures.append(render(painter.paint(shape), look_camera(target, half, yaw, 420))[0])
        labels.append(", ".join(f"{n} {w:g}" for n, w in weights.items()) or "neutral")
    return contact_sheet(pictures, labels, columns=6)


def _mode_sheet(model: HeadModel, painter: Painter) -> np.ndarray:
    """The first eight modes at -2.5 and +2.5."""
    pictures, labels = [], []
    for value in (-2.5, 2.5):
        for mode in range(8):
            shape = model.shape(value * np.eye(100)[mode]).astype(np.float64)
            camera = orbit_camera(0.5, 260, half_height=0.15, centre_y=-0.04)
            pictures.append(render(painter.paint(shape, lashes=False), camera)[0])
            labels.append(f"mode {mode} {value:+g}")
    return contact_sheet(pictures, labels, columns=8)


def _landmark_sheet(model: HeadModel, painter: Painter) -> np.ndarray:
    """The landmarks on the mean."""
    shape = model.mean.astype(np.float64)
    points = model.landmarks(shape)
    pictures = []
    for yaw in (0.0, 0.7):
        camera = orbit_camera(yaw, 900)
        picture = render(painter.paint(shape, lashes=False), camera)[0]
        for x, y in camera.project(points).astype(int):
            picture[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = (0, 255, 0)
        pictures.append(picture)
    return contact_sheet(pictures, ["", ""], columns=2)
