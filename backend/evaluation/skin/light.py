"""The table `light`: the same heads under three lights give one albedo, and lights can be swapped between people.

The paper's figure 10 shows reconstructions of one person under different illuminations; Yang et al. (re-renderable
textures, eq. 2) render one person's albedo in another's light.
"""

from __future__ import annotations

import argparse
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.delight.refit import refit_light
from backend.detail.options import DetailOptions
from backend.evaluation import metrics
from backend.evaluation.cg_heads import photographed
from backend.evaluation.cg_options import add_heads_arguments, chosen_records
from backend.evaluation.subjects import RESOLUTION, Subject, prepare
from backend.evaluation.tables import Gain, Row, Table, gain_of, verdict, write_figure, write_table
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.pipeline import Pipeline
from backend.rendering.light_transfer import shading
from backend.rendering.skin_model import SKIN
from backend.texture.maps import SkinMaps
from backend.texture.regions import plain_skin
from shared.errors import RelightifyError

log = logging.getLogger(__name__)

LIGHTS = ("studio", "courtyard", "area")
ALBEDO, EQUAL, SWAPPED = "A_d", "A_d of equal tone", "lights swapped"
WANTED_SHARE = 0.5
PROTOCOL = """CG heads in no prior, rendered by Cycles (the pictures of the table `reflectance`) under three lights:
`studio` and `courtyard` of Blender's environments, and two area lights, from yaw 0, 20 and -15 degrees. Root mean
square difference of sRGB values on texels of the face that are known and were seen in both pictures: `between` the A_d
of two pictures of one head, and of each A_d `to truth`; `share` is the first over the second. `of equal tone`: after
the medians of plain skin were made equal. `lights swapped`: a head's maps in the light that was found from another
head's picture, in texture space (diffuse, with the mean gloss), against what the pictures of all heads in that light
show; `nearest` is 1 where the nearest is the head itself, by the root mean square difference of sRGB values. The maps
come from a picture under another light than that of the pictures they are compared with. Standard errors are over
heads.
"""

Distance = Callable[[np.ndarray, np.ndarray, np.ndarray], float]  # of two sRGB textures [R, R, 3] on texels bool [R, R]


