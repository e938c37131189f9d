"""A robust Gaussian mixture of one person's skin colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.photo.skin.parameters import ColourModelSettings


@dataclass(frozen=True)
class ColourModel:
    """Gaussian mixture over D features.

    Args:
        weights: float64 [K], summing to 1.
        means: float64 [K, D].
        covariances: float64 [K, D, D].
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def distance(self, values: np.ndarray) -> np.ndarray:
        """Squared Mahalanobis distance of values [..., D] to the nearest component: [...]."""
        return np.min([_mahalanobis(values, m, c) for m, c in zip(self.means, self.covariances, strict=True)], axis=0)


def fit_colour_model(samples: np.ndarray, settings: ColourModelSettings = ColourModelSettings()) -> ColourModel:
    """Expectation maximisation that leaves out the tenth of the samples [N, 3] that fits worst each time.

    Args:
        samples: features of what is mostly skin; all the same where N is 0.
    """
    samples = np.asarray(samples, np.float64).reshape(-1, samples.shape[-1])
    if len(samples) < 10 * settings.components:
        centre = np.median(samples, axis=0) if len(samples) else np.zeros(samples.shape[-1])
        return ColourModel(np.ones(1), centre[None], np.diag((2 * np.array(settings.least_sigma)) ** 2)[None])
    samples = samples[:: max(len(samples) // settings.samples, 1)]
    floor = np.diag(np.array(settings.least_sigma) ** 2)
    # Start from thirds by luminance: lit, middle and shaded skin.
    order = np.argsort(samples[:, 0])
    share = np.zeros((len(samples), settings.components))
    for k, part in enumerate(np.array_split(order, settings.components)):
        share[part, k] = 1
    kept = np.ones(len(samples), bool)
    for _ in range(settings.rounds):
        used = share * kept[:, None]
        mass = np.maximum(used.sum(axis=0), 1e-9)
        means = used.T @ samples / mass[:, None]
        covariances = np.stack([_covariance(samples, used[:, k], means[k]) + floor for k in range(settings.components)])
        log_density = np.stack(
            [
                np.log(mass[k] / mass.sum())
                - 0.5 * (_mahalanobis(samples, means[k], covariances[k]) + np.linalg.slogdet(covariances[k])[1])
                for k in range(settings.components)
            ],
            axis=1,
        )
        best = log_density.max(axis=1, keepdims=True)
        share = np.exp(log_density - best)
        likelihood = best[:, 0] + np.log(share.sum(axis=1))
        share /= share.sum(axis=1, keepdims=True)
        kept = likelihood >= np.quantile(likelihood, 1 - settings.kept)
    return ColourModel(mass / mass.sum(), means, covariances)


def _covariance(samples: np.ndarray, weights: np.ndarray, mean: np.ndarray) -> np.ndarray:
    centred = samples - mean
    return (centred * weights[:, None]).T @ centred / max(float(weights.sum()), 1e-9)


def _mahalanobis(values: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    whitened = (values - mean) @ np.linalg.inv(np.linalg.cholesky(covariance)).T
    return np.einsum("...d,...d->...", whitened, whitened)
