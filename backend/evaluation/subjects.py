"""Test people taken through the pipeline up to the point where a prior takes over."""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backend.evaluation.fit import PORTRAITS
from backend.photo.reading import Photo
from backend.pipeline import Pipeline
from backend.prior.interface import Prior, PriorContext
from backend.progress import Progress
from backend.rendering.camera import Camera
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.unwrap import unwrap
from shared.errors import RelightifyError
from shared.options import JobOptions

log = logging.getLogger(__name__)

RESOLUTION = 512
ORBIT_M = 0.9  # distance of the cameras that look at a head from other sides
ORBIT_SIDE_PX = 640


@dataclass(frozen=True)
class Subject:
    """A photo of a test person, fitted and unwrapped.

    Args:
        name: identifier of the person, with the photo's name where they have several.
        partial: what the photo shows, 512 x 512.
        context: what a prior is given beside it.
        photo: the photo.
    """

    name: str
    partial: PartialTexture
    context: PriorContext
    photo: Photo | None = None


@dataclass
class _Recorder:
    """Stands in for a prior and keeps what it was given."""

    prior: Prior
    given: tuple[PartialTexture, PriorContext] | None = None

    def complete(self, partial: PartialTexture, context: PriorContext, seed: int, progress: Progress) -> SkinMaps:
        self.given = (partial, context)
        return self.prior.complete(partial, context, seed, progress)


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
    index = json.loads((folder / "index.json").read_text())
    records = index["individuals"] if isinstance(index, dict) else index
    return [record for record in records if record["split"] != "train"]


def neutral_photos(folder: Path, limit: int | None) -> list[tuple[str, Path]]:
    """(identifier, path) of the test people's neutral photographs."""
    found = [(r["id"], folder / f"{r['id']}_neutral.jpg") for r in heldout_records(folder)]
    return [(name, path) for name, path in found if path.is_file()][:limit]


def prepare(pipeline: Pipeline, name: str, data: bytes, resolution: int = RESOLUTION) -> Subject:
    """Run a photo up to its partial texture.

    Raises:
        RelightifyError: the photo cannot be used.
    """
    recorder = _Recorder(pipeline.priors["baseline"])
    pipeline.priors["baseline"] = recorder
    try:
        pipeline.reconstruct(data, JobOptions(quality="baseline", resolution=resolution), Progress())
    finally:
        pipeline.priors["baseline"] = recorder.prior
    assert recorder.given is not None
    return Subject(name, *recorder.given)


def visible_from(pipeline: Pipeline, context: PriorContext, yaw_degrees: float) -> np.ndarray:
    """What a camera at this yaw (towards the subject's left) would see of the fitted head, float32 [R, R].

    Found by unwrapping a white photo that is all skin.
    """
    vertices = context.fit.vertices(context.model)
    skin = vertices[np.unique(context.model.triangles("skin"))]
    centre = (skin.min(0) + skin.max(0)) / 2
    camera = orbit_camera(centre, yaw_degrees)
    side = (camera.height, camera.width)
    photo = Photo(np.full((*side, 3), 255, np.uint8), None)
    fit = replace(context.fit, camera=camera, iod_px=0.09 / ORBIT_M * camera.focal_px)
    mask = np.ones(side, np.float32)
    return unwrap(photo, mask, context.model, fit, pipeline.rasteriser, context.uv_space).visibility


def orbit_camera(centre: np.ndarray, yaw_degrees: float) -> Camera:
    """A camera on a level circle around a head, looking at its centre [3]; 0 degrees is in front of the face."""
    angle = np.radians(yaw_degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    # Rows are the camera's x, y and z axes in head space; it looks along -z.
    rotation = np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])
    translation = np.array([0, 0, -ORBIT_M]) - rotation @ centre
    focal = 2.9 * ORBIT_SIDE_PX
    middle = ORBIT_SIDE_PX / 2
    return Camera(rotation, translation, focal, (middle, middle), ORBIT_SIDE_PX, ORBIT_SIDE_PX)
