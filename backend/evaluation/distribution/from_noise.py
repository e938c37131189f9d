"""Samples from noise against real maps: blotches, two-sample distance, light, novelty, and the looks of photographs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from torch import Tensor

from backend.evaluation.distribution.latent_features import blocks_known, features, images_of, without_tone
from backend.evaluation.distribution.scores import nearest_ratio
from backend.evaluation.distribution.skin_statistics import (
    MAP_NAMES,
    Ground,
    band_energies,
    energy_index,
    ground,
    light_share,
    photo_figures,
    skin_differences,
    small_log,
)
from backend.evaluation.distribution.two_sample import Discrepancy, discrepancy
from backend.evaluation.parameters import DrawSettings, SkinStatisticsSettings
from backend.evaluation.tables import Row
from backend.prior.diffusion.autoencoder import MapAutoencoder
from backend.prior.diffusion.weights import MAPS
from backend.texture.maps import SkinMaps
from backend.texture.regions import FaceRegions

log = logging.getLogger(__name__)
CONDITION, REAL = "from noise", "real maps"


@dataclass(frozen=True)
class Reality:
    """What samples are compared with.

    Args:
        people: real maps by name; `visibility` says where they are known.
        photos: textures of further photographs, [R, R, 3] with their visibility [R, R]: only T is compared with them.
        training: log colours of the training's albedos [N, h, h, 3], see `small_log`; None leaves novelty out.
        encoders: auto-encoders whose latents are compared, by map.
        regions: of the texels.
        normals: of the mean head, [R, R, 3].
    """

    people: Mapping[str, SkinMaps]
    photos: Sequence[tuple[np.ndarray, np.ndarray]]
    training: np.ndarray | None
    encoders: Mapping[str, MapAutoencoder]
    regions: FaceRegions
    normals: np.ndarray


@dataclass(frozen=True)
class Seen:
    """What is counted on one set of maps, real or drawn.

    Args:
        energies: by map, of the band of blotches and of what is finer, one of each skin.
        photographic: by figure, one of each texture.
        light: share of log T - log A_d that a light explains, of each skin.
        joint: features of all maps [n, D].
        joint_toneless: the same without each map's mean.
        texture: features of T alone [m, D], further photographs included.
        small: log albedos and where they are known, to tell whose they are.
    """

    energies: dict[str, list[tuple[float, float]]]
    photographic: list[dict[str, float]]
    light: list[float]
    joint: np.ndarray
    joint_toneless: np.ndarray
    texture: np.ndarray
    small: list[tuple[np.ndarray, np.ndarray]]


class Yardstick:
    """Real maps, measured once, and what they say of samples."""

    def __init__(
        self,
        reality: Reality,
        settings: DrawSettings = DrawSettings(),
        statistics: SkinStatisticsSettings = SkinStatisticsSettings(),
    ) -> None:
        self.reality, self.settings, self.statistics = reality, settings, statistics
        people = list(reality.people.values())
        self._seen_by = [p.visibility for p in people] + [visibility for _, visibility in reality.photos]
        self._blocks = blocks_known(self._seen_by, settings)
        self.real = self._look(people, [*((p.texture_srgb, p.visibility) for p in people), *reality.photos])

    def rows(self, name: str, samples: Sequence[SkinMaps]) -> list[Row]:
        """The row of a contender whose samples from noise these are."""
        places = self._seen_by
        textures = [(maps.texture_srgb, places[k % len(places)]) for k, maps in enumerate(samples)]
        drawn = self._look(samples, textures)
        values: dict[str, float] = {}
        for band, label in enumerate(("blotch", "fine")):
            for m in MAP_NAMES:
                real = [energies[band] for energies in self.real.energies[m]]
                values[f"{label} {m}"] = energy_index([energies[band] for energies in drawn.energies[m]], real)
        for label, ours, theirs in (
            ("distance", drawn.joint, self.real.joint),
            ("distance, equal tone", drawn.joint_toneless, self.real.joint_toneless),
            ("distance of T", drawn.texture, self.real.texture),
        ):
            found = self._discrepancy(theirs, ours)
            values |= {label: found.value, f"{label}, error": found.error, f"{label}, p": found.p}
        values |= {"light": float(np.mean(drawn.light)), "novelty": self._novelty(drawn, None)}
        return [Row(name, CONDITION, f"{len(samples)} samples", {**values, **_usual(drawn.photographic)})]

    def real_row(self) -> Row:
        """The same of the real maps, where it has a meaning; novelty is that of each person against the others."""
        values = {f"{label} {m}": 1.0 for label in ("blotch", "fine") for m in MAP_NAMES}
        values |= {"light": float(np.mean(self.real.light)), "novelty": self._novelty(self.real, 1)}
        people, photos = len(self.reality.people), len(self.reality.photos)
        label = f"{people} people, {photos} further photos"
        return Row(REAL, CONDITION, label, {**values, **_usual(self.real.photographic)})

    def _look(self, skins: Sequence[SkinMaps], textures: Sequence[tuple[np.ndarray, np.ndarray]]) -> Seen:
        """Measure skins, each where one of the real people is known, and textures where they are said to be known."""
        regions, side = self.reality.regions, self.statistics.novelty_side
        energies: dict[str, list[tuple[float, float]]] = {name: [] for name in MAP_NAMES}
        photographic, light, joint, toneless, texture, small = [], [], [], [], [], []
        for number, maps in enumerate(skins):
            where = ground(self._seen_by[number % len(self.reality.people)], regions, self.statistics)
            for name, both in band_energies(maps, where, self.statistics).items():
                energies[name].append(both)
            light.append(light_share(maps.texture_srgb, maps.diffuse_albedo_srgb, self.reality.normals, where))
            joint.append(self._features(images_of(maps), where))
            toneless.append(self._features(without_tone(images_of(maps), where.seen > 0), where))
            known = cv2.resize(where.seen, (side, side), interpolation=cv2.INTER_AREA) > 0.99
            small.append((small_log(maps.diffuse_albedo_srgb, side), known))
        for image, visibility in textures:
            where = ground(visibility, regions, self.statistics)
            photographic.append(photo_figures(image, where, self.statistics))
            texture.append(self._features({MAPS[0]: 2 * image - 1}, where))
        return Seen(energies, photographic, light, np.stack(joint), np.stack(toneless), np.stack(texture), small)

    def _features(self, images: Mapping[str, np.ndarray], where: Ground) -> np.ndarray:
        known = where.seen > 0
        blocks: Tensor = self._blocks
        encoders = self.reality.encoders
        return np.concatenate(
            [features(image, known, encoders[name], blocks, self.settings) for name, image in images.items()]
        )

    def _discrepancy(self, real: np.ndarray, samples: np.ndarray) -> Discrepancy:
        return discrepancy(real, samples, self.settings.rounds, np.random.default_rng(0))

    def _novelty(self, seen: Seen, own: int | None) -> float:
        """Mean of `nearest_ratio`; `own`: the skins are the real people themselves, each of whom is left out."""
        training = self.reality.training
        others = np.stack([log_albedo for log_albedo, _ in self.real.small])
        if training is None or len(others) < 2 + (own is not None):
            return float("nan")
        ratios = []
        for number, (skin, known) in enumerate(seen.small):
            rest = others if own is None else np.delete(others, number, axis=0)
            ratios.append(nearest_ratio(skin_differences(skin, training, known), skin_differences(skin, rest, known)))
        return float(np.mean(ratios))


def _usual(photographic: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means of the photographic figures, and the share of pictures whose brows are lighter than the skin."""
    means = {}
    for name in photographic[0]:
        known = [figures[name] for figures in photographic if not np.isnan(figures[name])]
        means[name] = float(np.mean(known)) if known else float("nan")
    return {**means, "light brows": float(np.mean([figures["brows"] > 0 for figures in photographic]))}
