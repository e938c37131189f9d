"""The table `identity`: whether a fitted head, rendered, is still recognised as the person in the photo.

Heads are rendered in the photo's light at its camera, turned, and in another light, and compared with photographs by
`backend.identity`. Whoever has a second photograph is compared with that, too, which the head was not made from.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from backend.delight.refit import refit_light
from backend.evaluation import metrics
from backend.evaluation.head_renders import Render, Sitter, Studio, framed, render, turned
from backend.evaluation.kept_records import read_back, write_down
from backend.evaluation.parameters import HeadRenderSettings, IdentityTargets
from backend.evaluation.recognition import Recognition, recognition
from backend.evaluation.sittings import Picture, Sitting, sitting_of
from backend.evaluation.subjects import (
    Subject,
    add_portraits_argument,
    heldout_records,
    portraits_folder,
    prepare,
    training_records,
)
from backend.evaluation.tables import Row, Table, verdict, write_figure, write_table
from backend.head.exchange import head_mesh
from backend.head.head_fit import HeadFit
from backend.identity.embedder import FaceEmbedder, load_face_embedder
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.photo.view import find_view
from backend.pipeline import Pipeline
from backend.prior.interface import Prior
from backend.rendering.camera import Camera
from backend.rendering.spherical_harmonics import (
    environment_directions,
    environment_map,
    environment_solid_angles,
)
from backend.training.stream.lights import frontal_irradiance, gathered, load_environments, look_up
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

OVER, ALONE, TURNED, RELIT = "over the photo", "without hair", "turned by 30 degrees", "another light"
CONDITIONS = (OVER, ALONE, TURNED, RELIT)
LABELS = ("photo", OVER, ALONE, TURNED, TURNED, RELIT)
# Rows that are no completion: photographs themselves, and heads that show the photo's colours, lit by nothing.
PHOTOGRAPHS, COLOURS = "photographs", "photo's colours"
PROTOCOL = """A neutral photo of each person is reconstructed and the head rendered by our own shading, with eyes,
teeth and mouth, without hair and lashes; maps of 1024 texels. `over the photo`: at the photo's camera in the photo's
light, on skin that the photo showed, eyes and mouth, hair and background being the photo's; L1, PSNR and SSIM in that
mask, sRGB. `without hair`: the same render before grey. `turned by 30 degrees`: to either side. `another light`:
Blender's studio light, white balanced. Likeness is the cosine between embeddings of dlib's face network about the mean
of training people: `own` to the photo that the head was made from, `second` to the person's other photo (smiling; those
who have one), `others` to the photos of everybody else. The prior `photographs` stands for the photo itself, so that
its `second` is the ceiling; `photo's colours` shows the completed texture as it is, lit by nothing: what hair and shape
cost. The network's training photographs were collected from the web; nothing that ships is trained on it.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate identity`."""
    add_portraits_argument(parser)
    parser.add_argument("--people", choices=("train", "heldout"), default="heldout", help="train: to choose by")
    parser.add_argument("--quality", action="append", metavar="NAME", help="only this prior; may be repeated")


