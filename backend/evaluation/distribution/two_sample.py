"""Whether two sets of samples are of one distribution: the maximum mean discrepancy with its permutation test.

Source: Gretton et al., "A kernel two-sample test", JMLR 2012, lemma 6 and section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Discrepancy:
    """Squared maximum mean discrepancy of samples from real ones.

    Args:
        value: about 0 for equal distributions (it may fall below), 2 for those that never meet.
        error: its standard error, by bootstrap.
        p: share of random divisions of all that are at least as far apart.
    """

    value: float
    error: float
    p: float


def discrepancy(
    real: np.ndarray,  # float [n, D], a feature vector a person
    samples: np.ndarray,  # float [m, D]
    rounds: int,
    rng: np.random.Generator,
    widths: Sequence[float] = (0.5, 1.0, 2.0, 4.0),
) -> Discrepancy:
    """How far samples are from real ones; features and kernel are scaled by the real ones alone, the same for all.

    Args:
        real, samples: features, at least two rows each.
        rounds: of the permutation test and of the bootstrap, which draws people and samples anew.
        widths: of the Gaussians whose mean is the kernel, in those of the usual distance of two real ones; several
            see what is near and what is far (Li, Swersky and Zemel, "Generative moment matching networks", 2015).
        rng: of both.

    Raises:
        ValueError: a set has fewer than two rows.
    """
    if min(len(real), len(samples)) < 2:
        raise ValueError("two samples of each are needed")
    centre, scale = real.mean(0), real.std(0)
    scale = np.maximum(scale, 0.1 * float(np.median(scale)) + 1e-9)
    both = (np.concatenate([real, samples]) - centre) / scale
    squares = np.square(both).sum(1)
    distances = np.maximum(squares[:, None] + squares - 2 * both @ both.T, 0)
    n, total = len(real), len(both)
    usual = float(np.median(distances[:n, :n][np.triu_indices(n, 1)]))
    kernel = np.mean([np.exp(-distances / (2 * width**2 * max(usual, 1e-12))) for width in widths], axis=0)
    weights = np.zeros((2, total))
    weights[0, :n], weights[1, n:] = 1, 1
    value = squared_discrepancy(kernel, *weights)
    permuted, drawn = np.empty(rounds), np.empty(rounds)
    for k in range(rounds):
        order = rng.permutation(total)
        permuted[k] = squared_discrepancy(kernel, weights[0, order], weights[1, order])
        people = rng.multinomial(n, np.full(n, 1 / n))
        others = rng.multinomial(total - n, np.full(total - n, 1 / (total - n)))
        drawn[k] = squared_discrepancy(kernel, np.r_[people, 0 * others], np.r_[0 * people, others])
    return Discrepancy(value, float(drawn.std(ddof=1)), float((1 + (permuted >= value).sum()) / (1 + rounds)))


def squared_discrepancy(
    kernel: np.ndarray,  # float [N, N], symmetric
    first: np.ndarray,  # float [N], how often each counts in the first set, 0 = not in it
    second: np.ndarray,  # float [N]
) -> float:
    """The estimate without bias; pairs of one thing with itself count nowhere but between the sets."""
    within = kernel - np.diag(np.diag(kernel))
    same = [w @ within @ w / max(w.sum() ** 2 - np.square(w).sum(), 1e-12) for w in (first, second)]
    return float(sum(same) - 2 * (first @ kernel @ second) / (first.sum() * second.sum()))
