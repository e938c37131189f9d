"""The table `detail`: portraits are reduced, reconstructed, and compared with what the full size shows of the skin."""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from backend.detail.regions import SKIN_PARTS, part_weights
from backend.detail.statistics import measured_contrast
from backend.evaluation.kept_records import read_rows, write_rows
from backend.evaluation.parameters import DetailTaskSettings
from backend.evaluation.subjects import Subject, add_portraits_argument, portraits_folder
from backend.evaluation.subjects import prepare as prepare_subject
from backend.evaluation.tables import Row, Table, mean_of, verdict, write_figure, write_table
from backend.imaging.colour import LUMINANCE, linear_to_srgb, srgb_to_linear
from backend.imaging.filters import enlarge, masked_blur
from backend.imaging.octaves import split
from backend.photo.reading import Photo
from backend.pipeline import Pipeline
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.super_resolution import Enlarger
from backend.texture.unwrap import unwrap
from backend.texture.uv_space import coarser
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

SIDE, SMALL_SIDE = 1024, 512
FACTORS = {"50 %": 0.5, "25 %": 0.25}
OURS, BICUBIC, SMALL = "detail stage", "bicubic", "512 maps"
QUALITY = "draft"
# What must be better than both rivals' and whether more is better; the last has no bicubic rival.
MEASURES = {"gradient PSNR": 1, "slope error": -1, "contrast error": -1, "relit contrast error": -1}
# Light for the figures, in the tangent space of the skin: (towards the light, strength).
LIGHTS = {"front": ((0.15, 0.35, 0.92), 1.0), "raking": ((0.88, 0.25, 0.4), 1.9)}
CROP = 224
PROTOCOL = """Neutral portraits of people who are in no prior or statistics, reduced to 50 % and 25 % (area averages, 8
bits). The fit is that of the full size, so that texels can be compared; everything else sees the small photo. Maps of
1024 x 1024 (3.2 texels a mm; the full photos have about 2.8 pixels a mm) by the quality `draft`. Compared, on the face,
3 mm inside of what the full-size photo shows and the reconstruction from it takes for skin (not for hair): the still
shaded texture, with the unwrap of the full-size photo.
`gradient PSNR`: of the differences between neighbouring texels of the sRGB luminance, peak 1, dB. `slope error`: of the
spectral slope, the log contrast per octave over three octaves (0.9 to 3.7 mm), absolute difference from the full
size's. `contrast error`: of the log contrast, absolute difference from the full size's, mean over the three octaves and
the parts of the face; one column a part for the finest octave. `relit contrast error`: the same for the albedo, gloss
and normals lit by two lights, against those reconstructed from the full-size photo.
`bicubic`: the small photo unwrapped by bicubic interpolation. `512 maps`: the maps of the small photo at 512 x 512,
enlarged bicubically.
"""


