"""`python -m backend.training detail-statistics`: measures `backend/assets/detail_statistics.npz` on portraits."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from backend.detail.bands import finest_octave, split
from backend.detail.regions import SKIN_PARTS, part_weights
from backend.detail.statistics import ASSET, SkinStatistics, fit_statistics, measured_contrast
from backend.head.model import load_head_model
from backend.photo.reading import linear_to_srgb, read_photo, srgb_to_linear
from backend.texture.enlarging import doubled, fitted_kernel
from backend.texture.light import LUMINANCE
from backend.texture.regions import face_regions
from backend.texture.scale_space import masked_blur
from backend.texture.uv_space import uv_space
from backend.training.skin_commands import OUT, SOURCES
from backend.training.skin_portraits import Person, fit_key, photos_of, training_people, unwrap_portraits

log = logging.getLogger(__name__)

SIDE = 1024  # the portraits show the face at about this density
# Beyond this distance to the border of what was seen, mm: nearer, sheen and hair disturb.
BORDER_MM = 3.0
KERNEL_PEOPLE, KERNEL_SAMPLES, PIXEL_NOISE = 24, 3000, 0.7 / 255


def add_detail_statistics_command(commands: argparse._SubParsersAction) -> None:
    """`detail-statistics`."""
    parser = commands.add_parser("detail-statistics", help="measure the skin's fine detail on the train portraits")
    parser.add_argument("--sources", type=Path, default=SOURCES, help="folder with portraits")
    parser.add_argument("--fits", type=Path, default=OUT / "fits", help="folder of the cached fits")
    parser.add_argument("--out", type=Path, default=ASSET)
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> None:
    statistics = build_statistics(chosen.sources / "portraits", chosen.fits / fit_key())
    statistics.save(chosen.out)
    print(json.dumps({"bytes": chosen.out.stat().st_size, **statistics.metadata}, indent=1))


def build_statistics(portraits: Path, cache: Path) -> SkinStatistics:
    """Contrasts by part and octave over the neutral photos of everybody whose split is `train`, and the kernel.

    Raises:
        RelightifyError: ``no_sources``.
    """
    model = load_head_model()
    people = [p for p in training_people(portraits) if "neutral" in photos_of(portraits, p)]
    space = uv_space(model, SIDE)
    regions = face_regions(model, space)
    parts = part_weights(regions)
    observed, ages = [], []
    for person in people:
        unwrapped = unwrap_portraits(model, portraits, [person], cache)[person.identifier, "neutral"]
        observed.append(portrait_contrast(unwrapped.texture_srgb, unwrapped.visibility, parts, regions.texels_per_mm))
        ages.append(np.nan if person.age is None else float(person.age))
        log.info("%s measured", person.identifier)
    kernel = photo_kernel(portraits, people[:: max(1, len(people) // KERNEL_PEOPLE)])
    names = ",".join(p.identifier for p in people)
    metadata = {
        "command": "detail-statistics",
        "people": len(people),
        "people_sha256": hashlib.sha256(names.encode()).hexdigest()[:16],
        "parts": list(SKIN_PARTS),
        "side": SIDE,
        "texels_per_mm": round(regions.texels_per_mm, 4),
        "sources": "Face Research Lab London Set and Young Adult White Faces (DeBruine and Jones 2017), CC BY 4.0",
    }
    return fit_statistics(np.stack(observed), np.array(ages), finest_octave(SIDE), kernel, metadata)


def portrait_contrast(
    texture_srgb: np.ndarray,  # uint8 [R, R, 3]
    visibility: np.ndarray,  # uint8 [R, R]
    parts: np.ndarray,  # float32 [parts, R, R]
    texels_per_mm: float,
) -> np.ndarray:
    """Contrasts float64 [parts, OCTAVES] of one portrait, NaN where it shows too little."""
    linear = srgb_to_linear(np.arange(256) / 255).astype(np.float32)[texture_srgb]
    luminance = np.log(np.maximum(linear @ LUMINANCE.astype(np.float32), 2e-3))
    shown = (visibility > 200).astype(np.uint8)
    # What lies outside is filled with the surroundings' level, so that no band sees the border as an edge.
    level = masked_blur(luminance, shown.astype(np.float32), 4 * texels_per_mm)
    bands, _ = split(np.where(shown > 0, luminance, level).astype(np.float32))
    inner = (cv2.distanceTransform(shown, cv2.DIST_L2, 5) > BORDER_MM * texels_per_mm).astype(np.float32)
    return measured_contrast(bands, parts, dict.fromkeys(bands, inner))


def photo_kernel(portraits: Path, people: list[Person]) -> np.ndarray:
    """The enlarging kernels [2, 4, 9, 9], from the middle of the photos and their copies at a half and a quarter.

    The second doubling starts from what the first one made, which is smoother than a photo. There, edges would make a
    kernel that is too sharp for skin.
    """
    first, second = [], []
    for person in people:
        image = read_photo(photos_of(portraits, person)["neutral"].read_bytes()).image_srgb
        height, width = image.shape[:2]
        middle = image[int(height * 0.3) : int(height * 0.3) + 600, width // 2 - 280 : width // 2 + 280]
        sizes = [_reduced(middle, factor)[..., 1] for factor in (1, 2, 4)]
        first += [(coarse, fine) for fine, coarse in pairwise(sizes)]
        second.append((sizes[2], sizes[0]))
    once = fitted_kernel(first, PIXEL_NOISE, KERNEL_SAMPLES, np.random.default_rng(0), even=False)
    twice = [(doubled(small.astype(np.float32), once), full) for small, full in second]
    return np.stack([once, fitted_kernel(twice, PIXEL_NOISE, 2 * KERNEL_SAMPLES, np.random.default_rng(1), even=True)])


def _reduced(image_srgb: np.ndarray, factor: int) -> np.ndarray:
    """A photo uint8 [H, W, 3] at 1 / factor of its size, rounded to 8 bits as files are, float64 in [0, 1]."""
    linear = srgb_to_linear(image_srgb / 255.0)
    size = (image_srgb.shape[1] // factor, image_srgb.shape[0] // factor)
    return np.round(255 * linear_to_srgb(cv2.resize(linear, size, interpolation=cv2.INTER_AREA))) / 255
