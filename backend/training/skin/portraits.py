"""The training portraits, fitted with the head model and unwrapped; results are cached outside of the repository."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.head.head_fit import HeadFit, ViewFit
from backend.head.landmarks.landmark_fit import fit_landmarks, landmark_errors
from backend.head.model import ASSET, HeadModel
from backend.photo.face_detector import Face, FaceDetector, choose_face
from backend.photo.landmark_table import interocular_px
from backend.photo.reading import Photo, read_photo
from backend.rendering.camera import Camera
from backend.texture.uv_space import uv_space
from backend.training.skin.landmark_unwrap import portrait_skin, unwrap_portrait
from shared.errors import RelightifyError

_log = logging.getLogger(__name__)
UNWRAP_RESOLUTION = 1024
EXPRESSIONS = ("neutral", "smiling")


@dataclass(frozen=True)
class Person:
    """One record of the portraits' index."""

    identifier: str
    age: float | None
    ethnicity: str

    @property
    def group(self) -> str:
        """The set that the person's photos were taken in: they share its light and camera."""
        return self.identifier.split("/")[0]


@dataclass(frozen=True)
class UnwrappedPortrait:
    """A photo in texture space, with the fit.

    Args:
        texture_srgb: uint8 [R, R, 3].
        visibility: uint8 [R, R], 255 = seen.
        identity, expression: coefficients of the head model.
        camera: of the photo.
        landmark_error: mean error over the distance of the eye corners.
    """

    texture_srgb: np.ndarray
    visibility: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    camera: Camera
    landmark_error: float


def training_people(portraits: Path) -> list[Person]:
    """The people whose `split` is `train`, in the order of the index; nobody else's photo is ever opened here.

    Raises:
        RelightifyError: ``no_sources``.
    """
    index = portraits / "index.json"
    if not index.exists():
        raise RelightifyError("no_sources", f"There is no portrait index at {index}.", "Give the folder of sources.")
    records = json.loads(index.read_text())
    return [Person(r["id"], r["age"], r["ethnicity"]) for r in records if r["split"] == "train"]


def photos_of(portraits: Path, person: Person) -> dict[str, Path]:
    """The person's photos by expression."""
    named = {name: portraits / f"{person.identifier}_{name}.jpg" for name in EXPRESSIONS}
    return {name: path for name, path in named.items() if path.exists()}


def fit_key() -> str:
    """Names the folder of cached fits: another head model or unwrapping resolution, another folder."""
    return hashlib.sha256(ASSET.read_bytes() + f"landmarks {UNWRAP_RESOLUTION}".encode()).hexdigest()[:12]


def unwrap_portraits(
    model: HeadModel, portraits: Path, people: list[Person], cache: Path
) -> dict[tuple[str, str], UnwrappedPortrait]:
    """Fit and unwrap every photo of the people, by (identifier, expression); what is in the cache is read from it."""
    cache.mkdir(parents=True, exist_ok=True)
    space, detector = None, None
    results: dict[tuple[str, str], UnwrappedPortrait] = {}
    for count, person in enumerate(people):
        for name, path in photos_of(portraits, person).items():
            stored = cache / f"{person.identifier.replace('/', '_')}_{name}.npz"
            if not stored.exists():
                space = space or uv_space(model, UNWRAP_RESOLUTION)
                detector = detector or FaceDetector()
                photo = read_photo(path.read_bytes())
                face = choose_face(detector.detect(photo))
                fit = landmark_head(model, photo, face)
                skin = portrait_skin(photo, face)
                texture, visibility = unwrap_portrait(photo, face, skin, model, fit, space)
                portrait = UnwrappedPortrait(
                    np.round(texture * 255).astype(np.uint8),
                    np.round(visibility * 255).astype(np.uint8),
                    fit.identity,
                    fit.expression,
                    fit.camera,
                    fit.view.landmark_error,
                )
                _store(portrait, stored)
            results[person.identifier, name] = _load(stored)
        if (count + 1) % 10 == 0:
            _log.info("Fitted and unwrapped %d of %d people.", count + 1, len(people))
    if detector is not None:
        detector.close()
    return results


def landmark_head(model: HeadModel, photo: Photo, face: Face) -> HeadFit:
    """The head model fitted to the landmarks alone; the light stays unknown.

    `fit_head` goes on to bend the shape until one photo's shading is explained. Here the shading of a whole set is
    explained later, with one light for all, and what the shape cannot explain must not hide in it.
    """
    width, height = photo.width, photo.height
    parameters, problem = fit_landmarks(model, face.landmarks_px, face.expression, width, height, photo.focal_px)
    camera = parameters.camera(problem.centre_px, width, height)
    errors = landmark_errors(model, parameters, camera, face.landmarks_px)
    view = ViewFit(
        expression=parameters.expression.astype(np.float32),
        camera=camera,
        light=np.zeros((9, 3), np.float32),
        skin_albedo=np.full(3, 0.3, np.float32),
        iod_px=interocular_px(face.landmarks_px),
        landmark_error=float(errors.mean()),
        landmark_errors=errors.astype(np.float32),
        photometric_before=0.0,
        photometric_after=0.0,
        focal_known=photo.focal_px is not None,
    )
    return HeadFit(parameters.identity.astype(np.float32), (view,))


def _store(portrait: UnwrappedPortrait, path: Path) -> None:
    camera = portrait.camera
    temporary = path.with_suffix(".tmp.npz")
    np.savez_compressed(
        temporary,
        texture_srgb=portrait.texture_srgb,
        visibility=portrait.visibility,
        identity=portrait.identity,
        expression=portrait.expression,
        rotation=camera.rotation,
        translation=camera.translation,
        intrinsics=np.array([camera.focal_px, *camera.centre_px, camera.width, camera.height], np.float64),
        landmark_error=np.float64(portrait.landmark_error),
    )
    temporary.rename(path)


def _load(path: Path) -> UnwrappedPortrait:
    with np.load(path, allow_pickle=False) as data:
        focal, x, y, width, height = data["intrinsics"].tolist()
        camera = Camera(data["rotation"], data["translation"], focal, (x, y), int(width), int(height))
        return UnwrappedPortrait(
            data["texture_srgb"],
            data["visibility"],
            data["identity"],
            data["expression"],
            camera,
            float(data["landmark_error"]),
        )
