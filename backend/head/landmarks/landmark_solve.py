"""Pose, focal length, identity and expression from landmarks: damped Gauss-Newton with closed-form Jacobians.

The unknowns are theta = [omega (3), t_x, t_y, a, b, p_s, p_e]: a rotation increment (axis-angle, applied on the
left), the translation's image-plane part in metres, the log image scale a = log(focal / depth), the log focal length b
and the coefficients of eq. 8. With a and b as unknowns, a change of b at fixed a is a "dolly zoom": it alters
perspective alone, so the badly determined direction is an axis of its own and takes its prior directly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.spatial.transform import Rotation

from backend.head.levenberg_marquardt import Minimum, OnStep, descend, no_step
from backend.head.model import HeadModel
from backend.imaging.arrays import Array, like, namespace
from backend.rendering.camera import Camera

POSE = 7  # the unknowns before p_s
_ACROSS_Z = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # [e_z]_x


@dataclass(frozen=True)
class FitParameters:
    """A point in the space of unknowns.

    Args:
        rotation: float64 [3, 3], head space to camera space.
        shift: float64 [2], t_x and t_y in metres.
        log_scale: a = log(focal_px / depth in metres).
        log_focal: b = log(focal_px).
        identity: float64 [K].
        expression: float64 [52].
    """

    rotation: np.ndarray
    shift: np.ndarray
    log_scale: float
    log_focal: float
    identity: np.ndarray
    expression: np.ndarray

    @property
    def depth(self) -> float:
        """Depth of the head's origin, metres."""
        return float(np.exp(self.log_focal - self.log_scale))

    @property
    def translation(self) -> np.ndarray:
        """Float64 [3], metres."""
        return np.array([self.shift[0], self.shift[1], -self.depth])

    def camera(self, centre_px: tuple[float, float], width: int, height: int) -> Camera:
        """The pinhole camera for an image of this size."""
        return Camera(self.rotation, self.translation, float(np.exp(self.log_focal)), centre_px, width, height)

    def stepped(self, step: np.ndarray) -> FitParameters:
        """The parameters moved by a step in theta [7 + K + 52]."""
        k = len(self.identity)
        return replace(
            self,
            rotation=Rotation.from_rotvec(step[:3]).as_matrix() @ self.rotation,
            shift=self.shift + step[3:5],
            log_scale=self.log_scale + step[5],
            log_focal=self.log_focal + step[6],
            identity=self.identity + step[POSE : POSE + k],
            expression=np.clip(self.expression + step[POSE + k :], 0.0, 1.0),
        )


@dataclass(frozen=True)
class Priors:
    """Gaussian priors; a sigma of 0 for the focal length means that it is known.

    Args:
        identity_sigma: of p_s, 1 for the model's own statistics.
        expression_mean: float64 [52], such as the detector's scores.
        expression_sigma: float64 [52].
        log_focal_mean, log_focal_sigma: of b.
        log_distance_mean, log_distance_sigma: of the log depth of the head in metres.
        towards_camera: float64 [3], unit, where the camera stands in head space; for photos without landmarks that
            tell it.
        towards_sigma: float64 [3], of it; infinite where nothing is assumed.
    """

    identity_sigma: float
    expression_mean: np.ndarray
    expression_sigma: np.ndarray
    log_focal_mean: float
    log_focal_sigma: float
    log_distance_mean: float
    log_distance_sigma: float
    towards_camera: np.ndarray = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))
    towards_sigma: np.ndarray = field(default_factory=lambda: np.full(3, np.inf))


@dataclass(frozen=True)
class PointBasis:
    """Points of the head model as linear functions of its coefficients.

    Args:
        mean: float64 [L, 3].
        identity: float64 [K, L, 3].
        expression: float64 [52, L, 3].
    """

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray

    def points(self, parameters: FitParameters) -> np.ndarray:
        """Points [L, 3] in head space (eq. 8)."""
        return (
            self.mean
            + np.tensordot(parameters.identity, self.identity, 1)
            + np.tensordot(parameters.expression, self.expression, 1)
        )

    def with_rows(self, rows: np.ndarray, other: PointBasis) -> PointBasis:
        """This basis with the points `rows` [n] replaced by those of `other` (n points)."""
        mean, identity, expression = self.mean.copy(), self.identity.copy(), self.expression.copy()
        mean[rows], identity[:, rows], expression[:, rows] = other.mean, other.identity, other.expression
        return PointBasis(mean, identity, expression)


def point_basis(model: HeadModel, triangles: np.ndarray, barycentric: np.ndarray) -> PointBasis:
    """The basis of surface points given as vertex triples int [L, 3] and weights [L, 3]."""

    def at(values: np.ndarray) -> np.ndarray:
        return np.einsum("lk,...lkd->...ld", barycentric, values[..., triangles, :]).astype(np.float64)

    return PointBasis(at(model.mean), at(model.identity_basis), at(model.expression_basis))


