"""`python -m backend.training skin-data`: pseudo-ground-truth albedos of the training people, measured and packed.

Portraits and library skins go through fit, unwrapping, delighting, completion and calibration (DESIGN section 7). The
result is a folder with every albedo, contact sheets, `report.json` and `pack.npz`. Same sources and head model, same
bytes.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.head.model import load_head_model
from backend.imaging.colour import linear_to_srgb
from backend.texture.regions import face_regions
from backend.texture.uv_space import uv_space
from backend.training.skin.calibration import diffuse_gain, photo_gains, tone_lab
from backend.training.skin.completion import complete_person, library_skin, whole_library
from backend.training.skin.measures import SkinReport, agreement_psnr, cheek_difference, highlight_shares, lightness_of
from backend.training.skin.pack import CREDITS, SkinPack, save_pack
from backend.training.skin.portraits import (
    EXPRESSIONS,
    Person,
    UnwrappedPortrait,
    fit_key,
    training_people,
    unwrap_portraits,
)
from backend.training.skin.set_delighting import DelitSkin, delit_skin, plain_tone, set_light, shaded_skin
from backend.training.skin.sheets import albedo_sheet, stage_sheet, write_jpeg
from backend.training.skin.valid_skins import load_valid_skins
from backend.training.stream.region_masks import RegionMasks, region_masks

_log = logging.getLogger(__name__)
RESOLUTION = 512
CERTAIN_RESOLUTION = 128
LIGHT_PHOTOS = 60  # of a set, spread evenly, are enough to find its light
# Library skins with a bald individual: no painted hairline, even paint on ears and neck.
LIBRARY_BASES = ("skin_01", "skin_03", "skin_08", "skin_13")


@dataclass(frozen=True)
class Albedo:
    """One person's calibrated albedo: `linear` float32 [R, R, 3]; `certain` float32 [R, R], see `SkinPack`."""

    person: Person
    linear: np.ndarray
    certain: np.ndarray
    identity: np.ndarray


