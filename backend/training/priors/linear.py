"""Fits the linear prior (`backend.prior.linear.factor_model`) to a stream of maps: means, factors, noise, albedo PCA.

Every sample counts twice, as it is and mirrored. Cosines with odd columns then have no mean and no covariance with the
even ones, so symmetric and antisymmetric factors are found apart, each from half the numbers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.prior.channels import LINEAR
from backend.prior.linear import cosine
from backend.prior.linear.factor_model import (
    NOISE_SIDE,
    NORMAL_X,
    SCALES,
    AlbedoPca,
    CoarsePrior,
)
from backend.texture.maps import SkinMaps
from backend.training.priors.parameters import LinearTraining

_log = logging.getLogger(__name__)
SIDE = 2 * cosine.ORDER


@dataclass(frozen=True)
class Cosines:
    """Samples as cosines, scaled by `SCALES`.

    Args:
        even, odd: float32 [n, 9, n0] and [n, 9, n1]; of the normal's x the two are swapped, so that `even` is what a
            symmetric face has and `odd` what an antisymmetric one has.
        albedo_even, albedo_odd: float32 [n, 3, n0] and [n, 3, n1], linear diffuse albedo.
        residual: float64 [9, 32, 32], mean variance of what the cosines leave.
    """

    even: np.ndarray
    odd: np.ndarray
    albedo_even: np.ndarray
    albedo_odd: np.ndarray
    residual: np.ndarray


def stacked(maps: SkinMaps, settings: LinearTraining = LinearTraining()) -> np.ndarray:
    """The nine channels of `backend.prior.linear.factor_model`, unscaled, float32 [9, S, S]."""
    channels = np.empty((LINEAR.total, maps.resolution, maps.resolution), np.float32)
    for place, encoded in ((LINEAR.texture, maps.texture_srgb), (LINEAR.diffuse, maps.diffuse_albedo_srgb)):
        channels[place] = np.moveaxis(np.log(np.maximum(srgb_to_linear(encoded), settings.darkest)), -1, 0)
    channels[LINEAR.specular] = maps.specular_albedo
    channels[LINEAR.normal] = np.moveaxis(maps.normal[..., :2], -1, 0)
    return channels


def as_cosines(samples: Iterable[SkinMaps], count: int, settings: LinearTraining = LinearTraining()) -> Cosines:
    """Cosines of the first `count` samples, each at least 128 x 128 texels and continued beyond the island.

    Raises:
        ValueError: the stream ends early, or gives nothing.
    """
    sizes = cosine.count(0), cosine.count(1)
    even = np.zeros((count, LINEAR.total, sizes[0]), np.float32)
    odd = np.zeros((count, LINEAR.total, sizes[0]), np.float32)
    albedo_even = np.empty((count, 3, sizes[0]), np.float32)
    albedo_odd = np.empty((count, 3, sizes[1]), np.float32)
    residual = np.zeros((LINEAR.total, NOISE_SIDE, NOISE_SIDE))
    done = 0
    for maps in samples:
        channels = stacked(maps, settings) * SCALES[:, None, None]
        symmetric, antisymmetric = cosine.analyse(channels)
        residual += _rest(channels, symmetric, antisymmetric) / count
        even[done, :, : sizes[0]], odd[done, :, : sizes[1]] = symmetric, antisymmetric
        # A face that equals its mirror image has normals whose x is odd.
        even[done, NORMAL_X], odd[done, NORMAL_X] = 0, 0
        even[done, NORMAL_X, : sizes[1]] = antisymmetric[NORMAL_X]
        odd[done, NORMAL_X, : sizes[0]] = symmetric[NORMAL_X]
        albedo_even[done], albedo_odd[done] = cosine.analyse(np.exp(channels[LINEAR.diffuse]))
        done += 1
        if done % 200 == 0:
            _log.info("%d of %d samples", done, count)
        if done == count:
            return Cosines(even, odd, albedo_even, albedo_odd, residual)
    raise ValueError(f"the stream gave {done} samples, not {count}")


def _rest(channels: np.ndarray, even: np.ndarray, odd: np.ndarray) -> np.ndarray:
    """Mean square [9, 32, 32] of what the cosines do not hold."""
    side = channels.shape[-1]
    rebuilt = cosine.synthesise(even, 0, side) + cosine.synthesise(odd, 1, side)
    return _small(np.square(channels - rebuilt))


def _small(maps: np.ndarray) -> np.ndarray:
    return np.stack([cv2.resize(m, (NOISE_SIDE, NOISE_SIDE), interpolation=cv2.INTER_AREA) for m in maps])


def fit_prior(
    cosines: Cosines,
    layout: str,
    metadata: dict,
    seed: int,
    factors: int = LinearTraining().factors,
    settings: LinearTraining = LinearTraining(),
) -> CoarsePrior:
    """The prior of the samples (Tipping and Bishop 1999, section 3.2, with the noise taken per channel and place).

    Args:
        cosines: the samples.
        layout: see `coarse_model.layout_of`.
        metadata: how the samples were made.
        seed: of the randomised decomposition.
        factors: K, shared between both parities by their variance.
    """
    count = len(cosines.even)
    mean = cosines.even.mean(0)
    centred = cosines.even - mean
    parity, found = _principal(centred, cosines.odd, factors, seed, settings)
    rest = _unexplained(centred, cosines.odd, parity, found, cosines.residual)
    shares = np.square(found).sum(axis=(1, 2))
    _log.info("%d factors, %d of them symmetric, from %d samples", factors, int((parity == 0).sum()), count)
    wanted = min(settings.albedo_components, count)
    albedo = albedo_pca(cosines.albedo_even, cosines.albedo_odd, wanted, seed, settings)
    noise = np.maximum(rest / np.square(SCALES)[:, None, None], 1e-6).astype(np.float32)
    described = {**metadata, "samples": count, "variance_of_factors": [round(float(s), 5) for s in shares]}
    return with_specular_apart(CoarsePrior(mean, parity, found, noise, albedo, layout, described))


def with_specular_apart(prior: CoarsePrior) -> CoarsePrior:
    """The prior with a specular albedo that depends on no other map: its conditional mean is its mean.

    How oily a skin is hardly shows in a texture under unknown light. On 47 quadruples held back from the training, what
    the joint Gaussian predicted of the specular albedo's deviation from its mean was worse than nothing (R^2 -0.06 from
    the texture, -0.08 from texture and albedo), and the best factor for it no more than 0. What the factors explained
    becomes noise, so the standard deviations stay.
    """
    explained = np.zeros((NOISE_SIDE, NOISE_SIDE), np.float32)
    for latent in range(prior.latents):
        one = np.zeros(prior.latents, np.float32)
        one[latent] = 1.0
        moved = prior.maps_of(one, cosine.ORDER, LINEAR.specular) - prior.mean_maps(cosine.ORDER, LINEAR.specular)
        explained += cv2.resize(np.square(moved[..., 0]), (NOISE_SIDE, NOISE_SIDE), interpolation=cv2.INTER_AREA)
    factors, noise = prior.factors.copy(), prior.noise.copy()
    factors[:, LINEAR.specular], noise[LINEAR.specular.start] = 0, noise[LINEAR.specular.start] + explained
    return replace(prior, factors=factors, noise=noise)


def albedo_pca(
    albedo_even: np.ndarray,
    albedo_odd: np.ndarray,
    components: int,
    seed: int,
    settings: LinearTraining = LinearTraining(),
) -> AlbedoPca:
    """PCA of each channel of the linear albedo on its own, in order of variance.

    Args:
        albedo_even, albedo_odd: float32 [n, 3, n0] and [n, 3, n1], see `Cosines`.
        components: of each channel.
        seed: of the randomised decomposition.
        settings: of the decomposition.
    """
    mean = albedo_even.mean(0)
    parities, all_components = [], []
    for channel in range(3):
        even = (albedo_even[:, channel] - mean[channel])[:, None]
        odd = np.zeros_like(even)
        odd[..., : albedo_odd.shape[-1]] = albedo_odd[:, channel, None]
        parity, found = _principal(even, odd, components, seed + channel, settings)
        parities.append(parity)
        all_components.append(found[:, 0])
    return AlbedoPca(mean, np.stack(parities), np.stack(all_components))


def _principal(
    even: np.ndarray, odd: np.ndarray, factors: int, seed: int, settings: LinearTraining
) -> tuple[np.ndarray, np.ndarray]:
    """The strongest principal directions of both halves [n, C, m], in order of variance, scaled by their deviation:
    parity uint8 [K] and factors float32 [K, C, m]."""
    shape = even.shape[1:]
    candidates = [
        (p, *_principal_half(x.reshape(len(x), -1), factors, seed, settings)) for p, x in enumerate((even, odd))
    ]
    deviations = np.concatenate([d for _, d, _ in candidates])
    parity = np.concatenate([np.full(len(d), p, np.uint8) for p, d, _ in candidates])
    directions = np.concatenate([v for _, _, v in candidates])
    order = np.argsort(-deviations, kind="stable")[:factors]
    return parity[order], (directions[order] * deviations[order, None]).reshape(-1, *shape).astype(np.float32)


def _principal_half(
    samples: np.ndarray, factors: int, seed: int, settings: LinearTraining
) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations [k] and unit directions [k, D] of centred samples [n, D], by a randomised range finder.

    Source: Halko, Martinsson and Tropp, "Finding structure with randomness", 2011, algorithms 4.4 and 5.1.
    """
    wanted = min(factors, min(samples.shape))
    width = min(wanted + settings.oversampling, min(samples.shape))
    rng = np.random.default_rng(seed)
    sketch = np.linalg.qr(samples @ rng.standard_normal((samples.shape[1], width)).astype(np.float32))[0]
    for _ in range(settings.power_iterations):
        across = np.linalg.qr(samples.T @ sketch)[0]
        sketch = np.linalg.qr(samples @ across)[0]
    _, singular, directions = np.linalg.svd(sketch.T @ samples, full_matrices=False)
    # The sign of a direction is arbitrary; fixed, so that files are the same on every machine.
    largest = directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)]
    directions = directions * np.sign(largest)[:, None]
    return singular[:wanted] / np.sqrt(len(samples)), directions[:wanted]