def run(options: argparse.Namespace) -> int:
    """Render everybody by every prior; write both tables and a figure a person.

    Whoever was looked at is written down, and read back where the folder has it: a run that was stopped goes on, with
    the same options.

    Raises:
        RelightifyError: `no_photos`, `quality_unavailable`.
    """
    pipeline, embedder = Pipeline("cpu"), load_face_embedder()
    settings = HeadRenderSettings()
    studio = Studio(pipeline.model, pipeline.rasteriser, pipeline.uv_space(settings.texels), settings)
    priors = {name: pipeline.prior(name) for name in options.quality or pipeline.priors}
    folder = portraits_folder(options)
    records = heldout_records(folder) if options.people == "heldout" else training_records(folder)
    stored = options.out / "identity_sittings.jsonl"
    sittings = [sitting_of(record) for record in read_back(stored)]
    done = {sitting.person for sitting in sittings}
    failures: dict[str, str] = {}
    for record in records[: options.limit]:
        name = record["id"]
        if name in done:
            continue
        second = None
        try:
            subject = prepare(pipeline, name, (folder / f"{name}_neutral.jpg").read_bytes(), settings.texels)
            first = embedder.photo(subject.view.photo.image_srgb, subject.view.face.landmarks_px)
            other = folder / f"{name}_smiling.jpg"
            if other.is_file():
                view = find_view(other.read_bytes(), pipeline.detector)
                second = embedder.photo(view.photo.image_srgb, view.face.landmarks_px)
        except (RelightifyError, OSError) as error:
            failures[name] = str(error)
            continue
        sitting = Sitting(name, first, second, [], [])
        shown: list[LaidOver] = []
        for prior, completer in priors.items():
            try:
                made, laid = looked_at(studio, embedder, subject, prior, completer)
            except RelightifyError as error:
                failures[f"{name}, {prior}"] = str(error)
                continue
            sitting.pictures.extend(made)
            sitting.rows.append(Row(prior, OVER, name, compared(laid)))
            shown.append(laid)
        if shown:
            figure = options.out / "identity" / f"{name.replace('/', '_')}.png"
            write_figure(figure, [laid.tiles for laid in shown], LABELS, settings.side_px)
        sittings.append(sitting)
        write_down([sitting.record()], stored)
        log.info("%s done", name)
    photographs = [Picture(PHOTOGRAPHS, OVER, sitting.person, sitting.first) for sitting in sittings]
    write(
        [picture for sitting in sittings for picture in sitting.pictures] + photographs,
        [row for sitting in sittings for row in sitting.rows],
        {sitting.person: sitting.first for sitting in sittings},
        {sitting.person: sitting.second for sitting in sittings if sitting.second is not None},
        failures,
        options.out,
        embedder,
    )
    return 0


@dataclass(frozen=True)
class LaidOver:
    """Pictures of one head at the photo's camera, for measures and the figure.

    Args:
        photo_srgb, over_srgb: float [S, S, 3], the photo and the head over it.
        mask: float [S, S], where the head was drawn.
        tiles: pictures of the figure, see `LABELS`.
    """

    photo_srgb: np.ndarray
    over_srgb: np.ndarray
    mask: np.ndarray
    tiles: list[np.ndarray]


def compared(shown: LaidOver) -> dict[str, float]:
    """L1, PSNR and SSIM of the head over the photo against the photo, where it was drawn whole."""
    mask = shown.mask > 0.9
    error = np.abs(shown.over_srgb[mask] - shown.photo_srgb[mask])
    return {
        "L1": float(error.mean()) if mask.any() else float("nan"),
        "PSNR": metrics.psnr(shown.over_srgb, shown.photo_srgb, mask),
        "SSIM": metrics.ssim(shown.over_srgb, shown.photo_srgb, mask),
    }


def looked_at(
    studio: Studio, embedder: FaceEmbedder, subject: Subject, prior: str, completer: Prior
) -> tuple[list[Picture], LaidOver]:
    """Complete a subject, render the head in every condition and embed the pictures.

    Raises:
        RelightifyError: ``too_little_skin``.
    """
    settings, view = studio.settings, subject.view
    maps = subject.completed(completer)
    fit = refit_light(subject.skin, maps)
    irises = head_mesh(studio.model, fit, view).iris_colour_srgb
    sitter = Sitter(studio, fit.identity, fit.expression, maps, irises)
    camera, _ = framed(fit.camera, view.face.landmarks_px, settings)
    photo = cut_out(view.photo.image_srgb, view.face.landmarks_px, fit.camera, settings)
    centre = studio.model.landmarks(sitter.vertices).mean(0).astype(np.float64)
    own_light = light_of(fit, studio.directions)

    shots: list[tuple[str, str, Camera, np.ndarray, np.ndarray | None]] = [
        (prior, ALONE, camera, own_light, None),
        *(
            (prior, TURNED, turned(camera, yaw, centre), own_light, None)
            for yaw in (settings.yaw_degrees, -settings.yaw_degrees)
        ),
        (prior, RELIT, camera, studio_light(studio.directions, settings), None),
        (f"{COLOURS} ({prior})", ALONE, camera, own_light, sitter.photo_colours),
        *(
            (f"{COLOURS} ({prior})", TURNED, turned(camera, yaw, centre), own_light, sitter.photo_colours)
            for yaw in (settings.yaw_degrees, -settings.yaw_degrees)
        ),
    ]
    made, alone = [], []
    over = photo
    mask = np.zeros(photo.shape[:2], np.float32)
    for name, condition, at, light, skin in shots:
        drawn = render(sitter, at, light, skin)
        picture = before_grey(drawn, settings)
        made.append(Picture(name, condition, subject.name, embedder.photo(picture, drawn.landmarks_px)))
        if condition == ALONE:
            laid = over_photo(drawn, photo)
            made.append(Picture(name, OVER, subject.name, embedder.photo(laid, drawn.landmarks_px)))
            if skin is None:
                over, mask = laid, drawn.seen
        if skin is None:
            alone.append(picture)
    return made, LaidOver(photo, over, mask, [photo, over, *alone])


