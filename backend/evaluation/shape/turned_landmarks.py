"""``python -m backend.evaluation.shape.turned_landmarks``: learns `backend/assets/turned_landmarks.npz`.

Training heads whose surface is known are rendered by Cycles from the front and from 45 degrees. Where the head model,
fitted to the surface, has each landmark is compared with where the detector marks it, and what the turn adds to the
difference is averaged over the heads.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.asset_files import SOURCES, write_manifest
from backend.evaluation.cg_heads import AROUND, Pictures, correspondence, pictured_from, render_pictures
from backend.evaluation.shape.face_surfaces import UNMOVED, aligned, best_fit, region_mesh, surface_of
from backend.evaluation.subjects import RESOLUTION, training_records
from backend.head.model import HeadModel, load_head_model
from backend.head.several.turned_landmarks import ASSET
from backend.photo.face_detector import FaceDetector, choose_face
from backend.photo.reading import read_photo
from backend.texture.uv_space import uv_space

log = logging.getLogger(__name__)

HEADS = ("AIAN_M_1", "Black_F_1", "White_M_1", "Asian_F_1", "MENA_M_1", "White_F_2")
FRONT_AND_TURNED = Pictures(views=AROUND.views[:2], samples=AROUND.samples, side_px=AROUND.side_px)


def landmark_offsets(
    detector: FaceDetector, pictures: dict[str, Path], points: np.ndarray, settings: Pictures = FRONT_AND_TURNED
) -> np.ndarray:
    """What turning adds to the landmarks of a head, float64 [478, 2], metres in the picture's plane.

    Args:
        detector: finds the landmarks.
        pictures: by the name of the view, from the front and turned.
        points: float64 [478, 3], where the landmarks are in the space in which the head was rendered.
        settings: how it was.
    """
    found = []
    for view in settings.views:
        camera = pictured_from(view, settings.side_px)
        face = choose_face(detector.detect(read_photo(pictures[view["name"]].read_bytes())))
        metres = -camera.to_camera(points)[:, 2:] / camera.focal_px
        found.append((face.landmarks_px - camera.project(points)) * metres)
    return found[1] - found[0]


def landmarks_on(model: HeadModel, truth_points: np.ndarray, identity: np.ndarray) -> np.ndarray:
    """The landmarks [478, 3] of a head of the model in the space of the true surface that it was fitted to."""
    shape = model.shape(identity)
    place = aligned(truth_points, surface_of(model, shape), UNMOVED, scaled=True)
    return (model.landmarks(shape) - place.shift) @ place.rotation / place.scale


def main(arguments: Sequence[str] | None = None) -> None:
    """Learn what turning adds to the landmarks."""
    parser = argparse.ArgumentParser(prog="python -m backend.evaluation.shape.turned_landmarks", description=__doc__)
    parser.add_argument("--blender-python", type=Path, default=None, help="a Python with Blender's module, to render")
    parser.add_argument("--heads", type=Path, default=SOURCES / "valid_heads", help="a folder with index.json")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model, detector = load_head_model(), FaceDetector()
    space = uv_space(model, RESOLUTION)
    found = correspondence(chosen.heads, model, space)
    records = [record for record in training_records(chosen.heads) if record["name"] in HEADS]
    given = (chosen.heads, records, found, model, space, chosen.blender_python, FRONT_AND_TURNED)
    pictures, mesh = render_pictures(*given), region_mesh(chosen.heads, model, space, found)
    offsets = []
    for record in records:
        truth = mesh.points(record["name"])
        points = landmarks_on(model, truth.whole, best_fit(model, truth))
        offsets.append(landmark_offsets(detector, pictures[record["name"]], points))
        log.info("%s: %.1f mm", record["name"], 1000 * float(np.linalg.norm(offsets[-1], axis=1).mean()))
    mean, apart = np.mean(offsets, axis=0), np.std(offsets, axis=0)
    log.info("The same on all: %.1f mm; apart from it: %.1f mm (root mean squares).", *(1000 * _rms(mean, apart)))
    np.savez(ASSET, offsets_m=mean.astype(np.float32), degrees=np.float32(FRONT_AND_TURNED.views[1]["yaw"]))
    write_manifest()


def _rms(*offsets: np.ndarray) -> np.ndarray:
    return np.array([np.sqrt(np.square(one).sum(axis=1).mean()) for one in offsets])


if __name__ == "__main__":
    main()
