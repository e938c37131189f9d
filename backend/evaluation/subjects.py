"""Test people taken through the pipeline up to the point where a prior takes over."""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.delight.delighting import DelightedTexture, delight
from backend.detail.options import DetailOptions
from backend.evaluation.parameters import OrbitSettings
from backend.evaluation.shape.fit import PORTRAITS
from backend.photo.reading import Photo
from backend.photo.view import View
from backend.photo.white_cue import white_cue
from backend.pipeline import Pipeline, finished_maps
from backend.prior.interface import Prior
from backend.progress import Progress, Stopwatch
from backend.rendering.camera import Camera
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.unwrap import unwrap
from shared.errors import RelightifyError
from shared.options import Reflectance

log = logging.getLogger(__name__)

RESOLUTION = 512


@dataclass(frozen=True)
class Subject:
    """A photo of a test person, fitted and unwrapped.

    Args:
        name: identifier of the person, with the photo's name where they have several.
        view: the photo and the face in it.
        skin: the fitted head's skin.
        partial: what the photo shows, R x R.
    """

    name: str
    view: View
    skin: FittedSkin
    partial: PartialTexture

    def delit(self) -> DelightedTexture:
        """What was seen, its light taken off."""
        return delight(self.partial, self.skin, white_cue(self.view.photo, self.view.face.landmarks_px))

    def completed(
        self,
        prior: Prior,
        detail: DetailOptions = DetailOptions(),
        seed: int = 0,
        reflectance: Reflectance = "photo",
    ) -> SkinMaps:
        """The finished maps by a prior.

        Raises:
            RelightifyError: ``too_little_skin``.
        """
        watch = Stopwatch(Progress())
        return next(finished_maps(prior, self.delit(), [seed], detail, watch, reflectance=reflectance))


def add_portraits_argument(parser: argparse.ArgumentParser) -> None:
    """`--portraits`, `--out` and `--limit`, which all tables of portraits share."""
    parser.add_argument("--portraits", type=Path, default=None, metavar="DIR", help="a folder with index.json")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where tables and figures go")
    parser.add_argument("--limit", type=int, default=None, metavar="N", help="at most so many people")


def portraits_folder(options: argparse.Namespace) -> Path:
    """The folder that was asked for, or the project's own.

    Raises:
        RelightifyError: `no_photos`.
    """
    folder = options.portraits or PORTRAITS
    if not (folder / "index.json").is_file():
        raise RelightifyError("no_photos", f"There is no index.json in {folder}.", "Name a folder: --portraits.")
    return folder


def heldout_records(folder: Path) -> list[dict]:
    """Records of `index.json` whose split is not `train`, in order; a list, or under `individuals`."""
    return [record for record in _records(folder) if record["split"] != "train"]


def training_records(folder: Path) -> list[dict]:
    """Records of `index.json` whose split is `train`, in order: people to choose numbers on, never to report on."""
    return [record for record in _records(folder) if record["split"] == "train"]


def _records(folder: Path) -> list[dict]:
    index = json.loads((folder / "index.json").read_text())
    return index["individuals"] if isinstance(index, dict) else index


def neutral_photos(folder: Path, limit: int | None) -> list[tuple[str, Path]]:
    """(identifier, path) of the test people's neutral photographs."""
    found = [(r["id"], folder / f"{r['id']}_neutral.jpg") for r in heldout_records(folder)]
    return [(name, path) for name, path in found if path.is_file()][:limit]


def prepare(pipeline: Pipeline, name: str, data: bytes, resolution: int = RESOLUTION) -> Subject:
    """Run a photo up to its partial texture.

    Raises:
        RelightifyError: the photo cannot be used.
    """
    skin, (shown,), _ = pipeline.prepare(data, resolution, (None,), Stopwatch(Progress()))
    return Subject(name, shown.view, skin, shown.partial)


def visible_from(
    pipeline: Pipeline, skin: FittedSkin, yaw_degrees: float, settings: OrbitSettings = OrbitSettings()
) -> np.ndarray:
    """What a camera at this yaw (towards the subject's left) would see of the fitted head, float32 [R, R].

    Found by unwrapping a white photo that is all skin.
    """
    vertices = skin.fit.vertices(skin.model)
    surface = vertices[np.unique(skin.model.triangles("skin"))]
    centre = (surface.min(0) + surface.max(0)) / 2
    camera = orbit_camera(centre, yaw_degrees, settings)
    side = (camera.height, camera.width)
    photo = Photo(np.full((*side, 3), 255, np.uint8), None)
    fit = skin.fit.with_view(camera=camera, iod_px=0.09 / settings.distance_m * camera.focal_px)
    mask = np.ones(side, np.float32)
    return unwrap(photo, mask, skin.model, fit, pipeline.rasteriser, skin.uv_space).visibility


def orbit_camera(centre: np.ndarray, yaw_degrees: float, settings: OrbitSettings = OrbitSettings()) -> Camera:
    """A camera on a level circle around a head, looking at its centre [3]; 0 degrees is in front of the face."""
    angle = np.radians(yaw_degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    # Rows are the camera's x, y and z axes in head space; it looks along -z.
    rotation = np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])
    translation = np.array([0, 0, -settings.distance_m]) - rotation @ centre
    focal = 2.9 * settings.side_px
    middle = settings.side_px / 2
    return Camera(rotation, translation, focal, (middle, middle), settings.side_px, settings.side_px)