def light_of(fit: HeadFit, directions: np.ndarray) -> np.ndarray:
    """The photo's light as users get it, a smooth environment, on directions [D, 3]: radiance [D, 3]."""
    rows = int(np.sqrt(len(directions))) * 2  # finer than the directions
    cells, solid = environment_directions(rows).reshape(-1, 3), environment_solid_angles(rows).ravel()
    return gathered(cells, environment_map(fit.light, rows).reshape(-1, 3), solid, directions)


def studio_light(directions: np.ndarray, settings: HeadRenderSettings) -> np.ndarray:
    """Blender's studio light as a white-balanced camera sees it: radiance [D, 3]."""
    radiance = look_up(load_environments()[settings.studio_light], directions)
    return radiance / frontal_irradiance(directions, radiance) * settings.front_level


def cut_out(
    image_srgb: np.ndarray, landmarks_px: np.ndarray, camera: Camera, settings: HeadRenderSettings
) -> np.ndarray:
    """The photo, uint8 [H, W, 3], as the camera of `framed` sees it: float [S, S, 3], sRGB-encoded."""
    _, to_panel = framed(camera, landmarks_px, settings)
    scale = float(to_panel[0, 0])
    warp = to_panel.copy()
    warp[:, 2] += 0.5 * scale - 0.5  # centres of pixels are at .5 with us
    source = cv2.GaussianBlur(image_srgb, (0, 0), 0.4 / scale) if scale < 0.8 else image_srgb
    size = (settings.side_px, settings.side_px)
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(source, warp, size, flags=cv2.INTER_CUBIC, borderMode=border), np.float64) / 255


def before_grey(drawn: Render, settings: HeadRenderSettings) -> np.ndarray:
    """A head before plain grey, float [S, S, 3], sRGB-encoded."""
    return linear_to_srgb(drawn.linear + (1 - drawn.covered[..., None]) * settings.background)


def over_photo(drawn: Render, photo_srgb: np.ndarray) -> np.ndarray:
    """What the photo showed of the head drawn over it, float [S, S, 3], sRGB-encoded."""
    share = drawn.seen[..., None]
    colour = drawn.linear / np.maximum(drawn.covered[..., None], 1e-3)
    return linear_to_srgb(srgb_to_linear(photo_srgb) * (1 - share) + share * colour)


