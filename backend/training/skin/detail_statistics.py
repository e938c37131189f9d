"""`python -m backend.training detail-statistics`: measures `backend/assets/detail_statistics.npz` on portraits."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from pathlib import Path

import cv2
import numpy as np

from backend.detail.regions import SKIN_PARTS, part_weights
from backend.detail.statistics import ASSET, SkinStatistics, fit_statistics, measured_contrast
from backend.head.model import load_head_model
from backend.imaging.colour import LUMINANCE, srgb_bytes_to_linear
from backend.imaging.filters import masked_blur
from backend.imaging.octaves import finest_octave, split
from backend.texture.regions import face_regions
from backend.texture.uv_space import uv_space
from backend.training.skin.commands import OUT, SOURCES
from backend.training.skin.portraits import fit_key, photos_of, training_people, unwrap_portraits

log = logging.getLogger(__name__)

SIDE = 1024  # the portraits show the face at about this density
# Beyond this distance to the border of what was seen, mm: nearer, sheen and hair disturb.
BORDER_MM = 3.0


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
    """Contrasts by part and octave over the neutral photos of everybody whose split is `train`.

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
    return fit_statistics(np.stack(observed), np.array(ages), finest_octave(SIDE), metadata)


def portrait_contrast(
    texture_srgb: np.ndarray,  # uint8 [R, R, 3]
    visibility: np.ndarray,  # uint8 [R, R]
    parts: np.ndarray,  # float32 [parts, R, R]
    texels_per_mm: float,
) -> np.ndarray:
    """Contrasts float64 [parts, OCTAVES] of one portrait, NaN where it shows too little."""
    linear = srgb_bytes_to_linear(texture_srgb)
    luminance = np.log(np.maximum(linear @ LUMINANCE, 2e-3))
    shown = (visibility > 200).astype(np.uint8)
    # What lies outside is filled with the surroundings' level, so that no band sees the border as an edge.
    level = masked_blur(luminance, shown.astype(np.float32), 4 * texels_per_mm)
    bands, _ = split(np.where(shown > 0, luminance, level).astype(np.float32))
    inner = (cv2.distanceTransform(shown, cv2.DIST_L2, 5) > BORDER_MM * texels_per_mm).astype(np.float32)
    return measured_contrast(bands, parts, dict.fromkeys(bands, inner))
