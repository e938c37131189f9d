"""Scores of several completions of one thing, and of how near a sample is to what was trained on."""

from __future__ import annotations

import math

import numpy as np


def energy_score(
    draws: np.ndarray,  # float [K, ...]
    truth: np.ndarray,  # float [...]
) -> float:
    """How well a truth fits the distribution that K draws are from; less is better, in root mean squares of a value.

    E|x - y| - E|x - x'| / 2, without bias. It is proper: of all distributions the true one has the least expectation,
    so that it rewards being near the truth and being as varied as the truth is. One draw alone is taken for all there
    is: then it is its distance. Source: Gneiting and Raftery, "Strictly proper scoring rules, prediction, and
    estimation", 2007, section 4.3.
    """
    flat = np.asarray(draws, np.float64).reshape(len(draws), -1)
    size = math.sqrt(flat.shape[1])
    off = np.linalg.norm(flat - np.asarray(truth, np.float64).reshape(1, -1), axis=1).mean() / size
    if len(flat) == 1:
        return float(off)
    return float(off - mean_distance(flat) / 2)


def mean_distance(draws: np.ndarray) -> float:
    """Mean root mean square difference between two of the draws [K, ...]; 0 of one."""
    flat = np.asarray(draws, np.float64).reshape(len(draws), -1)
    size = math.sqrt(flat.shape[1])
    pairs = [np.linalg.norm(flat[j] - flat[k]) / size for k in range(len(flat)) for j in range(k)]
    return float(np.mean(pairs)) if pairs else 0.0


def expected_nearest(distances: np.ndarray, count: int) -> float:
    """The least of `count` of the distances [n], chosen at random without replacement, on average.

    Among many there is a near one sooner than among few, so sets of two sizes are compared at the size of the smaller.

    Raises:
        ValueError: there are fewer distances, or none are asked for.
    """
    ordered = np.sort(np.asarray(distances, np.float64))
    if not 1 <= count <= len(ordered):
        raise ValueError(f"{count} of {len(ordered)} distances")
    ways = [math.comb(len(ordered) - 1 - k, count - 1) for k in range(len(ordered))]
    return float(np.dot(ordered, ways) / math.comb(len(ordered), count))


def nearest_ratio(to_training: np.ndarray, to_others: np.ndarray) -> float:
    """Nearest skin of the training over the nearest that the training never saw, equal numbers of both.

    Near 1 or above it, a sample is nobody of the training; a copy has 0.
    """
    count = min(len(to_training), len(to_others))
    return expected_nearest(to_training, count) / max(expected_nearest(to_others, count), 1e-12)
