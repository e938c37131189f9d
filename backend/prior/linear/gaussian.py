"""A Gaussian with few factors, x = mu + W z + eps, and what is known of x once a part of it was seen.

With z ~ N(0, I) and independent noise eps ~ N(0, psi), the joint Gaussian over all maps is N(mu, W W' + psi). Given
some entries y of x, z is Gaussian again (Tipping and Bishop, "Probabilistic principal component analysis", 1999,
section 3, there with one noise variance for all entries), so the conditional mean mu + W E[z|y] and covariance
W cov[z|y] W' + psi of everything else are closed form and cost one small linear system. What a camera adds that is not
of the subject, such as exposure, is a nuisance: a few more columns that explain y and are of no use for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.imaging.arrays import Array, like, namespace, to_host, widened
from backend.prior.parameters import ConditioningSettings


@dataclass(frozen=True)
class GaussianObservation:
    """Seen entries of x: values - mean = factors z + nuisance a + noise.

    Args:
        values: float [n], seen.
        mean: float [n], mu at these entries.
        factors: float [n, K], W at these entries.
        noise: float [n], variance of the noise.
        weight: float [n] in [0, 1], how much each entry counts; 0 is unseen.
        nuisance: float [n, Q], columns of what is not of the subject; Q may be 0.
        nuisance_variance: float [Q], prior variance of the nuisance's coefficients a.
        robust: whether outliers count less (iterated reweighting, Student's t).
    """

    values: Array
    mean: Array
    factors: Array
    noise: Array
    weight: Array
    nuisance: Array
    nuisance_variance: np.ndarray
    robust: bool = True


@dataclass(frozen=True)
class CommonScale:
    """Latents that may all be larger than usual together: a multivariate Student's t instead of a Gaussian.

    Its scale is found as in Lange, Little and Taylor, "Robust statistical modeling using the t distribution", 1989,
    with the posterior's uncertainty added to the size of its mean.

    Args:
        latents: bool [K], which.
        degrees: of freedom; the fewer, the sooner what was seen overrules what is usual.
        most: of their variance at most, in units of the usual one.
    """

    latents: np.ndarray
    degrees: float
    most: float

    def variance(self, mean: np.ndarray, covariance: np.ndarray) -> float:
        """The common variance that is expected given a posterior of z, mean [K] and covariance [K, K]."""
        size = float(np.square(mean[self.latents]).sum() + np.diag(covariance)[self.latents].sum())
        return min((self.degrees + size) / (self.degrees + int(self.latents.sum())), self.most)


@dataclass(frozen=True)
class Posterior:
    """What is known of z.

    Args:
        mean: float64 [K].
        covariance: float64 [K, K].
        nuisance: for each observation its coefficients float64 [Q].
        trust: for each observation float [n], what reweighting left of each entry's weight, relative to it.
    """

    mean: np.ndarray
    covariance: np.ndarray
    nuisance: tuple[np.ndarray, ...]
    trust: tuple[Array, ...]

    def predict(self, mean: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Conditional mean of entries of x with the given mean [...] and factors [..., K]."""
        return mean + factors @ self.mean

    def variance(self, factors: np.ndarray, noise: np.ndarray | float) -> np.ndarray:
        """Conditional variance of entries with the given factors [..., K] and noise: diag(W cov W') + psi."""
        return np.einsum("...k,kl,...l->...", factors, self.covariance, factors) + noise

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One z float64 [K] at random."""
        # Eigenvectors, since rounding may leave a covariance that no triangle has for its square.
        values, vectors = np.linalg.eigh(self.covariance)
        return self.mean + vectors @ (np.sqrt(np.maximum(values, 0)) * rng.standard_normal(len(values)))


def condition(
    observations: Sequence[GaussianObservation],
    latents: int,
    scale: CommonScale | None = None,
    settings: ConditioningSettings = ConditioningSettings(),
) -> Posterior:
    """The posterior of z ~ N(0, I) [latents] given all observations, whose noises are independent.

    With a `scale`, the variance of some latents is found with them, by expectation-maximisation.

    Raises:
        ValueError: factors do not fit `latents`.
    """
    if any(o.factors.shape[1] != latents for o in observations):
        raise ValueError(f"observations need factors for {latents} latents")
    sizes = [o.nuisance.shape[1] for o in observations]
    starts = latents + np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    trust = [like(np.ones(len(o.values)), o.values) for o in observations]
    designs = [widened(namespace(o.factors).concat([o.factors, o.nuisance], axis=1)) for o in observations]
    rounds = settings.rounds if any(o.robust for o in observations) else 1
    rounds = settings.scale_rounds if scale else rounds
    certainty = np.ones(latents)
    solution, covariance = np.zeros(starts[-1]), np.eye(starts[-1])
    for _ in range(rounds):
        precision, right = np.zeros((starts[-1], starts[-1])), np.zeros(starts[-1])
        precision[np.arange(latents), np.arange(latents)] = certainty
        for index, seen in enumerate(observations):
            own = slice(starts[index], starts[index + 1])
            columns = np.r_[0:latents, own]
            scaled = designs[index] * (seen.weight * trust[index] / seen.noise)[:, None]
            precision[np.ix_(columns, columns)] += to_host(scaled.T @ designs[index])
            right[columns] += to_host(scaled.T @ (seen.values - seen.mean))
            precision[np.arange(own.start, own.stop), np.arange(own.start, own.stop)] += 1 / seen.nuisance_variance
        covariance = np.linalg.inv(precision)
        solution = covariance @ right
        for index, seen in enumerate(observations):
            if seen.robust:
                own = slice(starts[index], starts[index + 1])
                of_latents, of_nuisance = like(solution[:latents], seen.factors), like(solution[own], seen.factors)
                explained = seen.factors @ of_latents + seen.nuisance @ of_nuisance
                trust[index] = _student_trust(seen.values - seen.mean - explained, seen.noise, settings)
        if scale:
            variance = scale.variance(solution[:latents], covariance[:latents, :latents])
            certainty = np.where(scale.latents, 1 / variance, 1.0)
    return Posterior(
        solution[:latents],
        covariance[:latents, :latents],
        tuple(solution[starts[i] : starts[i + 1]] for i in range(len(observations))),
        tuple(trust),
    )


def _student_trust(residual: Array, noise: Array, settings: ConditioningSettings) -> Array:
    """Weights [n] of iterated reweighting for Student's t noise (Lange, Little and Taylor 1989, eq. 3)."""
    squared = namespace(residual).square(residual)
    return (settings.student_degrees + 1) / (settings.student_degrees + squared / noise)


def tempered(observation: GaussianObservation, effective: float) -> GaussianObservation:
    """The observation with weights scaled down so that they sum to at most `effective`.

    Neighbouring texels err together: thousands of them are worth far fewer independent ones.
    """
    total = float(observation.weight.sum())
    if total <= effective:
        return observation
    return replace(observation, weight=observation.weight * (effective / total))
