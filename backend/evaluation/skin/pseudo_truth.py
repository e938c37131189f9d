"""Pseudo-ground truth of test people's portraits, made as the training data is, from test people alone."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from backend.evaluation.subjects import heldout_records
from backend.head.model import HeadModel
from backend.imaging.colour import linear_to_srgb
from backend.texture.maps import SkinMaps
from backend.texture.regions import face_regions
from backend.texture.uv_space import UVSpace
from backend.training.skin.calibration import REFERENCE_GROUP, diffuse_gain, of_reference_group, photo_gains
from backend.training.skin.completion import graft
from backend.training.skin.portraits import EXPRESSIONS, Person, fit_key, photos_of, unwrap_portraits
from backend.training.skin.set_delighting import DelitSkin, delit_skin, plain_tone, set_light, shaded_skin
from backend.training.stream.augment.skin import Skin
from backend.training.stream.reflectance import normals_of_height, specular_albedo, with_detail_relief
from backend.training.stream.region_masks import RegionMasks, region_masks
from shared.errors import RelightifyError
from shared.paths import cache_folder

log = logging.getLogger(__name__)
KNOWN = 0.7  # weight above which a texel of the pseudo-ground truth was really seen


@dataclass(frozen=True)
class PortraitTruth:
    """A test person: the neutral photo and the maps; `truth.visibility` is 1 where they are known."""

    name: str
    photo: Path
    truth: SkinMaps


def portrait_truths(folder: Path, model: HeadModel, space: UVSpace, limit: int | None) -> list[PortraitTruth]:
    """Pseudo-ground truth of everybody in a folder of portraits whose split is not `train`, as `truths_of`.

    Raises:
        RelightifyError: `no_photos`.
    """
    return truths_of(heldout_records(folder), folder, model, space)[:limit]


def truths_of(records: list[dict], folder: Path, model: HeadModel, space: UVSpace) -> list[PortraitTruth]:
    """Pseudo-ground truth of people in a folder of portraits; the light of a set is found from those of them in it.

    Raises:
        RelightifyError: `no_photos`.
    """
    people = [Person(r["id"], r["age"], r["ethnicity"]) for r in records]
    people = [p for p in people if EXPRESSIONS[0] in photos_of(folder, p)]
    if not people:
        raise RelightifyError(
            "no_photos", f"There are no portraits of these people in {folder}.", "Name a folder: --portraits."
        )
    cache = cache_folder("evaluation") / f"fits_{fit_key()}"
    portraits = unwrap_portraits(model, folder, people, cache)
    masks, regions = region_masks(model, space.resolution), face_regions(model, space)
    delit: dict[str, DelitSkin] = {}
    for group in dict.fromkeys(p.group for p in people):
        members = [p for p in people if p.group == group]
        shaded = {key: shaded_skin(portraits[key], model, space) for key in portraits if key[0].startswith(group + "/")}
        light = set_light(list(shaded.values()), masks)
        for person in members:
            photos = [
                delit_skin(shaded[person.identifier, e], light, masks, regions)
                for e in EXPRESSIONS
                if (person.identifier, e) in shaded
            ]
            delit[person.identifier] = _joined(photos, masks)
    tones = {name: plain_tone(d.log_albedo, d.weight, masks) for name, d in delit.items()}
    gains = _gains(people, tones)
    return [
        PortraitTruth(
            p.identifier,
            photos_of(folder, p)[EXPRESSIONS[0]],
            _maps(delit[p.identifier], diffuse_gain(tones[p.identifier], gains[p.identifier]), masks),
        )
        for p in people
    ]


def _joined(photos: list[DelitSkin], masks: RegionMasks) -> DelitSkin:
    """What the first photo shows, filled from the others where it shows nothing."""
    whole = photos[0]
    tone = plain_tone(whole.log_albedo, whole.weight, masks)
    for other in photos[1:]:
        shift = (tone - plain_tone(other.log_albedo, other.weight, masks)).astype(np.float32)
        whole = graft(whole, replace(other, log_albedo=other.log_albedo + shift), masks)
    return whole


def _gains(people: list[Person], tones: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """`photo_gains`, as for training; people of a set without a reference group take the mean gain of the others.

    Raises:
        RelightifyError: `no_reference`, no set has anybody of it.
    """
    with_reference = {p.group for p in people if of_reference_group(p)}
    if not with_reference:
        raise RelightifyError(
            "no_reference",
            f"No set of portraits has anybody of the group {REFERENCE_GROUP} whose mean tone is known.",
            "Albedo cannot be calibrated without; add people to the folder.",
        )
    gains = photo_gains([p for p in people if p.group in with_reference], tones)
    usual = np.mean(list(gains.values()), axis=0)
    return {p.identifier: np.asarray(gains.get(p.identifier, usual)) for p in people}


def _maps(skin: DelitSkin, gain: np.ndarray, masks: RegionMasks) -> SkinMaps:
    linear = np.clip(np.exp(skin.log_albedo + gain.astype(np.float32)), 0.004, 0.95).astype(np.float32)
    relief = with_detail_relief(Skin.of_albedo(torch.from_numpy(np.moveaxis(linear, -1, 0).copy())), masks)
    normal = np.moveaxis(normals_of_height(relief.height, masks.texels_per_mm).numpy(), 0, -1)
    return SkinMaps(
        texture_srgb=np.zeros_like(linear),
        diffuse_albedo_srgb=linear_to_srgb(linear).astype(np.float32),
        specular_albedo=specular_albedo(relief, masks).numpy(),
        normal=normal,
        visibility=(skin.weight > KNOWN).astype(np.float32),
    )