def write(
    pictures: Sequence[Picture],
    rows: Sequence[Row],
    first: dict[str, Tensor],
    second: dict[str, Tensor],
    failures: dict[str, str],
    out: Path,
    embedder: FaceEmbedder,
) -> None:
    """Write the tables `identity` (each person) and `identity_recognition` (all of them together)."""
    pixels = {(row.prior, row.condition, row.subject): row.values for row in rows}
    measured: list[Row] = []
    together: list[Row] = []
    verdicts: list[str] = []
    ceiling = _recognised(first_pictures(pictures), second | _unseen(first, second), set(second), embedder)
    for prior, condition in dict.fromkeys((p.prior, p.condition) for p in pictures):
        chosen = [p for p in pictures if (p.prior, p.condition) == (prior, condition)]
        for name in dict.fromkeys(p.person for p in chosen):
            likenesses = _likenesses(name, chosen, first, second, embedder)
            measured.append(Row(prior, condition, name, pixels.get((prior, condition, name), {}) | likenesses))
        by_own = _recognised(chosen, first, set(first), embedder) if prior != PHOTOGRAPHS else None
        by_second = _recognised(chosen, second | _unseen(first, second), set(second), embedder)
        share = by_second.own / ceiling.own if by_second and ceiling else float("nan")
        everybody = f"{len(first)} people"
        together.append(Row(prior, condition, everybody, _figures(by_own, by_second) | {"of the ceiling": share}))
        if by_own is not None and by_second is not None and not prior.startswith(COLOURS):
            verdicts += _verdicts(f"{condition}, {prior}", by_own, by_second, share)
    write_table(Table("identity", "Identity", PROTOCOL, measured, verdicts, failures), out)
    write_table(Table("identity_recognition", "Identity: who is recognised", PROTOCOL, together, verdicts), out)


def first_pictures(pictures: Sequence[Picture]) -> list[Picture]:
    """The photographs themselves."""
    return [p for p in pictures if p.prior == PHOTOGRAPHS]


def _unseen(first: dict[str, Tensor], second: dict[str, Tensor]) -> dict[str, Tensor]:
    """Who has no second photo stands in that gallery by the first one, as a stranger to all others."""
    return {name: embedding for name, embedding in first.items() if name not in second}


def _recognised(
    pictures: Sequence[Picture], gallery: dict[str, Tensor], asked: set[str], embedder: FaceEmbedder
) -> Recognition | None:
    """Pictures of the people asked for, looked up in a gallery; None where there is nobody to compare."""
    chosen = [p for p in pictures if p.person in asked]
    if len(gallery) < 2 or not chosen:
        return None
    probes, photos = torch.stack([p.embedding for p in chosen]), torch.stack(list(gallery.values()))
    likeness = embedder.likeness(probes[:, None], photos[None]).numpy()
    return recognition(likeness, [p.person for p in chosen], list(gallery))


def _likenesses(
    name: str,
    chosen: Sequence[Picture],
    first: dict[str, Tensor],
    second: dict[str, Tensor],
    embedder: FaceEmbedder,
) -> dict[str, float]:
    """One person's mean cosines in one condition."""
    own = torch.stack([p.embedding for p in chosen if p.person == name])
    others = [embedding for person, embedding in first.items() if person != name]
    figures = {
        "own": float(embedder.likeness(own, first[name]).mean()),
        "second": float(embedder.likeness(own, second[name]).mean()) if name in second else float("nan"),
        "others": float("nan"),
        "nearest other": float("nan"),
    }
    if others:
        cosines = embedder.likeness(own[:, None], torch.stack(others)[None])
        figures |= {"others": float(cosines.mean()), "nearest other": float(cosines.max())}
    return figures


def _figures(by_own: Recognition | None, by_second: Recognition | None) -> dict[str, float]:
    """What `identity_recognition` says of a prior in a condition."""
    figures: dict[str, float] = {}
    for name, found in (("", by_own), ("second: ", by_second)):
        if found is not None:
            figures |= {
                f"{name}rank-1": found.first,
                f"{name}AUC": found.area,
                f"{name}d'": found.distance,
                f"{name}own": found.own,
                f"{name}others": found.others,
            }
    return figures


def _verdicts(
    what: str, by_own: Recognition, by_second: Recognition, share: float, targets: IdentityTargets = IdentityTargets()
) -> list[str]:
    right, of = round(by_own.first * by_own.pictures), by_own.pictures
    return [
        verdict(f"{what}: {right} of {of} first, {targets.first:.0%} wanted", by_own.first >= targets.first),
        verdict(f"{what}: AUC {by_own.area:.4f}, at least {targets.area}", by_own.area >= targets.area),
        verdict(f"{what}: {share:.1%} of the ceiling, at least {targets.share:.0%}", share >= targets.share),
    ]
