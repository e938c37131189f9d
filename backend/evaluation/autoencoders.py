"""The table `autoencoders`: what the diffusion prior's auto-encoders keep of the maps of test people."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import cv2
import numpy as np
import torch

from backend.evaluation import metrics
from backend.evaluation.skin.reflectance import PORTRAITS, Case, add_picture_arguments, cases
from backend.evaluation.subjects import prepare
from backend.evaluation.tables import Row, Table, conditions_of, mean_of, verdict, write_figure, write_table
from backend.pipeline import Pipeline
from backend.prior.diffusion.autoencoder import MapAutoencoder
from backend.prior.diffusion.drawing import as_image, as_tensor
from backend.prior.diffusion.shipped import ASSET
from backend.prior.diffusion.weights import MAPS, load_autoencoder
from backend.texture.uv_space import dilate
from shared.errors import RelightifyError

log = logging.getLogger(__name__)
METHOD = "auto-encoder"
LEAST = {"texture": 33.0, "diffuse_albedo": 33.0, "specular_albedo": 35.0, "normal": 30.0}
SEEN = 0.9
BORDER = 5  # texels beside unknown ones that do not count: an encoder sees across the border
PROTOCOL = """Maps of people who are in no prior, at 512 x 512, to 64 x 64 x 3 and back. `portraits`: their unwrapped
neutral photo (texture) and pseudo-ground truth made as the training data is; `Cycles`: maps of CG heads (no texture).
PSNR in dB of encoded values in [0, 1] over known texels of the skin, five texels off unknown ones.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate autoencoders`."""
    add_picture_arguments(parser)
    parser.add_argument("--weights", type=Path, default=ASSET, metavar="DIR", help="the diffusion prior's folder")


def run(options: argparse.Namespace) -> int:
    """Encode and decode every map; write table and figures.

    Raises:
        RelightifyError: a folder lacks what is needed.
    """
    pipeline = Pipeline("cpu")
    networks = {name: load_autoencoder(options.weights, name) for name in MAPS}
    rows: list[Row] = []
    failures: dict[str, str] = {}
    last = None
    for case in cases(options, pipeline):
        if case.truth is last:
            continue  # another picture of the same head
        last = case.truth
        try:
            maps = known_maps(case, pipeline)
        except RelightifyError as error:
            failures[f"{case.condition} {case.name}"] = error.message
            continue
        tiles, figures = [], {}
        for name, (image, known) in maps.items():
            rebuilt = round_trip(networks[name], image, known)
            figures[name] = metrics.psnr(rebuilt, image, inner(known))
            tiles.append([_shown(image), _shown(rebuilt), 4 * np.abs(_shown(rebuilt - image)) * known[..., None]])
        rows.append(Row(METHOD, case.condition, case.name, figures))
        label = f"{case.condition}_{case.name.replace('/', '_').replace(' ', '_')}.png"
        write_figure(options.out / "autoencoders" / label, tiles, ["map", "rebuilt", "difference x 4"])
        log.info("%s %s done", case.condition, case.name)
    write_table(Table("autoencoders", "Auto-encoders", PROTOCOL, rows, _verdicts(rows), failures), options.out)
    return 0


def known_maps(case: Case, pipeline: Pipeline) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By map: encoded values float32 [R, R, C] in [0, 1], and where they are known, bool [R, R].

    Raises:
        RelightifyError: the photo cannot be used.
    """
    truth, maps = case.truth, {}
    if case.condition == PORTRAITS:
        partial = prepare(pipeline, case.name, case.picture.read_bytes()).partial
        maps["texture"] = (partial.texture_srgb, partial.visibility > SEEN)
    known = truth.visibility > 0.5
    maps["diffuse_albedo"] = (truth.diffuse_albedo_srgb, known)
    maps["specular_albedo"] = (truth.specular_albedo[..., None], known)
    maps["normal"] = (truth.normal * 0.5 + 0.5, known)
    return maps


@torch.inference_mode()
def round_trip(network: MapAutoencoder, image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A map [R, R, C] in [0, 1] encoded and decoded; what is not known is first filled from its border."""
    filled = dilate(image, known, len(image))
    latent, _ = network.encode(as_tensor(2 * filled - 1))
    return as_image(network.decode(latent)[0]) * 0.5 + 0.5


def inner(known: np.ndarray) -> np.ndarray:
    """Known texels, bool [R, R], away from the border of what is known."""
    size = 2 * BORDER + 1
    return cv2.erode(known.astype(np.uint8), np.ones((size, size), np.uint8)) > 0


def _shown(image: np.ndarray) -> np.ndarray:
    return np.repeat(image, 3, -1) if image.shape[-1] == 1 else image


def _verdicts(rows: list[Row]) -> list[str]:
    sentences = []
    for condition in conditions_of(rows):
        for name, least in LEAST.items():
            value = mean_of(rows, METHOD, condition, name)
            if not np.isnan(value):
                sentences.append(verdict(f"{condition}: {name} {value:.2f} dB, at least {least:.0f}", value >= least))
    return sentences
