"""How strong skin's detail is, by part of the face and octave: measured on one person, and over people.

The statistics of people are a joint Gaussian over the logarithms of all contrasts and the age, so that what a photo
shows (coarse octaves, some parts of the face) says what to expect of the rest. No photograph is stored.
Built by `python -m backend.training detail-statistics`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from backend.asset_files import ASSETS, verified
from backend.detail.parameters import ContrastSettings
from backend.detail.regions import SKIN_PARTS
from backend.imaging.arrays import Array, median, namespace
from backend.imaging.filters import MAD_TO_STD
from backend.imaging.octaves import COARSEST_OCTAVE, OCTAVES, reduce_to

ASSET = ASSETS / "detail_statistics.npz"


@dataclass(frozen=True)
class SkinStatistics:
    """Contrasts of people's skin.

    Args:
        finest: the finest octave that was measured; octaves `finest` to `COARSEST_OCTAVE` are held.
        mean: float64 [parts * octaves + 1], mean log contrast (standard deviation of the log luminance) by part and
            octave, then the mean age in years.
        covariance: float64 [n, n] of the same.
        metadata: where it comes from.
    """

    finest: int
    mean: np.ndarray
    covariance: np.ndarray
    metadata: dict

    @property
    def octaves(self) -> range:
        return range(self.finest, COARSEST_OCTAVE + 1)

    def expected(
        self, observed: np.ndarray, age: float | None = None, settings: ContrastSettings = ContrastSettings()
    ) -> np.ndarray:
        """Contrasts to expect of a person.

        Args:
            observed: float64 [parts, OCTAVES], measured contrasts, NaN where nothing was seen.
            age: in years, where it is known.
            settings: spreads of what is observed, and slopes.

        Returns:
            Contrasts float64 [parts, OCTAVES]; octaves finer than the statistics follow the power law of the others,
            unless they were observed.
        """
        held = np.array(self.octaves)
        values = np.append(np.log(np.maximum(observed[:, held], 1e-5)).ravel(), np.nan if age is None else age)
        noise = np.append(np.full(values.size - 1, settings.measured_spread**2), settings.age_spread**2)
        known = ~np.isnan(values)
        mean = self.mean
        if known.any():
            block = self.covariance[np.ix_(known, known)] + np.diag(noise[known])
            mean = mean + self.covariance[:, known] @ np.linalg.solve(block, values[known] - mean[known])
        log_contrast = np.empty((len(SKIN_PARTS), OCTAVES))
        log_contrast[:, held] = mean[:-1].reshape(len(SKIN_PARTS), -1)
        for octave in range(self.finest - 1, -1, -1):
            slope = np.clip((log_contrast[:, octave + 1] - log_contrast[:, octave + 3]) / 2, *settings.slopes)
            log_contrast[:, octave] = log_contrast[:, octave + 1] + slope
            seen = ~np.isnan(observed[:, octave])
            if seen.any():
                # What one part shows beyond expectation holds for the others as well.
                surplus = np.log(np.maximum(observed[seen, octave], 1e-5)) - log_contrast[seen, octave]
                log_contrast[:, octave] += np.median(surplus)
                log_contrast[seen, octave] += surplus - np.median(surplus)
        return np.exp(log_contrast)

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            finest=np.int64(self.finest),
            mean=self.mean,
            covariance=self.covariance.astype(np.float32),
            metadata=np.array(json.dumps(self.metadata)),
        )


@lru_cache(maxsize=1)
def load_statistics(path: Path = ASSET) -> SkinStatistics:
    """The statistics that ship."""
    with np.load(verified(path), allow_pickle=False) as data:
        return SkinStatistics(
            int(data["finest"]),
            data["mean"].astype(np.float64),
            data["covariance"].astype(np.float64),
            json.loads(str(data["metadata"])),
        )


def fit_statistics(observed: np.ndarray, ages: np.ndarray, finest: int, metadata: dict) -> SkinStatistics:
    """Statistics of many people.

    Args:
        observed: float64 [people, parts, OCTAVES], contrasts, NaN where nothing was seen.
        ages: float64 [people], NaN where unknown.
        finest: the finest octave to hold.
        metadata: see `SkinStatistics`.
    """
    held = np.log(np.maximum(observed[:, :, finest:], 1e-5))
    # What no photo shows (necks, ears) is taken to be like cheeks.
    never = np.isnan(held).all(axis=0)
    cheeks = np.broadcast_to(held[:, [SKIN_PARTS.index("cheeks")]], held.shape)
    held = np.where(never, cheeks, held).reshape(len(observed), -1)
    values = np.concatenate([held, ages[:, None]], axis=1)
    mean = np.nanmean(values, axis=0)
    # Few gaps, few people: gaps count as average, and correlations are drawn towards none (Ledoit and Wolf 2004).
    centred = np.where(np.isnan(values), 0.0, values - mean)
    covariance = centred.T @ centred / max(len(values) - 1, 1)
    shrinkage = 0.1
    covariance = (1 - shrinkage) * covariance + shrinkage * np.diag(np.diag(covariance)) + 1e-6 * np.eye(len(mean))
    return SkinStatistics(finest, mean, covariance, metadata)


def measured_contrast(
    bands: dict[int, Array],  # by octave, float32 [R / 2^k, R / 2^k], of the log luminance
    parts: Array,  # float32 [parts, S, S], see `part_weights`
    seen: dict[int, Array],  # by octave, float32 [T, T] in [0, 1], where the photo shows it
    settings: ContrastSettings = ContrastSettings(),
) -> np.ndarray:
    """Robust standard deviation of log luminance float64 [parts, OCTAVES]; NaN where too little was seen."""
    xp, result = namespace(parts), np.full((len(SKIN_PARTS), OCTAVES), np.nan)
    for octave, full in bands.items():
        step = max(1, full.shape[0] // settings.side)  # a median needs no more
        band = full[::step, ::step]
        weight = xp.stack([reduce_to(p, band.shape[0]) for p in parts]) * reduce_to(seen[octave], band.shape[0])
        for number, part in enumerate(weight):
            values = band[part > 0.6]
            if len(values) >= settings.fewest_texels:
                result[number, octave] = MAD_TO_STD * np.float32(median(xp.abs(values)))
    return result
