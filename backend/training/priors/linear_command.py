"""`python -m backend.training coarse-prior`: trains the coarse linear prior from the packed training file.

A few thousand quadruples of the skin stream at 256 x 256 become cosines as they come (nothing else is kept), and
`linear_prior` fits mean, factors and noise to them. Same pack, head model and seed, same file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from backend.head.model import load_head_model
from backend.prior.channels import QUADRUPLE
from backend.prior.linear.factor_model import ASSET, CoarsePrior, layout_of, save_coarse_prior
from backend.texture.maps import SkinMaps
from backend.training.priors.linear import SIDE, as_cosines, draw, fit_prior
from backend.training.skin.pack import PACK, load_pack
from backend.training.stream.skin_stream import SkinStream

_log = logging.getLogger(__name__)
SAMPLES, BATCH, HEADS = 3000, 4, 48


def add_coarse_prior_command(commands: argparse._SubParsersAction) -> None:
    """`coarse-prior`."""
    parser = commands.add_parser("coarse-prior", help="train the coarse linear prior from the packed training file")
    parser.add_argument("--pack", type=Path, default=PACK, help="a packed training file; without, the one that ships")
    parser.add_argument("--out", type=Path, default=ASSET, help="the file to write")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, default=None, help="where a picture of the mean and of random skins goes")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> None:
    prior, size = train(chosen.pack, chosen.out, chosen.samples, chosen.seed)
    print(f"{prior.latents} factors from {chosen.samples} samples, {size / 2**20:.2f} MiB in {chosen.out}")
    if chosen.sheet is not None:
        cv2.imwrite(str(chosen.sheet), sheet(prior, chosen.seed)[..., ::-1])


def train(pack: Path, out: Path, samples: int, seed: int) -> tuple[CoarsePrior, int]:
    """Train from a pack and write the prior to `out`; returns it and the file's size."""
    started = time.perf_counter()
    model = load_head_model()
    stream = SkinStream(load_pack(pack), model, seed=seed, resolution=SIDE, heads=min(HEADS, samples))
    _log.info("stream ready after %.0f s", time.perf_counter() - started)
    cosines = as_cosines(quadruples(stream), samples)
    _log.info("%d quadruples after %.0f s", samples, time.perf_counter() - started)
    metadata = {
        "command": f"coarse-prior --samples {samples} --seed {seed}",
        "people": stream.people,
        "pack_sha256": hashlib.sha256(pack.read_bytes()).hexdigest(),
        "credits": load_pack(pack).metadata.get("credits", ""),
    }
    prior = fit_prior(cosines, layout_of(model), metadata, seed)
    size = save_coarse_prior(prior, out)
    _log.info("trained in %.0f s; %s", time.perf_counter() - started, json.dumps({"bytes": size}))
    return prior, size


def quadruples(stream: SkinStream) -> Iterator[SkinMaps]:
    """The stream's samples one by one, without end."""
    number = 0
    while True:
        for sample in stream.batch(range(number, number + BATCH)):
            yield as_maps(sample)
        number += BATCH


def as_maps(sample: Tensor) -> SkinMaps:
    """A sample [10, R, R] in [-1, 1] of the stream as maps."""
    values = np.moveaxis(sample.cpu().numpy(), 0, -1)
    encoded = (values + 1) / 2
    return SkinMaps(
        encoded[..., QUADRUPLE.texture],
        encoded[..., QUADRUPLE.diffuse],
        encoded[..., QUADRUPLE.specular.start],
        values[..., QUADRUPLE.normal],
        np.ones(values.shape[:2], np.float32),
    )


def sheet(prior: CoarsePrior, seed: int, count: int = 5) -> np.ndarray:
    """The mean and random skins of the prior, uint8 [H, W, 3]: texture, diffuse, specular albedo and normal a row."""
    rng = np.random.default_rng(seed)
    rows = []
    latents = [np.zeros(prior.latents), *rng.standard_normal((count, prior.latents))]
    for maps in (draw(prior, latent) for latent in latents):
        gray = np.repeat(maps.specular_albedo[..., None], 3, axis=-1)
        tiles = [maps.texture_srgb, maps.diffuse_albedo_srgb, gray, maps.normal * 0.5 + 0.5]
        rows.append(np.concatenate(tiles, axis=1))
    return np.round(255 * np.clip(np.concatenate(rows), 0, 1)).astype(np.uint8)
