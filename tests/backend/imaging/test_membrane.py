"""Screened membranes."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from backend.imaging.membrane import extend


def direct(values: np.ndarray, weight: np.ndarray, domain: np.ndarray, decay: float) -> np.ndarray:
    """The same minimisation by a sparse direct solver, one channel."""
    height, width = weight.shape
    index = np.arange(height * width).reshape(height, width)
    pairs = [(index[:, :-1], index[:, 1:], domain[:, :-1] & domain[:, 1:])]
    pairs.append((index[:-1], index[1:], domain[:-1] & domain[1:]))
    rows = np.concatenate([a[keep] for a, _, keep in pairs])
    columns = np.concatenate([b[keep] for _, b, keep in pairs])
    graph = sp.coo_matrix((np.ones(len(rows)), (rows, columns)), (index.size, index.size)).tocsr()
    graph = graph + graph.T
    own = np.where(domain, weight + 1 / decay**2, 1.0).ravel()
    system = sp.diags(np.asarray(graph.sum(1)).ravel() + own) - graph
    solved = spsolve(system.tocsc(), (weight * values * domain).ravel())
    return np.asarray(solved).reshape(height, width)


def test_agrees_with_a_direct_solver_on_a_ragged_domain() -> None:
    rng = np.random.default_rng(0)
    domain = np.ones((37, 50), bool)
    domain[:8, 20:35] = False
    domain[20:30, 5:9] = False
    weight = np.where(rng.random((37, 50)) < 0.1, 5.0, 0.0) * domain
    values = rng.normal(size=(37, 50))
    u = extend(values[..., None].astype(np.float32), weight, domain, 12.0)[..., 0]
    np.testing.assert_allclose(u[domain], direct(values, weight, domain, 12.0)[domain], atol=2e-3)
    assert (u[~domain] == 0).all()


def test_without_decay_two_held_sides_are_joined_by_a_ramp() -> None:
    values = np.zeros((32, 64, 2), np.float32)
    values[:, -1] = (1.0, 3.0)
    weight = np.zeros((32, 64))
    weight[:, [0, -1]] = 1e4
    u = extend(values, weight, np.ones((32, 64), bool), np.inf)
    ramp = np.linspace(0, 1, 64)
    np.testing.assert_allclose(u[16, :, 0], ramp, atol=0.01)
    np.testing.assert_allclose(u[16, :, 1], 3 * ramp, atol=0.03)


def test_with_decay_the_extension_fades_to_nothing() -> None:
    weight = np.zeros((16, 128))
    weight[:, 0] = 1e4
    u = extend(np.ones((16, 128, 1), np.float32), weight, np.ones((16, 128), bool), 8.0)[8, :, 0]
    # The one-dimensional solution is exp(-x / decay).
    np.testing.assert_allclose(u[[8, 16, 32]], np.exp([-1, -2, -4]), atol=0.02)
    assert abs(u[-1]) < 1e-3


def test_nothing_flows_over_a_gap_in_the_domain() -> None:
    domain = np.ones((20, 40), bool)
    domain[:, 19:21] = False
    weight = np.zeros((20, 40))
    weight[:, 0] = 1e3
    u = extend(np.ones((20, 40, 1), np.float32), weight, domain, 20.0)[..., 0]
    assert u[10, 15] > 0.5
    assert np.abs(u[:, 21:]).max() < 2e-3
