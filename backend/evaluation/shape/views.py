"""The table `views`: what several photos of a person add to one."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.evaluation import metrics
from backend.evaluation.cg_heads import AROUND, CgHead, correspondence, photographed
from backend.evaluation.cg_options import add_heads_arguments, chosen_records
from backend.evaluation.parameters import GeometrySettings, ViewsSettings
from backend.evaluation.shape.face_surfaces import (
    UNMOVED,
    FacePoints,
    RegionMesh,
    aligned,
    region_errors,
    region_mesh,
    surface_of,
)
from backend.evaluation.subjects import RESOLUTION, visible_from
from backend.evaluation.tables import Row, Table, conditions_of, mean_of, verdict, write_figure, write_table
from backend.head.model import HeadModel
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.pipeline import Pipeline
from backend.progress import Progress
from backend.reconstruction import Reconstruction
from backend.texture.fitted_skin import FittedSkin
from backend.texture.regions import face_regions, plain_skin
from shared.errors import RelightifyError
from shared.options import JobOptions

log = logging.getLogger(__name__)

FRONT, AROUND_VIEWS, OTHER, BOTH = "0", "0 + 45 + 90", "other light", "0 in two lights"
# By what is given, the pictures.
GIVEN = {
    FRONT: ("around_0",),
    AROUND_VIEWS: ("around_0", "around_45", "around_90"),
    OTHER: ("other_light",),
    BOTH: ("around_0", "other_light"),
}
PROTOCOL = """CG heads rendered by Cycles at 512 x 512 (12 samples, denoised): from yaw 0, 45 and 90 degrees under a
studio light, and once more from the front (yaw 10) in a courtyard. Each set is reconstructed by the quality `draft` at
512; `used` says how many of the photos were. Geometry as in the table `geometry`, mm; `face` and `profile` are by the
whole face's alignment, the profile being what lies within 12 mm of the face's middle plane. `hidden` is the PSNR of
the diffuse albedo on texels that yaw 0 does not show and yaw 90 would; `seen` that on texels that the front shows; a
gain a channel, by plain skin, is taken off both. `seconds` are of a warm job.
"""


@dataclass(frozen=True)
class _Truth:
    """What a head's reconstructions are compared with.

    Args:
        head: its maps.
        points: its surface.
        hidden, seen: bool [R, R], which texels count.
        plain: bool [R, R], plain skin that is known, by which tones are compared.
    """

    head: CgHead
    points: FacePoints
    hidden: np.ndarray
    seen: np.ndarray
    plain: np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate views`."""
    add_heads_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Reconstruct every head from each set of photos; write table and figures.

    Raises:
        RelightifyError: `no_heads`, `no_blender`, `render_failed`.
    """
    folder, records = chosen_records(options)
    pipeline = Pipeline("cpu")
    space = pipeline.uv_space(RESOLUTION)
    heads = photographed(folder, records, pipeline.model, space, options.blender_python, AROUND)
    mesh = region_mesh(folder, pipeline.model, space, correspondence(folder, pipeline.model, space))
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for head in heads:
        try:
            found = {given: _reconstructed(pipeline, head, pictures) for given, pictures in GIVEN.items()}
        except RelightifyError as error:
            failures[head.name] = error.message
            continue
        truth = _truth(pipeline, head, mesh, found[FRONT])
        for given, result in found.items():
            rows.append(Row("draft", given, head.name, _figures(pipeline.model, truth, result)))
            print(f"{head.name} {given}: {rows[-1].values} {' '.join(result.warnings)}", flush=True)
        tiles = [[r.maps.texture_srgb, r.maps.diffuse_albedo_srgb] for r in found.values()]
        shown = [*tiles, [truth.head.truth.diffuse_albedo_srgb, truth.hidden[..., None] * np.ones(3)]]
        write_figure(options.out / "views" / f"{head.name}.png", shown, ["texture", "A_d"], side=384)
    write_table(Table("views", "Several photos", PROTOCOL, rows, verdicts(rows), failures), options.out)
    return 0


def _reconstructed(pipeline: Pipeline, head: CgHead, pictures: Sequence[str]) -> Reconstruction:
    photos = [Path(head.pictures[name]).read_bytes() for name in pictures]
    return pipeline.reconstruct(photos, JobOptions(quality="draft", resolution=RESOLUTION), Progress())


def _truth(pipeline: Pipeline, head: CgHead, mesh: RegionMesh, front: Reconstruction) -> _Truth:
    """The true head, and which texels count, by the fit of the front alone."""
    settings = ViewsSettings()
    skin = FittedSkin(pipeline.model, front.fit, pipeline.uv_space(RESOLUTION), np.zeros((0, 9), np.float32))
    known = head.truth.visibility > 0.5
    at_side = visible_from(pipeline, skin, settings.side_yaw_degrees) > settings.shown
    hidden = known & at_side & (front.maps.visibility < settings.hidden)
    seen = known & (front.maps.visibility > settings.shown)
    plain = known & (plain_skin(face_regions(pipeline.model, skin.uv_space)) > 0.5)
    return _Truth(head, mesh.points(head.name), hidden, seen, plain)


def _figures(model: HeadModel, truth: _Truth, result: Reconstruction) -> dict[str, float]:
    surface = surface_of(model, result.fit.neutral_vertices(model))
    errors = region_errors(truth.points, surface)
    whole, settings = truth.points.whole, GeometrySettings()
    place = aligned(whole, surface, UNMOVED, settings, scaled=True)
    middle = np.median(truth.points.regions["nose"][:, 0])
    profile = whole[np.abs(whole[:, 0] - middle) < ViewsSettings().profile_m]
    for name, points in (("face", whole), ("profile", profile)):
        errors[name] = 1000 * float(surface.closest(place(points)).distance.mean()) / place.scale
    true = truth.head.truth.diffuse_albedo_srgb
    albedo = _evened(result.maps.diffuse_albedo_srgb, true, truth.plain)
    for name, texels in (("hidden", truth.hidden), ("seen", truth.seen)):
        errors[name] = metrics.psnr(albedo, true, texels)
    return {**errors, "used": float(len(result.fit.views)), "seconds": sum(result.timings.values())}


def _evened(albedo_srgb: np.ndarray, true_srgb: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """An albedo, sRGB [R, R, 3], with a gain a channel that gives plain skin the true tone."""
    linear = srgb_to_linear(albedo_srgb)
    gain = np.median(srgb_to_linear(true_srgb)[plain], axis=0) / np.maximum(np.median(linear[plain], axis=0), 1e-4)
    return linear_to_srgb(np.clip(linear * gain, 0, 1))


def verdicts(rows: Sequence[Row]) -> list[str]:
    """What several photos must gain over one."""
    if not {FRONT, AROUND_VIEWS, OTHER, BOTH} <= set(conditions_of(rows)):
        return []

    def mean(given: str, value: str) -> float:
        return mean_of(rows, "draft", given, value)

    settings, sentences = ViewsSettings(), []
    for region, least in (("profile", settings.less_in_profile), ("face", settings.less_over_face)):
        one, three = mean(FRONT, region), mean(AROUND_VIEWS, region)
        less = 1 - three / one
        sentences.append(
            verdict(f"{region}: {three:.2f} mm, from one {one:.2f}: {100 * less:.0f} % less", less >= least)
        )
    gain = mean(AROUND_VIEWS, "hidden") - mean(FRONT, "hidden")
    sentences.append(verdict(f"hidden at yaw 90: {gain:+.2f} dB", gain >= settings.more_hidden_db))
    better, both = max(mean(FRONT, "seen"), mean(OTHER, "seen")), mean(BOTH, "seen")
    sentences.append(verdict(f"albedo from two lights: {both:.2f} dB, the better of them {better:.2f}", both >= better))
    ratio = mean(AROUND_VIEWS, "seconds") / mean(FRONT, "seconds")
    sentences.append(verdict(f"three photos take {ratio:.2f} times as long as one", ratio <= settings.most_times))
    return sentences
