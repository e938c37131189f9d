"""Sheets of training samples and of every augmentation, for people to look at."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from backend.head.model import load_head_model
from backend.imaging.colour import linear_to_srgb
from backend.prior.channels import QUADRUPLE
from backend.training.head.landmarks.painted_mesh import contact_sheet
from backend.training.skin.pack import load_pack
from backend.training.skin.sheets import write_jpeg
from backend.training.stream.augment import hair, makeup, mixing, pigments, spots, wrinkles
from backend.training.stream.augment.skin import Skin
from backend.training.stream.reflectance import normals_of_height, with_detail_relief
from backend.training.stream.region_masks import RegionMasks, region_masks
from backend.training.stream.skin_stream import SkinStream

Change = Callable[[Skin, RegionMasks, np.random.Generator], Skin]
DARK, FAIR = hair.HAIR[0], hair.HAIR[4]
TILE = 240


def write_samples(pack: Path, out: Path, count: int, seed: int) -> None:
    """`samples.jpg` (T, A_d, A_s, N of `count` samples), `augmentations.jpg` and the spread of lightness."""
    model = load_head_model()
    stream = SkinStream(load_pack(pack), model, seed=seed, heads=12)
    tiles, labels = [], []
    for number in range(count):
        maps = stream.batch([number])[0]
        tiles += [
            _face(maps[QUADRUPLE.texture]),
            _face(maps[QUADRUPLE.diffuse]),
            _face(maps[QUADRUPLE.specular].expand(3, -1, -1)),
            _face(maps[QUADRUPLE.normal]),
        ]
        labels += [f"{number} T", "A_d", "A_s", "N"]
    write_jpeg(out / "samples.jpg", contact_sheet(tiles, labels, 8))
    masks = region_masks(model, stream.resolution)
    write_jpeg(out / "augmentations.jpg", augmentation_sheet(_synthetic(stream), masks), 80)


def augmentation_sheet(base: list[Skin], masks: RegionMasks) -> np.ndarray:
    """Every augmentation applied to one synthetic individual, uint8 [H, W, 3]; the others are for mixing."""
    changes: dict[str, Change] = {
        "as it is": lambda s, m, r: s,
        **{
            f"recoloured L* {lightness}": partial(_recoloured, lightness=float(lightness))
            for lightness in (30, 45, 60, 80)
        },
        "bands mixed": lambda s, m, r: mixing.mix_bands(base, m, r),
        "regions mixed": lambda s, m, r: mixing.mix_regions(base, m, r),
        "mirrored": lambda s, m, r: mixing.mirrored(s),
        "warped": partial(mixing.warp, strength_mm=3.0),
        "pores shifted": mixing.stretched,
        "flush": partial(pigments.flush, strength=2.0),
        "mottled": partial(pigments.mottle, strength=1.5),
        "tired eyes": partial(pigments.tired_eyes, strength=2.0),
        "tan": partial(pigments.tan, strength=2.0),
        "freckles": spots.freckles,
        "moles": spots.moles,
        "blemishes": spots.blemishes,
        "age spots": spots.age_spots,
        "wrinkles": wrinkles.wrinkles,
        "stubble": partial(hair.stubble, colour=DARK),
        "beard": partial(hair.beard, colour=hair.HAIR[1]),
        "dark brows": partial(hair.tinted_brows, colour=DARK),
        "fair brows": partial(hair.tinted_brows, colour=FAIR),
        "lip tone": partial(makeup.lip_tone, strength=2.0),
        "lipstick": makeup.lipstick,
        "eye shadow": makeup.eye_shadow,
        "eyeliner": makeup.eyeliner,
        "rouge": makeup.rouge,
        "foundation": makeup.foundation,
    }
    tiles, labels = [], []
    for name, change in changes.items():
        skin = change(base[0], masks, np.random.default_rng(5))
        tiles.append(_face(linear_to_srgb(skin.albedo) * 2 - 1))
        labels.append(name)
    creased = wrinkles.wrinkles(with_detail_relief(base[0], masks), masks, np.random.default_rng(5))
    tiles.append(_face(normals_of_height(creased.height, masks.texels_per_mm)))
    labels.append("normals of pores, wrinkles")
    return contact_sheet(tiles, labels, 6)


def _recoloured(skin: Skin, masks: RegionMasks, _: np.random.Generator, lightness: float) -> Skin:
    return pigments.recolour(skin, masks, pigments.ordinary_tone(lightness))


def _synthetic(stream: SkinStream) -> list[Skin]:
    """Three individuals that nobody is: each the mean of many people's coarse bands with one's fine band."""
    return [stream.mixture(seed) for seed in range(3)]


def _face(maps: Tensor) -> np.ndarray:
    """The face's part of a map [3, R, R] in [-1, 1] as a tile uint8 [TILE, TILE, 3]."""
    side = maps.shape[-1]
    low, high = round(0.14 * side), round(0.86 * side)
    cut = torch.nn.functional.interpolate(maps[None, :, low:high, low:high], (TILE, TILE), mode="area")[0]
    return np.ascontiguousarray(((cut.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy())
