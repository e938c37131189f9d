"""The identity basis: PCA of head shapes in a metric that counts the face most."""

from __future__ import annotations

import numpy as np

from backend.training.head.registration.surfaces import triangulate


def metric_weights(mean: np.ndarray, quads: np.ndarray, face_part: np.ndarray) -> np.ndarray:
    """Mass of each vertex [V] in the metric: its share of the skin's area, fully on the face, less behind and below.

    Vertices without skin (eyes, teeth, linings) weigh a little, so that they are represented too. The masses sum to 1.
    """
    triangles = triangulate(quads[face_part == 0])
    corners = mean[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    mass = np.zeros(len(mean))
    for k in range(3):
        mass += np.bincount(triangles[:, k], area / 3, len(mean))
    mass *= region_weight(mean)
    mass = mass + 0.02 * mass[mass > 0].mean()
    return mass / mass.sum()


def region_weight(points: np.ndarray) -> np.ndarray:
    """1 on the face, falling to 0.15 on the back of the head and the lower neck; points [V, 3] in head space."""
    behind = np.clip((points[:, 2] + 0.055) / 0.05, 0, 1)
    below = np.clip((points[:, 1] + 0.15) / 0.04, 0, 1)
    above = np.clip((0.11 - points[:, 1]) / 0.04, 0.2, 1)
    return 0.15 + 0.85 * behind * below * above


def pca_modes(rows: np.ndarray, mass: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal modes of a Gaussian given by rows [n, V, 3] whose covariance is the sum of their outer products.

    Returns:
        modes [count, V, 3], each its unit vector in the metric times its standard deviation, and those deviations
        [count] (metres, root mean square over the metric).
    """
    root = np.sqrt(mass)[None, :, None]
    flat = (rows * root).reshape(len(rows), -1)
    gram = flat @ flat.T
    values, vectors = np.linalg.eigh(gram)
    order = np.argsort(values)[::-1][:count]
    # flat^T v has norm sqrt(value), which is the mode times its standard deviation.
    modes = np.einsum("nk,nvd->kvd", vectors[:, order], rows)
    return modes, np.sqrt(np.maximum(values[order], 0))
