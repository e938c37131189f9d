"""What is kept of a reconstruction, and how far a later one may be from it.

Only `reconstructed` and `kept` know the pipeline's types; all else is plain arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.pipeline import Pipeline
from backend.progress import Progress
from backend.reconstruction import Reconstruction
from shared.maps import EXTRA_MAPS as SPECS_OF_EXTRA_MAPS
from shared.options import JobOptions

FOLDER = Path(__file__).parent
PHOTOS: Mapping[str, str] = {"astronaut": "astronaut.jpg", "portrait": "portrait.jpg", "cg_head": "cg_head.jpg"}
EXTRA_MAPS = "astronaut"  # the photo whose displacement and roughness are kept as well; the others' would only add size
RESOLUTION, SEED = 512, 0
MEANS_SIDE = 48  # cells a side of which the mean is kept
SPREADS_SIDE = 16  # cells a side of which the standard deviation is kept: fine detail, which no mean shows


@dataclass(frozen=True)
class Kept:
    """What is kept of one job.

    Args:
        means: maps by name, float32 [48, 48] or [48, 48, 3], reduced by area.
        spreads: standard deviations of the same within larger cells, float32 [16, 16], mean over the channels.
        numbers: camera, coefficients, light and colours by name, any shape.
    """

    means: Mapping[str, np.ndarray]
    spreads: Mapping[str, np.ndarray]
    numbers: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Limits:
    """How far an array may be from the recorded one, in the array's unit.

    Args:
        bias: of the mean of each channel. Small, since rounding has no sign, while a changed constant shifts all.
        mean: of the mean absolute difference.
        high: of the 99th percentile of the absolute differences; the rest may be a texel that fell to the other side of
            a threshold.
    """

    bias: float
    mean: float
    high: float


@dataclass(frozen=True)
class Difference:
    """One measure of one array against its limit."""

    array: str
    measure: str
    value: float
    limit: float

    @property
    def share(self) -> float:
        return self.value / self.limit

    def __str__(self) -> str:
        return f"{self.array}: {self.measure} {self.value:.2g}, at most {self.limit:.2g}"


def limits_of(kind: str, name: str) -> Limits:
    """The limits of a map's means or spreads."""
    return (MEANS if kind == "means" else SPREADS)[name]


def photo_bytes(photo: str) -> bytes:
    return (FOLDER / PHOTOS[photo]).read_bytes()


def reconstructed(pipeline: Pipeline, photo: str, quality: str) -> Kept:
    """Run a job of the record."""
    options = JobOptions(quality=quality, resolution=RESOLUTION, seed=SEED, extra_maps=photo == EXTRA_MAPS)
    result = kept(pipeline.reconstruct(photo_bytes(photo), options, Progress()))
    return result if photo == EXTRA_MAPS else without_extra_maps(result)


def without_extra_maps(result: Kept) -> Kept:
    """A result without its displacement and roughness."""
    left_out = {spec.name for spec in SPECS_OF_EXTRA_MAPS}
    means, spreads = (
        {name: values for name, values in group.items() if name not in left_out}
        for group in (result.means, result.spreads)
    )
    return Kept(means, spreads, result.numbers)


def kept(result: Reconstruction) -> Kept:
    """What is kept of a result."""
    maps = result.maps.by_name()
    fit, mesh = result.fit, result.mesh
    numbers = {
        "camera_rotation": mesh.camera_rotation,
        "camera_translation": mesh.camera_translation,
        "camera_focal": mesh.camera_focal_px,
        "camera_centre": mesh.camera_centre_px,
        "identity": fit.identity,
        "expression": fit.expression,
        "light": fit.light,
        "skin_tone": fit.skin_albedo,
        "iris_colours": mesh.iris_colour_srgb,
    }
    return Kept(
        {name: reduced(image, MEANS_SIDE) for name, image in maps.items()},
        {name: spread(image) for name, image in maps.items()},
        {name: np.asarray(values) for name, values in numbers.items()},
    )


def reduced(image: np.ndarray, side: int) -> np.ndarray:
    """Means of cells, float32 [side, side] or [side, side, C]."""
    return cv2.resize(np.asarray(image, np.float32), (side, side), interpolation=cv2.INTER_AREA)