@dataclass(frozen=True)
class LitHead:
    """A reconstruction of one head from its picture under one light.

    Args:
        subject: the picture, fitted and unwrapped.
        maps: finished.
        light: float32 [9, 3], under which the maps look like the picture.
        truth: the head's own maps.
    """

    subject: Subject
    maps: SkinMaps
    light: np.ndarray
    truth: SkinMaps

    @property
    def seen(self) -> np.ndarray:
        """bool [R, R], known texels of the face that the picture shows."""
        visible = (self.subject.partial.visibility > 0.7) & (self.truth.visibility > 0.5)
        return visible & (self.subject.skin.regions.face > 0.5)

    def in_light(self, light: np.ndarray) -> np.ndarray:
        """The maps in a light [9, 3], sRGB [R, R, 3]."""
        transfer = self.subject.skin.uv_space.interpolate(self.subject.skin.transfer)
        colour = srgb_to_linear(self.maps.diffuse_albedo_srgb) + SKIN.surface.of_renders
        return linear_to_srgb(np.clip(colour * shading(transfer, light), 0, 1)).astype(np.float32)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate light`."""
    add_heads_arguments(parser)
    parser.add_argument("--quality", default="draft", metavar="NAME", help="which prior completes, default: draft")


def run(options: argparse.Namespace) -> int:
    """Reconstruct every head under every light and compare; write table and figures.

    Raises:
        RelightifyError: `no_heads`, `no_blender`, `render_failed`, `quality_unavailable`.
    """
    folder, records = chosen_records(options)
    pipeline = Pipeline("cpu")
    prior = pipeline.prior(options.quality)
    space = pipeline.uv_space(RESOLUTION)
    heads: dict[str, dict[str, LitHead]] = {}
    failures: dict[str, str] = {}
    for head in photographed(folder, records, pipeline.model, space, options.blender_python):
        for light in LIGHTS:
            try:
                subject = prepare(pipeline, head.name, head.pictures[light].read_bytes())
                maps = subject.completed(prior, DetailOptions(strength=0.0))
            except RelightifyError as error:
                failures[f"{head.name} {light}"] = error.message
                continue
            found = refit_light(subject.skin, maps).light
            heads.setdefault(head.name, {})[light] = LitHead(subject, maps, found, head.truth)
            log.info("%s %s done", head.name, light)
    rows = [*albedo_rows(heads, options.quality), *swapped_rows(heads, options.quality)]
    for name, lit in heads.items():
        columns = ["truth", *(f"{kind} {n}" for n in lit for kind in ("seen", "A_d"))]
        tiles = [next(iter(lit.values())).truth.diffuse_albedo_srgb]
        for one in lit.values():
            tiles += [one.subject.partial.texture_srgb, one.maps.diffuse_albedo_srgb]
        write_figure(options.out / "light" / f"{name}.png", [tiles], columns)
    write_table(Table("light", "Light consistency", PROTOCOL, rows, verdicts(rows), failures), options.out)
    return 0


def albedo_rows(heads: Mapping[str, Mapping[str, LitHead]], method: str) -> Iterator[Row]:
    """Differences of every pair of pictures of a head, with the two pictures' mean error to the truth."""
    for name, lit in heads.items():
        for one, other in itertools.combinations(lit, 2):
            a, b = lit[one], lit[other]
            seen = a.seen & b.seen
            plain = seen & (plain_skin(a.subject.skin.regions) > 0.5)
            for condition in (ALBEDO, EQUAL):
                images = [m.diffuse_albedo_srgb for m in (a.maps, b.maps, a.truth)]
                if condition == EQUAL:
                    images = [image - np.median(image[plain], axis=0) for image in images]
                between = metrics.rmse(images[0], images[1], seen)
                to_truth = float(np.mean([metrics.rmse(image, images[2], seen) for image in images[:2]]))
                figures = {"between": between, "to truth": to_truth, "share": between / max(to_truth, 1e-9)}
                yield Row(method, condition, f"{name} {one} and {other}", figures)


def swapped_rows(
    heads: Mapping[str, Mapping[str, LitHead]], method: str, distance: Distance = metrics.rmse
) -> Iterator[Row]:
    """Every head in the light of every other's picture, against what all heads' pictures in that light show.

    Args:
        heads: reconstructions by head and light.
        method: the prior's name.
        distance: how unlike two textures are.
    """
    for own, lender in itertools.permutations(heads, 2):
        for light, borrowed in itertools.permutations(LIGHTS, 2):
            if light not in heads[own] or borrowed not in heads[lender]:
                continue
            head = heads[own][light]
            image = head.in_light(heads[lender][borrowed].light)
            found = {
                name: distance(image, lit[borrowed].subject.partial.texture_srgb, head.seen & lit[borrowed].seen)
                for name, lit in heads.items()
                if borrowed in lit
            }
            others = [d for name, d in found.items() if name != own]
            if own not in found or not others:
                continue
            figures = {"own": found[own], "next": min(others), "nearest": float(found[own] < min(others))}
            yield Row(method, SWAPPED, f"{own} from {light} in {borrowed} of {lender}", figures)


def verdicts(rows: Sequence[Row]) -> list[str]:
    """Whether the albedo depends on the light less than it errs, and whether people stay themselves."""
    sentences = []
    for condition in (ALBEDO, EQUAL):
        share = over_people(rows, condition, "share")
        text = f"{condition}: {share} of the error to the truth between lights, at most {WANTED_SHARE}"
        sentences.append(verdict(text, share.mean <= WANTED_SHARE))
    nearest = over_people(rows, SWAPPED, "nearest")
    sentences.append(verdict(f"{SWAPPED}: the head itself is nearest in {nearest}, wanted 1", nearest.mean == 1))
    return sentences


def over_people(rows: Sequence[Row], condition: str, value: str) -> Gain:
    """Mean of a figure and its standard error over heads, a head's rows averaged first."""
    people: dict[str, list[float]] = {}
    for row in rows:
        if row.condition == condition:
            people.setdefault(row.subject.split()[0], []).append(row.values[value])
    return gain_of(np.array([np.mean(values) for values in people.values()]))