@dataclass(frozen=True)
class Terms:
    """A part of the cost with its gradient [P] and Gauss-Newton Hessian [P, P] by theta.

    Those are derived where they are asked for: of a step that is tried, the cost alone decides whether it is taken.

    Args:
        cost: the part.
        derive: gives gradient and Hessian; called once at most.
    """

    cost: float
    derive: Callable[[], tuple[np.ndarray, np.ndarray]]

    @staticmethod
    def of(cost: float, gradient: np.ndarray, hessian: np.ndarray) -> Terms:
        """A part whose derivatives are known."""
        return Terms(cost, lambda: (gradient, hessian))

    @cached_property
    def _derived(self) -> tuple[np.ndarray, np.ndarray]:
        return self.derive()

    @property
    def gradient(self) -> np.ndarray:
        """Float64 [P]."""
        return self._derived[0]

    @property
    def hessian(self) -> np.ndarray:
        """Float64 [P, P]."""
        return self._derived[1]

    def plus(self, other: Terms) -> Terms:
        """The sum of two parts."""
        return Terms(self.cost + other.cost, lambda: (self.gradient + other.gradient, self.hessian + other.hessian))


@dataclass(frozen=True)
class Targets:
    """What the points should project to.

    Args:
        pixels: float64 [L, 2].
        precision: float64 [L, 2, 2], inverse covariance of each residual in 1 / pixel^2 (a singular one lets a point
            slide along a line).
    """

    pixels: np.ndarray
    precision: np.ndarray