def build_skin_data(sources: Path, out: Path) -> SkinReport:
    """Make everything and write it to `out`; fits are kept in `out/fits` and used again."""
    model = load_head_model()
    people = training_people(sources / "portraits")
    portraits = unwrap_portraits(model, sources / "portraits", people, out / "fits" / fit_key())
    space, masks = uv_space(model, RESOLUTION), region_masks(model, RESOLUTION)
    regions = face_regions(model, space)
    _log.info("%d photos of %d people; tracing their shadows", len(portraits), len(people))
    shaded = {key: shaded_skin(portrait, model, space) for key, portrait in portraits.items()}
    group_of = {p.identifier: p.group for p in people}
    delit: dict[tuple[str, str], DelitSkin] = {}
    for group in sorted(set(group_of.values())):
        keys = [key for key in shaded if group_of[key[0]] == group]
        step = max(1, len(keys) // LIGHT_PHOTOS)
        light = set_light([shaded[key] for key in keys[::step]], masks)
        _log.info("light of %s: %s", group, np.round(light[:4].mean(1), 2).tolist())
        delit.update({key: delit_skin(shaded[key], light, masks, regions) for key in keys})

    skins = load_valid_skins(sources / "valid_heads", model, space)
    chosen = [next(s for s in sorted(skins, key=lambda s: not s.bald) if s.base == base) for base in LIBRARY_BASES]
    library = whole_library([library_skin(skin, masks) for skin in chosen], masks)
    _log.info("library of %d skins; completing people", len(library))
    whole: dict[str, DelitSkin] = {}
    for index, person in enumerate(people):
        photos = [delit[person.identifier, e] for e in EXPRESSIONS if (person.identifier, e) in delit]
        whole[person.identifier] = complete_person(photos, library[index % len(library)], masks)
    tones = {name: plain_tone(skin.log_albedo, skin.weight, masks) for name, skin in whole.items()}
    gains = {name: diffuse_gain(tones[name], gain) for name, gain in photo_gains(people, tones).items()}
    albedos = [_albedo(p, whole[p.identifier], gains[p.identifier], portraits) for p in people]

    report = measure(albedos, delit, gains, portraits, masks)
    _write(out, albedos, report, {g: v.tolist() for g, v in gains.items()}, masks)
    linear = {key: (shaded[key].linear, shaded[key].visibility) for key in list(shaded)[:: max(1, len(shaded) // 24)]}
    write_jpeg(out / "stages.jpg", stage_sheet(linear, delit, {a.person.identifier: a.linear for a in albedos}))
    return report


def measure(
    albedos: list[Albedo],
    delit: dict[tuple[str, str], DelitSkin],
    gains: dict[str, np.ndarray],
    portraits: dict[tuple[str, str], UnwrappedPortrait],
    masks: RegionMasks,
) -> SkinReport:
    """The figures of `skin_measure` over all people."""
    first, second = EXPRESSIONS
    pairs = [
        agreement_psnr(delit[name, first], delit[name, second], gains[a.person.identifier].astype(np.float32))
        for a in albedos
        if (name := a.person.identifier, first) in delit and (name, second) in delit
    ]
    cheeks = [cheek_difference(a.linear, masks) for a in albedos]
    shares = np.array([highlight_shares(a.linear, masks) for a in albedos])
    lightness = [lightness_of(a.linear, masks) for a in albedos]
    face = masks.face.numpy() > 0.5
    return SkinReport(
        people=len(albedos),
        photos=len(portraits),
        pairs=len(pairs),
        neutral_smiling_psnr_mean=float(np.mean(pairs)),
        neutral_smiling_psnr_min=float(np.min(pairs)),
        neutral_smiling_psnr_std=float(np.std(pairs)),
        cheek_difference_mean=float(np.mean(cheeks)),
        cheek_difference_max=float(np.max(cheeks)),
        highlight_share=float(shares[:, 0].mean()),
        saturated_share=float(shares[:, 1].mean()),
        lightness_min=min(lightness),
        lightness_max=max(lightness),
        landmark_error_mean=float(np.mean([p.landmark_error for p in portraits.values()])),
        seen_share_of_face=float(np.mean([(a.certain[face] > 0.7).mean() for a in albedos])),
    )


def _albedo(
    person: Person, skin: DelitSkin, gain: np.ndarray, portraits: dict[tuple[str, str], UnwrappedPortrait]
) -> Albedo:
    linear = np.exp(skin.log_albedo + gain.astype(np.float32)).astype(np.float32)
    identity = portraits[person.identifier, EXPRESSIONS[0]].identity
    # Above 0.9 there is no skin; a soft knee keeps the order of what is brighter.
    knee = np.where(linear > 0.8, 0.8 + 0.15 * (1 - np.exp(-(linear - 0.8) / 0.15)), linear)
    return Albedo(person, knee.astype(np.float32), skin.weight, identity)


def _write(out: Path, albedos: list[Albedo], report: SkinReport, gains: dict, masks: RegionMasks) -> None:
    folder = out / "albedo"
    folder.mkdir(parents=True, exist_ok=True)
    encoded = [np.round(255 * linear_to_srgb(np.clip(a.linear, 0, 1))).astype(np.uint8) for a in albedos]
    for albedo, image in zip(albedos, encoded, strict=True):
        cv2.imwrite(str(folder / f"{albedo.person.identifier.replace('/', '_')}.png"), image[..., ::-1])
    size = (CERTAIN_RESOLUTION, CERTAIN_RESOLUTION)
    pack = SkinPack(
        np.stack(encoded),
        np.stack([np.round(255 * cv2.resize(a.certain, size, interpolation=cv2.INTER_AREA)) for a in albedos]).astype(
            np.uint8
        ),
        np.stack([a.identity for a in albedos]),
        tuple(a.person.identifier for a in albedos),
        {"credits": CREDITS, "head_model": fit_key(), "report": report.as_dict(), "gains": gains},
    )
    bytes_written = save_pack(pack, out / "pack.npz")
    labels = []
    for albedo in albedos:
        lab = tone_lab(np.log(np.median(albedo.linear[masks.plain.numpy() > 0.5], axis=0)))
        labels.append(f"{albedo.person.identifier} L{lab[0]:.0f} a{lab[1]:.0f} b{lab[2]:.0f}")
    write_jpeg(out / "albedos.jpg", albedo_sheet(encoded, labels))
    (out / "report.json").write_text(json.dumps({**report.as_dict(), "pack_bytes": bytes_written}, indent=1) + "\n")
    _log.info("wrote %s (%.1f MB)", out / "pack.npz", bytes_written / 1e6)