def spread(image: np.ndarray) -> np.ndarray:
    """Standard deviations within cells, mean over channels: float32 [SPREADS_SIDE, SPREADS_SIDE]."""
    channels = np.asarray(image, np.float64).reshape(*image.shape[:2], -1)
    height, width = (side // SPREADS_SIDE for side in channels.shape[:2])
    cells = channels.reshape(SPREADS_SIDE, height, SPREADS_SIDE, width, -1)
    return cells.std(axis=(1, 3)).mean(-1).astype(np.float32)


def record_path(photo: str) -> Path:
    return FOLDER / f"{photo}.npz"


def write_record(photo: str, by_quality: Mapping[str, Kept]) -> None:
    """Write a photo's results; half precision keeps means well within the limits."""
    arrays: dict[str, np.ndarray] = {}
    for quality, job in by_quality.items():
        arrays |= {f"{quality}/means/{name}": values.astype(np.float16) for name, values in job.means.items()}
        arrays |= {f"{quality}/spreads/{name}": values.astype(np.float16) for name, values in job.spreads.items()}
        arrays |= {f"{quality}/numbers/{name}": values.astype(np.float32) for name, values in job.numbers.items()}
    np.savez_compressed(record_path(photo), **arrays)  # pyright: ignore[reportArgumentType] (of its own options)


def read_record(photo: str, quality: str) -> Kept:
    """The recorded result of a job.

    Raises:
        FileNotFoundError: it is not in the repository any more.
    """
    groups: dict[str, dict[str, np.ndarray]] = {"means": {}, "spreads": {}, "numbers": {}}
    with np.load(record_path(photo)) as data:
        for key in data.files:
            of_quality, kind, name = key.split("/")
            if of_quality == quality:
                groups[kind][name] = data[key].astype(np.float64)
    if not groups["means"]:
        raise FileNotFoundError(f"{record_path(photo).name} holds no result of the quality {quality}")
    return Kept(groups["means"], groups["spreads"], groups["numbers"])


def differences(found: Kept, photo: str, quality: str) -> list[Difference]:
    """All measures of a result against the record of its job.

    Raises:
        ValueError: arrays are missing, new, of another shape or not finite.
        FileNotFoundError: there is no record.
    """
    recorded, slack = read_record(photo, quality), SLACK[quality]
    measured: list[Difference] = []
    for kind in ("means", "spreads"):
        for name, values, before in _pairs(getattr(found, kind), getattr(recorded, kind)):
            measured += _map_differences(f"{name} ({kind})", values - before, limits_of(kind, name), slack)
    for name, values, before in _pairs(found.numbers, recorded.numbers):
        scale = SCALES.get(name) or max(float(np.abs(before).max()), 1e-6)
        largest = float(np.abs(values - before).max()) / scale
        measured.append(Difference(name, "largest relative difference", largest, slack * NUMBERS[name]))
    return measured


def _map_differences(name: str, difference: np.ndarray, limits: Limits, slack: float) -> list[Difference]:
    bias = np.abs(difference.reshape(*difference.shape[:2], -1).mean(axis=(0, 1))).max()
    size = np.abs(difference)
    return [
        Difference(name, "bias", float(bias), slack * limits.bias),
        Difference(name, "mean difference", float(size.mean()), slack * limits.mean),
        Difference(name, "99th percentile", float(np.percentile(size, 99)), slack * limits.high),
    ]


def _pairs(
    found: Mapping[str, np.ndarray], recorded: Mapping[str, np.ndarray]
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, found, recorded) of arrays that must be the same ones."""
    if set(found) != set(recorded):
        raise ValueError(f"results are {sorted(found)}, recorded were {sorted(recorded)}")
    for name, values in found.items():
        if values.shape != recorded[name].shape:
            raise ValueError(f"{name} has the shape {values.shape}, recorded was {recorded[name].shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"{name} is not finite")
    return [(name, np.asarray(found[name], np.float64), recorded[name]) for name in recorded]


# Samplers amplify what rounding leaves.
SLACK: Mapping[str, float] = {"baseline": 1.0, "draft": 1.0, "standard": 4.0, "high": 4.0}
# Each, times the slack, is at least three times as much as other threads and instruction sets have moved it: README.md.
MEANS: Mapping[str, Limits] = {
    "texture": Limits(bias=4e-4, mean=5e-4, high=2e-3),
    "diffuse_albedo": Limits(bias=3e-4, mean=5e-4, high=2e-3),
    "specular_albedo": Limits(bias=2e-4, mean=3e-4, high=1e-3),
    "normal": Limits(bias=1e-4, mean=5e-5, high=5e-4),
    "visibility": Limits(bias=1e-4, mean=3e-4, high=3e-3),
    "displacement": Limits(bias=1e-6, mean=5e-6, high=5e-5),
    "roughness": Limits(bias=2e-5, mean=3e-4, high=1e-3),
}
SPREADS: Mapping[str, Limits] = {
    "texture": Limits(bias=5e-5, mean=1e-4, high=5e-4),
    "diffuse_albedo": Limits(bias=5e-5, mean=1e-4, high=4e-4),
    "specular_albedo": Limits(bias=2e-5, mean=5e-5, high=2e-4),
    "normal": Limits(bias=1e-5, mean=2e-5, high=1e-4),
    "visibility": Limits(bias=1e-4, mean=3e-4, high=4e-3),
    "displacement": Limits(bias=5e-6, mean=1e-5, high=1e-4),
    "roughness": Limits(bias=1e-5, mean=2e-5, high=1e-4),
}
# What numbers are relative to where it is not their largest one: identity is N(0, I), expressions lie in [0, 1].
SCALES: Mapping[str, float] = {"camera_rotation": 1.0, "identity": 1.0, "expression": 1.0}
NUMBERS: Mapping[str, float] = {
    "camera_rotation": 2e-4,
    "camera_translation": 5e-4,
    "camera_focal": 5e-4,
    "camera_centre": 1e-6,
    "identity": 5e-3,
    "expression": 2e-3,
    "light": 5e-3,
    "skin_tone": 3e-3,
    "iris_colours": 2e-3,
}