def projection_jacobian(
    basis: PointBasis, parameters: FitParameters, centre_px: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Projected points [L, 2] in pixels and their derivative [L, 2, 7 + K + 52] by theta."""
    points = basis.points(parameters)
    by_pose, by_point = pixel_derivatives(points, parameters)
    motion = np.concatenate([basis.identity, basis.expression]).transpose(1, 2, 0)
    jacobian = np.empty((len(points), 2, POSE + motion.shape[-1]))
    jacobian[..., :POSE] = by_pose
    np.matmul(by_point, motion, out=jacobian[..., POSE:])
    return projected(points, parameters, centre_px), jacobian


def projected(points: np.ndarray, parameters: FitParameters, centre_px: tuple[float, float]) -> np.ndarray:
    """Pixels [L, 2] of points [L, 3] in head space."""
    in_camera = points @ parameters.rotation.T + parameters.translation
    return np.exp(parameters.log_focal) * in_camera[:, :2] / -in_camera[:, 2:] * [1, -1] + centre_px


def pixel_derivatives(points: Array, parameters: FitParameters) -> tuple[Array, Array]:
    """Derivatives of the pixels that points [L, 3] of head space project to.

    Args:
        points: float [L, 3], head space.
        parameters: where to linearise.

    Returns:
        [L, 2, 7] by the unknowns before p_s, and [L, 2, 3] by the points themselves; float64, float32 of tensors.
    """
    xp = namespace(points)
    rotated = points @ like(parameters.rotation.T, points)
    in_camera = rotated + like(parameters.translation, points)
    focal, depth = float(np.exp(parameters.log_focal)), -in_camera[:, 2]
    from_centre = xp.stack([in_camera[:, 0], -in_camera[:, 1]], axis=-1) * (focal / depth)[:, None]
    x, y, z = rotated.T
    zero = xp.zeros_like(x)
    across = xp.stack([focal / depth, zero, zero, -focal / depth], axis=-1).reshape(-1, 2, 2)
    away = from_centre / depth[:, None]
    by_point = xp.concat([across, away[..., None]], axis=-1)  # d pixel / d point in camera space
    by_omega = xp.stack([zero, z, -y, -z, zero, x, y, -x, zero], axis=-1).reshape(-1, 3, 3)  # -[R X]_x
    by_depth = away * parameters.depth  # t_z = -exp(b - a)
    by_scale = xp.stack([by_depth, from_centre - by_depth], axis=-1)
    by_pose = xp.concat([by_point @ by_omega, across, by_scale], axis=-1)
    return by_pose, by_point @ like(parameters.rotation, points)


def prior_terms(parameters: FitParameters, priors: Priors) -> Terms:
    """Half of the sum of the priors' squares."""
    k, e = len(parameters.identity), len(parameters.expression)
    gradient, hessian = np.zeros(POSE + k + e), np.zeros((POSE + k + e, POSE + k + e))
    diagonal = np.zeros(POSE + k + e)
    diagonal[POSE : POSE + k] = priors.identity_sigma**-2
    gradient[POSE : POSE + k] = parameters.identity * priors.identity_sigma**-2
    from_mean = parameters.expression - priors.expression_mean
    diagonal[POSE + k :] = priors.expression_sigma**-2
    gradient[POSE + k :] = from_mean * priors.expression_sigma**-2
    cost = 0.5 * float(parameters.identity @ gradient[POSE : POSE + k] + from_mean @ gradient[POSE + k :])
    hessian[np.diag_indices_from(hessian)] = diagonal
    if priors.log_focal_sigma > 0:
        off_focal = (parameters.log_focal - priors.log_focal_mean) / priors.log_focal_sigma
        gradient[6] += off_focal / priors.log_focal_sigma
        hessian[6, 6] += priors.log_focal_sigma**-2
        off_distance = parameters.log_focal - parameters.log_scale - priors.log_distance_mean
        off_distance /= priors.log_distance_sigma
        row = np.array([-1.0, 1.0]) / priors.log_distance_sigma  # d log depth / d (a, b)
        gradient[5:7] += off_distance * row
        hessian[5:7, 5:7] += np.outer(row, row)
        cost += 0.5 * (off_focal**2 + off_distance**2)
    if np.isfinite(priors.towards_sigma).any():
        off = (parameters.rotation[2] - priors.towards_camera) / priors.towards_sigma
        rows = parameters.rotation.T @ _ACROSS_Z / priors.towards_sigma[:, None]  # d (R^T e_z) / d omega
        gradient[:3] += off @ rows
        hessian[:3, :3] += rows.T @ rows
        cost += 0.5 * float(off @ off)
    return Terms.of(cost, gradient, hessian)


def robust_weights(squared: np.ndarray, scale: float) -> np.ndarray:
    """Weights of iteratively reweighted least squares for a Cauchy loss of residuals with these squared sizes."""
    return 1.0 / (1.0 + squared / scale**2)


def _robust_cost(squared: np.ndarray, scale: float) -> float:
    return 0.5 * float(np.sum(scale**2 * np.log1p(squared / scale**2)))


def solve_step(terms: Terms, parameters: FitParameters, damping: float, fixed_focal: bool) -> np.ndarray:
    """A Levenberg-Marquardt step [P] that keeps p_e inside [0, 1]."""
    gradient = terms.gradient
    free = free_unknowns(terms, parameters, fixed_focal)
    sub = terms.hessian[np.ix_(free, free)]
    sub[np.diag_indices_from(sub)] *= 1 + damping
    step = np.zeros_like(gradient)
    step[free] = np.linalg.solve(sub, -gradient[free])
    return step


def free_unknowns(terms: Terms, parameters: FitParameters, fixed_focal: bool) -> np.ndarray:
    """Which unknowns may move, bool [P].

    Coefficients at a bound whose gradient pushes outwards are held there (projected Newton, Bertsekas 1982).
    """
    k, gradient = len(parameters.identity), terms.gradient
    free = np.ones(len(gradient), bool)
    free[6] = not fixed_focal
    expression_gradient = gradient[POSE + k :]
    free[POSE + k :] &= ~((parameters.expression <= 0) & (expression_gradient > 0))
    free[POSE + k :] &= ~((parameters.expression >= 1) & (expression_gradient < 0))
    return free


def solve_landmarks(
    basis: PointBasis,
    targets: Targets,
    parameters: FitParameters,
    priors: Priors,
    centre_px: tuple[float, float],
    iterations: int,
    robust_scale: float = 3.0,
    on_step: OnStep = no_step,
) -> FitParameters:
    """Minimise the robust reprojection error plus priors by Levenberg-Marquardt from `parameters`.

    Args:
        basis: the points.
        targets: their pixels and precisions.
        parameters: where to start; the length of its identity decides how many modes are solved for.
        priors: see `Priors`.
        centre_px: principal point.
        iterations: at most so many accepted or rejected steps.
        robust_scale: residuals of so many sigmas count half (Cauchy).
        on_step: see `OnStep`.
    """

    def linearise(at: FitParameters) -> Terms:
        return landmark_terms(basis, targets, at, centre_px, robust_scale).plus(prior_terms(at, priors))

    return minimise(linearise, parameters, iterations, priors.log_focal_sigma <= 0, on_step).parameters


def landmark_terms(
    basis: PointBasis, targets: Targets, at: FitParameters, centre_px: tuple[float, float], robust_scale: float = 3.0
) -> Terms:
    """The robust reprojection error of the points and its Gauss-Newton model."""
    residual = projected(basis.points(at), at, centre_px) - targets.pixels
    squared = np.einsum("li,lij,lj->l", residual, targets.precision, residual)

    def derivatives() -> tuple[np.ndarray, np.ndarray]:
        _, jacobian = projection_jacobian(basis, at, centre_px)
        robust = robust_weights(squared, robust_scale)
        flat = jacobian.reshape(-1, jacobian.shape[-1])
        scaled = ((targets.precision @ jacobian) * robust[:, None, None]).reshape(flat.shape)
        return scaled.T @ residual.reshape(-1), scaled.T @ flat

    return Terms(_robust_cost(squared, robust_scale), derivatives)


def minimise(
    linearise: Callable[[FitParameters], Terms],
    parameters: FitParameters,
    iterations: int,
    fixed_focal: bool,
    on_step: OnStep = no_step,
    damping: float = 1e-3,
) -> Minimum[FitParameters]:
    """Levenberg-Marquardt from `parameters`.

    Args:
        linearise: the cost and its Gauss-Newton model.
        parameters: where to start.
        iterations, on_step, damping: see `descend`.
        fixed_focal: whether the focal length stays.
    """

    def stepped(terms: Terms, at: FitParameters, damping: float) -> FitParameters:
        return at.stepped(solve_step(terms, at, damping, fixed_focal))

    return descend(linearise, lambda terms: terms.cost, stepped, parameters, iterations, on_step, damping)