@dataclass(frozen=True)
class DetailTask:
    """A person's full-size photo in texture space; `known` bool [R, R] is where it is compared."""

    subject: Subject
    known: np.ndarray
    regions: FaceRegions
    parts: np.ndarray

    @property
    def partial(self) -> PartialTexture:
        """What the full-size photo shows."""
        return self.subject.partial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate detail`."""
    add_portraits_argument(parser)
    parser.add_argument("--split", choices=("heldout", "train"), default="heldout", help="whose portraits")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th person")


def run(options: argparse.Namespace, settings: DetailTaskSettings = DetailTaskSettings()) -> int:
    """Reduce, reconstruct, compare; write table and figures.

    Whoever was measured is written down, and read back where the folder has it: a run that was stopped goes on.

    Raises:
        RelightifyError: `no_photos`.
    """
    pipeline = Pipeline("cpu")
    stored = options.out / "detail_rows.jsonl"
    rows = read_rows(stored)
    done = {row.subject for row in rows}
    failures: dict[str, str] = {}
    for name, path in photos(portraits_folder(options), options.split)[:: options.every][: options.limit]:
        if name in done:
            continue
        try:
            task = prepare(pipeline, name, path, settings)
            measured, figures = measure(pipeline, task, settings)
        except RelightifyError as error:
            failures[name] = error.message
            continue
        rows += measured
        write_rows(measured, stored)
        columns = [f"{m}, {light}" for light in LIGHTS for m in ("full size", OURS, SMALL)]
        for part, tiles in figures.items():
            write_figure(options.out / "detail" / f"{name.replace('/', '_')}_{part}.png", tiles, columns, side=CROP)
        log.info("%s done", name)
    write_table(Table("detail", "Fine detail", PROTOCOL, rows, verdicts(rows), failures), options.out)
    return 0


def photos(folder: Path, wanted: str) -> list[tuple[str, Path]]:
    """(identifier, path) of the neutral photographs of a split."""
    index = json.loads((folder / "index.json").read_text())
    records = index["individuals"] if isinstance(index, dict) else index
    found = [
        (r["id"], folder / f"{r['id']}_neutral.jpg") for r in records if (r["split"] == "train") == (wanted == "train")
    ]
    return [(name, path) for name, path in found if path.is_file()]


def prepare(
    pipeline: Pipeline, name: str, path: Path, settings: DetailTaskSettings = DetailTaskSettings()
) -> DetailTask:
    """Fit and unwrap a photo at full size.

    Raises:
        RelightifyError: the photo cannot be used.
    """
    subject = prepare_subject(pipeline, name, path.read_bytes(), SIDE)
    regions = face_regions(subject.skin.model, subject.skin.uv_space)
    shown = ((subject.partial.visibility > settings.known) & (regions.face > 0.5)).astype(np.uint8)
    known = cv2.distanceTransform(shown, cv2.DIST_L2, 5) > settings.border_mm * regions.texels_per_mm
    return DetailTask(subject, known, regions, part_weights(regions))


def measure(
    pipeline: Pipeline, task: DetailTask, settings: DetailTaskSettings = DetailTaskSettings()
) -> tuple[list[Row], dict[str, list[list[np.ndarray]]]]:
    """Figures of every method and size, and tiles at 100 % by part of the face, a row for each size."""
    prior, subject = pipeline.priors[QUALITY], task.subject
    skin, photo = subject.skin, subject.view.photo
    truth = subject.completed(prior)
    kept = np.abs(truth.texture_srgb - task.partial.texture_srgb).max(-1) < settings.kept
    task = replace(task, known=task.known & (cv2.erode(kept.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0))
    full = contrasts(task.partial.texture_srgb, task)
    relit_full = relit_contrasts(truth, task)
    rows: list[Row] = []
    tiles: dict[str, list[list[np.ndarray]]] = {"cheek": [], "forehead": []}
    for condition, factor in FACTORS.items():
        small = reduced_photo(photo, factor)
        camera, iod_px = skin.fit.camera.scaled(factor), skin.fit.iod_px * factor
        smaller = replace(skin, fit=skin.fit.with_view(camera=camera, iod_px=iod_px))
        plain = _unwrapped(pipeline, small, smaller, task.partial.visibility, ())
        partial = _unwrapped(pipeline, small, smaller, task.partial.visibility, pipeline.enlargers)
        smallest = replace(smaller, uv_space=coarser(skin.uv_space, SMALL_SIDE))
        reduced = cv2.resize(task.partial.visibility, (SMALL_SIDE, SMALL_SIDE), interpolation=cv2.INTER_AREA)
        coarse = _unwrapped(pipeline, small, smallest, reduced, ())
        made = replace(subject, skin=smaller, partial=partial).completed(prior)
        low = enlarged_maps(replace(subject, skin=smallest, partial=coarse).completed(prior), SIDE)
        textures = {
            OURS: made.texture_srgb,
            BICUBIC: plain.texture_srgb,
            SMALL: low.texture_srgb,
        }
        relit = {OURS: made, SMALL: low}
        for method, texture in textures.items():
            figures = compare(texture, task, full)
            lights = relit_contrasts(relit[method], task) if method in relit else np.full_like(relit_full, np.nan)
            figures["relit contrast error"] = mean_error(lights, relit_full)
            rows.append(Row(method, condition, subject.name, figures))
        for part, corner in crops(task).items():
            shown = [lit(maps, light, corner) for light in LIGHTS for maps in (truth, made, low)]
            tiles[part].append(shown)
    return rows, tiles


def _unwrapped(
    pipeline: Pipeline,
    photo: Photo,
    skin: FittedSkin,
    visibility: np.ndarray,
    enlargers: tuple[Enlarger, ...],
) -> PartialTexture:
    """What a reduced photo shows, seen where the full-size photo was."""
    everywhere = np.ones((photo.height, photo.width), np.float32)
    part = unwrap(photo, everywhere, skin.model, skin.fit, pipeline.rasteriser, skin.uv_space, enlargers)
    seen = np.minimum(part.visibility, visibility)
    return PartialTexture(part.texture_srgb * (seen > 0)[..., None], seen)


def reduced_photo(photo: Photo, factor: float) -> Photo:
    """The photo at a fraction of its size: area averages of linear light, rounded to 8 bits.

    Pixels at the right and at the bottom that fill no whole pixel are left out, so that the scale is exact: a photo
    of 1350 pixels that becomes 338 would lie a quarter of a small pixel beside its camera in the middle.
    """
    block = round(1 / factor)
    size = (photo.width // block, photo.height // block)
    whole = photo.image_srgb[: size[1] * block, : size[0] * block]
    linear = srgb_to_linear(np.arange(256) / 255).astype(np.float32)[whole]
    encoded = linear_to_srgb(cv2.resize(linear, size, interpolation=cv2.INTER_AREA))
    return Photo(np.round(255 * np.clip(encoded, 0, 1)).astype(np.uint8), photo.focal_35mm)


def enlarged_maps(maps: SkinMaps, side: int) -> SkinMaps:
    """Maps enlarged bicubically to side x side."""
    normal = enlarge(maps.normal, side)
    return SkinMaps(
        texture_srgb=np.clip(enlarge(maps.texture_srgb, side), 0, 1),
        diffuse_albedo_srgb=np.clip(enlarge(maps.diffuse_albedo_srgb, side), 0, 1),
        specular_albedo=np.clip(enlarge(maps.specular_albedo, side), 0, 1),
        normal=normal / np.linalg.norm(normal, axis=-1, keepdims=True),
        visibility=enlarge(maps.visibility, side),
    )


def compare(texture: np.ndarray, task: DetailTask, true: np.ndarray) -> dict[str, float]:
    """The figures of a texture, sRGB [R, R, 3], against the full-size unwrap, whose `contrasts` are `true`."""
    own = contrasts(texture, task)
    errors = np.abs(np.log(own) - np.log(true))
    finest = errors[:, _octaves(true)[0]]
    return {
        "gradient PSNR": gradient_psnr(texture, task.partial.texture_srgb, task.known),
        "slope error": abs(slope(own) - slope(true)),
        "contrast error": mean_error(own, true),
        **{f"{name} contrast error": float(e) for name, e in zip(SKIN_PARTS, finest, strict=True) if name != "rest"},
    }


def gradient_psnr(image: np.ndarray, truth: np.ndarray, known: np.ndarray) -> float:
    """PSNR in dB, peak 1, of the differences to the next texel (right, below) of the sRGB luminance [R, R, 3]."""
    error = ((image - truth) @ LUMINANCE).astype(np.float64)
    right = (error[:, 1:] - error[:, :-1])[known[:, 1:] & known[:, :-1]]
    down = (error[1:] - error[:-1])[known[1:] & known[:-1]]
    return float(
        -10 * np.log10(max((np.square(right).sum() + np.square(down).sum()) / (right.size + down.size), 1e-12))
    )


def contrasts(srgb: np.ndarray, task: DetailTask) -> np.ndarray:
    """Contrast by part and octave float64 [parts, OCTAVES] of a picture [R, R, 3] on the known texels."""
    luminance = np.log(np.maximum(srgb_to_linear(srgb).astype(np.float32) @ LUMINANCE.astype(np.float32), 2e-3))
    weight = (task.partial.visibility > 0.5).astype(np.float32)
    level = masked_blur(luminance, weight, 4 * task.regions.texels_per_mm)
    bands, _ = split(np.where(weight > 0, luminance, level).astype(np.float32))
    return measured_contrast(bands, task.parts, dict.fromkeys(bands, task.known.astype(np.float32)))


def slope(contrast: np.ndarray) -> float:
    """Mean log contrast gained per octave towards the coarser, over the parts of the face."""
    octaves = _octaves(contrast)
    complete = contrast[~np.isnan(contrast[:, octaves]).any(axis=1)][:, octaves]
    return float(np.polyfit(octaves, np.log(complete).mean(0), 1)[0])


def _octaves(contrast: np.ndarray) -> np.ndarray:
    return np.flatnonzero(~np.isnan(contrast).all(axis=0))


def relit_contrasts(maps: SkinMaps, task: DetailTask) -> np.ndarray:
    """`contrasts` under each of `LIGHTS`, float64 [lights, parts, OCTAVES]."""
    whole = (slice(None), slice(None))
    return np.stack([contrasts(lit(maps, light, whole), task) for light in LIGHTS])


def mean_error(own: np.ndarray, true: np.ndarray) -> float:
    """Mean absolute difference of log contrasts where both were measured; NaN where none were."""
    errors = np.abs(np.log(own) - np.log(true))
    return float(np.nanmean(errors)) if not np.isnan(errors).all() else float("nan")


def lit(maps: SkinMaps, light: str, place: tuple[slice, slice]) -> np.ndarray:
    """A piece of skin, flattened, under one of `LIGHTS`, sRGB [h, w, 3]: Lambert and a Blinn-Phong gloss, seen from
    straight above."""
    direction, strength = LIGHTS[light]
    towards = np.array(direction) / np.linalg.norm(direction)
    half = towards + np.array([0.0, 0.0, 1.0])
    half /= np.linalg.norm(half)
    normal = maps.normal[place]
    diffuse = np.maximum(normal @ towards, 0)[..., None] * srgb_to_linear(maps.diffuse_albedo_srgb[place])
    gloss = np.maximum(normal @ half, 0) ** 24 * maps.specular_albedo[place] * 0.08 * 26 / 8
    shaded = strength * (diffuse * 0.9 + (gloss * np.maximum(normal @ towards, 0))[..., None])
    return linear_to_srgb(np.clip(shaded, 0, 1)).astype(np.float32)


def crops(task: DetailTask) -> dict[str, tuple[slice, slice]]:
    """Places of `CROP` x `CROP` texels in the middle of parts of the known skin."""
    found = {}
    for name, part in (("cheek", "cheeks"), ("forehead", "forehead")):
        there = (task.parts[SKIN_PARTS.index(part)] * task.known) > 0.5
        if part == "cheeks":
            there[:, : SIDE // 2] = False
        # The middle of the largest disc that lies inside.
        distance = cv2.distanceTransform(there.astype(np.uint8), cv2.DIST_L2, 5)
        middle = np.unravel_index(int(distance.argmax()), distance.shape)
        top, left = (int(np.clip(x - CROP / 2, 0, SIDE - CROP)) for x in middle)
        found[name] = (slice(top, top + CROP), slice(left, left + CROP))
    return found


def verdicts(rows: list[Row]) -> list[str]:
    """Better than bicubic and than the maps of 512 in each measure, on average? And for how many people?"""
    sentences = []
    for condition in FACTORS:
        for value, sign in MEASURES.items():
            rivals = [m for m in (BICUBIC, SMALL) if not np.isnan(mean_of(rows, m, condition, value))]
            own, *others = (mean_of(rows, m, condition, value) for m in (OURS, *rivals))
            each = np.array([[_of(rows, m, condition, who, value) for m in (OURS, *rivals)] for who in _people(rows)])
            ahead = sign * (each[:, :1] - each[:, 1:])
            text = f"{condition}, {value}: {own:.3f}, "
            text += ", ".join(f"{m} {other:.3f}" for m, other in zip(rivals, others, strict=True))
            text += f"; better for {int((ahead > 0).all(1).sum())} of {len(each)} people"
            sentences.append(verdict(text, all(sign * (own - other) > 0 for other in others)))
    return sentences


def _people(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(row.subject for row in rows))


def _of(rows: list[Row], method: str, condition: str, subject: str, value: str) -> float:
    return next(
        (r.values[value] for r in rows if (r.prior, r.condition, r.subject) == (method, condition, subject)), np.nan
    )