def _unexplained(
    even: np.ndarray, odd: np.ndarray, parity: np.ndarray, factors: np.ndarray, residual: np.ndarray, most: int = 300
) -> np.ndarray:
    """Mean square float64 [9, 32, 32] of what mean and factors leave of up to `most` samples, scaled."""
    step = max(1, len(even) // most)
    total = np.zeros((LINEAR.total, NOISE_SIDE, NOISE_SIDE))
    halves = []
    for p, samples in enumerate((even[::step], odd[::step])):
        own = factors[parity == p].reshape(int((parity == p).sum()), -1)
        flat = samples.reshape(len(samples), -1)
        unit = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
        halves.append((flat - (flat @ unit.T) @ unit).reshape(samples.shape))
    sizes = cosine.count(0), cosine.count(1)
    for symmetric, antisymmetric in zip(*halves, strict=True):
        maps = np.empty((LINEAR.total, cosine.ORDER, cosine.ORDER), np.float32)
        for channel in range(LINEAR.total):
            swap = int(channel == NORMAL_X)
            maps[channel] = cosine.synthesise(symmetric[channel, : sizes[swap]], swap, cosine.ORDER)
            maps[channel] += cosine.synthesise(antisymmetric[channel, : sizes[1 - swap]], 1 - swap, cosine.ORDER)
        total += _small(np.square(maps)) / len(halves[0])
    return total + residual


def draw(prior: CoarsePrior, latent: np.ndarray, side: int = SIDE) -> SkinMaps:
    """The skin mu + W z of a latent z [K], to look at."""
    maps = prior.maps_of(latent, side)
    tangent = np.clip(maps[..., LINEAR.normal], -0.7, 0.7)
    up = np.sqrt(1 - np.square(tangent).sum(-1, keepdims=True))
    return SkinMaps(
        linear_to_srgb(np.clip(np.exp(maps[..., LINEAR.texture]), 0, 1)).astype(np.float32),
        linear_to_srgb(np.clip(np.exp(maps[..., LINEAR.diffuse]), 0, 1)).astype(np.float32),
        np.clip(maps[..., LINEAR.specular.start], 0, 1),
        np.concatenate([tangent, up], axis=-1),
        np.ones((side, side), np.float32),
    )
