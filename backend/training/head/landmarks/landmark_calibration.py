"""Moves the head model's landmarks to where the detector finds them on real faces.

On shaded portraits of a mesh the detector sees neither brows nor lashes nor coloured lips, and at a closed mouth
it cannot say which lip a point of the mouth's line belongs to. What is left between projected and detected landmarks
after fitting many people is the same for all of them, so it is an error of the landmarks' places, not of the people.
Here the fit and the correction take turns, on people of the `train` split alone. The build of the head model ends with
this; `python -m backend.training.head.landmarks.landmark_calibration` does it again for a model that is there already.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backend.asset_files import SOURCES
from backend.head.landmarks.landmark_fit import fit_landmarks
from backend.head.model import ASSET, HeadModel, load_head_model, save_head_model
from backend.photo.face_detector import Face, FaceDetector, choose_face
from backend.photo.landmark_table import IRIS_LEFT, IRIS_RIGHT, LIPS_INNER, MIRROR, interocular_px
from backend.photo.reading import read_photo
from backend.training.head.registration.surfaces import Surface

log = logging.getLogger(__name__)

# The inner lips: the ring's lower half and its upper half; the corners belong to both.
LOWER_LIP, UPPER_LIP = LIPS_INNER[1:10], LIPS_INNER[11:]
# Skin that follows the jaw by more than this part of the chin's path is the lower lip's.
FOLLOWS_JAW = 0.5
ROUNDS = 3
PORTRAITS = SOURCES / "portraits"


@dataclass(frozen=True)
class DetectedPortrait:
    """A detected face and the size of its photo."""

    face: Face
    width: int
    height: int
    focal_px: float | None


def training_portraits(folder: Path, every: int = 1) -> list[DetectedPortrait]:
    """Detect the faces of the people whose split is `train`, neutral and smiling, every n-th person."""
    people = [p["id"] for p in json.loads((folder / "index.json").read_text()) if p["split"] == "train"]
    detector = FaceDetector()
    found = []
    for person in people[::every]:
        for path in sorted(folder.glob(f"{person}_*.jpg")):
            photo = read_photo(path.read_bytes())
            found.append(
                DetectedPortrait(choose_face(detector.detect(photo)), photo.width, photo.height, photo.focal_px)
            )
    return found


def calibrate_landmarks(model: HeadModel, portraits: Sequence[DetectedPortrait], rounds: int = ROUNDS) -> HeadModel:
    """The model with its landmarks moved along the surface to where the detector sees them on these faces.

    Args:
        model: any head model with first landmarks.
        portraits: from `training_portraits`; a hundred are plenty.
        rounds: fits and corrections in turn.
    """
    groups = landmark_surfaces(model)
    for number in range(rounds):
        votes, errors = [], []
        for portrait in portraits:
            on_mean, error = _vote(model, portrait, groups)
            votes.append(on_mean)
            errors.append(error)
        points = np.median(votes, axis=0)
        points = (points + points[np.asarray(MIRROR)] * [-1, 1, 1]) / 2
        log.info("round %d: landmark error %.2f %%", number, 100 * float(np.mean(errors)))
        corners, barycentric = _closest(model.mean.astype(np.float64), groups, points)
        model = replace(
            model, landmark_triangles=corners.astype(np.int32), landmark_barycentric=barycentric.astype(np.float32)
        )
    return replace(
        model, metadata={**model.metadata, "landmarks": f"calibrated on {len(portraits)} training portraits"}
    )


def landmark_surfaces(model: HeadModel) -> list[tuple[np.ndarray, np.ndarray]]:
    """(landmark numbers, triangles they may lie on): skin, upper and lower lip, the two eyeballs."""
    skin = model.triangles("skin")
    jaw = model.expression_basis[model.expression_names.index("jawOpen")]
    drop = np.linalg.norm(jaw, axis=1)
    chin = np.linalg.norm(np.einsum("k,kd->d", model.landmark_barycentric[152], jaw[model.landmark_triangles[152]]))
    follows = (drop[skin] > FOLLOWS_JAW * chin).all(axis=1)
    stays = (drop[skin] < FOLLOWS_JAW * chin).all(axis=1)
    special = {*LOWER_LIP, *UPPER_LIP, *IRIS_LEFT, *IRIS_RIGHT}
    rest = [i for i in range(len(MIRROR)) if i not in special]
    return [
        (np.array(rest), skin),
        (np.array(LOWER_LIP), skin[follows]),
        (np.array(UPPER_LIP), skin[stays]),
        (np.array(IRIS_RIGHT), model.triangles("eye_right")),
        (np.array(IRIS_LEFT), model.triangles("eye_left")),
    ]


def _vote(
    model: HeadModel, portrait: DetectedPortrait, groups: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, float]:
    """Where one fitted face wants the landmarks: points [478, 3] on the mean head, and its landmark error."""
    pixels, (width, height) = portrait.face.landmarks_px, (portrait.width, portrait.height)
    found, problem = fit_landmarks(model, pixels, portrait.face.expression, width, height, portrait.focal_px)
    camera = found.camera(problem.centre_px, width, height)
    vertices = model.shape(found.identity, found.expression).astype(np.float64)
    points = model.landmarks(vertices)
    missing = (pixels - camera.project(points)) * [1, -1]
    depth = -camera.to_camera(points)[:, 2:]
    aside = np.column_stack([missing * depth / camera.focal_px, np.zeros(len(points))]) @ camera.rotation
    corners, barycentric = _closest(vertices, groups, points + aside)
    on_mean = np.einsum("lk,lkd->ld", barycentric, model.mean[corners].astype(np.float64))
    iod = interocular_px(pixels)
    return on_mean, float(np.linalg.norm(missing, axis=1).mean() / iod)


def _closest(
    vertices: np.ndarray, groups: list[tuple[np.ndarray, np.ndarray]], points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest points to `points` [478, 3] on each group's triangles: corners and barycentrics [478, 3]."""
    corners, barycentric = np.zeros((len(points), 3), np.int64), np.zeros((len(points), 3))
    for landmarks, triangles in groups:
        found = Surface(vertices, triangles).closest(points[landmarks])
        corners[landmarks], barycentric[landmarks] = triangles[found.triangles], found.barycentric
    return corners, barycentric


def main(arguments: Sequence[str] | None = None) -> None:
    """Calibrate the landmarks of a head model in place."""
    parser = argparse.ArgumentParser(
        prog="python -m backend.training.head.landmarks.landmark_calibration", description=main.__doc__
    )
    parser.add_argument("--model", type=Path, default=ASSET, help="the head model, npz")
    parser.add_argument("--portraits", type=Path, default=PORTRAITS, help="a folder with index.json")
    parser.add_argument("--every", type=int, default=2, help="every n-th person of the training split")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model = calibrate_landmarks(load_head_model(chosen.model), training_portraits(chosen.portraits, chosen.every))
    save_head_model(model, chosen.model)


if __name__ == "__main__":
    main()
