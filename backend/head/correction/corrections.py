"""A hand on the fit: the head that goes through corrected points and else stays as near as it can to what was fitted.

The uncorrected fit is where landmarks, shading and priors are in balance. What they ask about it is taken for a
quadratic (the Laplace approximation of the posterior): landmarks stay where the fit has them, eq. 8's p_s and p_e
too, each by its own precision. Landmarks near a corrected point go along with it, as a detector that errs does so for a
whole feature. Under these terms a strong weight puts the corrected points where they belong; what the linear head
cannot reach is a smooth displacement of its vertices, after which they are there exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial.transform import Rotation

from backend.head.correction.handles import (
    HeadPoints,
    corrected_anchors,
    handle_anchors,
    landmark_anchors,
    seen_handles,
)
from backend.head.head_fit import HeadFit
from backend.head.landmarks.contour import ContourRegion, contour_region
from backend.head.landmarks.landmark_fit import landmark_weights
from backend.head.landmarks.landmark_solve import (
    POSE,
    FitParameters,
    PointBasis,
    Terms,
    minimise,
    point_basis,
    projection_jacobian,
)
from backend.head.model import HeadModel
from backend.head.parameters import CorrectionSettings, HeadFitParameters
from backend.photo.landmark_table import interocular_px
from shared.corrections import Corrections

# Parts that stay round: they move as a whole.
ROUND_PARTS = ("eye_left", "eye_right")


@dataclass(frozen=True)
class Corrector:
    """What is the same for all heads of a model, made once.

    Args:
        model: the head model.
        settings: the fit's chosen numbers.
        region: where the silhouette can lie.
        held: the basis of what stays by itself: the 478 landmarks, and the skin where none are, ears, scalp and neck.
        weights: float64 [H], of their squared residuals, as `landmark_weights` has them.
    """

    model: HeadModel
    settings: HeadFitParameters
    region: ContourRegion
    held: PointBasis
    weights: np.ndarray

    @staticmethod
    def of(model: HeadModel, settings: HeadFitParameters = HeadFitParameters()) -> Corrector:
        """The corrector of a model."""
        others = _skin_without_landmarks(model, settings.corrections)
        triangles = np.concatenate([model.landmark_triangles, np.repeat(others[:, None], 3, axis=1)])
        corner = np.tile([1.0, 0.0, 0.0], (len(others), 1))
        held = point_basis(model, triangles, np.concatenate([model.landmark_barycentric, corner]))
        weights = np.r_[landmark_weights(settings.landmarks), np.full(len(others), settings.corrections.skin_weight)]
        return Corrector(model, settings, contour_region(model, settings.landmarks.contour), held, weights)

    def begin(self, fit: HeadFit) -> CorrectableFit:
        """What one photo gave, ready to be corrected; a solve is then a matter of milliseconds."""
        return CorrectableFit(self, fit)


@dataclass(frozen=True)
class CorrectableFit:
    """A fit, and what corrections of its first photo need of it, kept between them.

    Args:
        corrector: of the head model.
        fit: what the photo gave by itself.
    """

    corrector: Corrector
    fit: HeadFit

    @cached_property
    def vertices(self) -> np.ndarray:
        """The uncorrected head, expression included, float32 [V, 3]."""
        return self.fit.vertices(self.corrector.model)

    @cached_property
    def landmarks(self) -> HeadPoints:
        """The 478 landmarks' points on the head, see `landmark_anchors`."""
        return landmark_anchors(self.corrector.model, self.vertices, self.corrector.region, self.fit.camera)

    @cached_property
    def handles(self) -> HeadPoints:
        """The points of `backend.head.correction.handles.HANDLES` on the head."""
        return handle_anchors(self.corrector.model, self.landmarks)

    @cached_property
    def seen(self) -> np.ndarray:
        """Whether the photo can show each handle, bool [H]."""
        return seen_handles(
            self.corrector.model,
            self.vertices,
            self.handles,
            self.fit.camera,
            self.corrector.settings.corrections.ear_hidden,
        )

    @cached_property
    def _start(self) -> FitParameters:
        camera = self.fit.camera
        translation = np.asarray(camera.translation, np.float64)
        log_focal = float(np.log(camera.focal_px))
        return FitParameters(
            rotation=np.asarray(camera.rotation, np.float64),
            shift=translation[:2],
            log_scale=log_focal - float(np.log(-translation[2])),
            log_focal=log_focal,
            identity=self.fit.identity.astype(np.float64),
            expression=self.fit.expression.astype(np.float64),
        )

    @cached_property
    def _held(self) -> _Held:
        corrector = self.corrector
        pixels, jacobian = projection_jacobian(corrector.held, self._start, self.fit.camera.centre_px)
        iod_px, px_per_m = interocular_px(pixels), float(np.exp(self._start.log_scale))
        strength = np.repeat(corrector.weights / (corrector.settings.landmarks.sigma_m * px_per_m) ** 2, 2)
        flat = jacobian.reshape(len(strength), -1)
        scaled = flat * strength[:, None]
        hessian = scaled.T @ flat
        coefficients = np.ones(len(hessian) - POSE)
        coefficients[len(self._start.identity) :] = corrector.settings.landmarks.expression_sigma**-2
        hessian[np.diag_indices_from(hessian)] += np.r_[np.zeros(POSE), coefficients]
        return _Held(corrector.held.points(self._start), scaled, hessian, iod_px)

    def corrected(self, corrections: Corrections) -> HeadFit:
        """The head that goes through the corrected points of its first photo.

        Args:
            corrections: in that photo's pixels.

        Returns:
            The fit with another identity and, for the first photo, another expression and pose; `offsets` where the
            linear head cannot reach. Its light stays, which later stages find anew. Without corrections, `fit` itself.

        Raises:
            RelightifyError: ``bad_corrections``, a handle or vertex that there is not.
        """
        if not corrections:
            return self.fit
        model, camera = self.corrector.model, self.fit.camera
        anchors = corrected_anchors(model, self.landmarks, corrections)
        wanted = np.array([point.pixel for point in corrections.points], np.float64)
        found = self._solve(anchors, wanted)
        changed = replace(self.fit, identity=found.identity.astype(np.float32), uncorrected=self.fit).with_view(
            expression=found.expression.astype(np.float32),
            camera=found.camera(camera.centre_px, camera.width, camera.height),
        )
        return replace(changed, offsets=self._offsets(changed, anchors, wanted))

    def _solve(self, anchors: HeadPoints, wanted: np.ndarray) -> FitParameters:
        """The linear head's part: damped Gauss-Newton, the focal length as it is."""
        chosen, held, start = self.corrector.settings.corrections, self._held, self._start
        camera, pins = self.fit.camera, point_basis(self.corrector.model, anchors.triangles, anchors.barycentric)
        points = pins.points(start)
        nearness = _gaussian(held.points[:, None] - points[None], chosen.spread_m)
        among = _gaussian(points[:, None] - points[None], chosen.spread_m) + chosen.evenness * np.eye(len(points))
        along = nearness @ np.linalg.solve(among, wanted - camera.project(points))
        pull = along.reshape(-1) @ held.scaled_jacobian
        strength = (chosen.sigma * held.iod_px) ** -2

        def linearise(at: FitParameters) -> Terms:
            pixels, jacobian = projection_jacobian(pins, at, camera.centre_px)
            residual = (pixels - wanted).reshape(-1)
            flat = jacobian.reshape(len(residual), -1)
            step = _between(start, at)
            stays = held.hessian @ step
            return Terms.of(
                0.5 * strength * float(residual @ residual) + float(step @ (0.5 * stays - pull)),
                strength * (flat.T @ residual) + stays - pull,
                strength * (flat.T @ flat) + held.hessian,
            )

        return minimise(linearise, start, chosen.steps, fixed_focal=True).parameters

    def _offsets(self, fit: HeadFit, anchors: HeadPoints, wanted: np.ndarray) -> np.ndarray:
        """Displacements float32 [V, 3], metres, that take the points where they belong, parallel to the image.

        Smooth and of compact support (Wendland 1995), so that what lies beyond `reach_m` stays.
        """
        model, camera, chosen = self.corrector.model, fit.camera, self.corrector.settings.corrections
        vertices = fit.vertices(model)
        points = anchors.on(vertices)
        metres = -camera.to_camera(points)[:, 2:] / camera.focal_px
        left_over = (wanted - camera.project(points)) * [1, -1] * metres
        across = np.c_[left_over, np.zeros(len(points))] @ camera.rotation
        distance = np.linalg.norm(vertices[:, None] - points[None], axis=-1) / chosen.reach_m
        field = np.maximum(1 - distance, 0) ** 4 * (4 * distance + 1)
        for name in ROUND_PARTS:
            part = np.unique(model.triangles(name))
            field[part] = field[part].mean(axis=0)
        at_points = np.einsum("nk,nkm->nm", anchors.barycentric, field[anchors.triangles])
        # Two corrections of one place that contradict each other meet in the middle.
        amounts = np.linalg.lstsq(at_points, across, rcond=1e-6)[0]
        return (field @ amounts).astype(np.float32)


@dataclass(frozen=True)
class _Held:
    """What stays by itself, linearised at the uncorrected fit.

    Args:
        points: float64 [H, 3], head space.
        scaled_jacobian: float64 [2 H, P], of their pixels by theta, each row times its precision.
        hessian: float64 [P, P], of theirs and the priors' squares.
        iod_px: distance of the outer eye corners.
    """

    points: np.ndarray
    scaled_jacobian: np.ndarray
    hessian: np.ndarray
    iod_px: float


def _skin_without_landmarks(model: HeadModel, settings: CorrectionSettings) -> np.ndarray:
    """Vertices [n] of the skin, evenly spread, where there are no landmarks."""
    taken = model.landmarks(model.mean)
    found = []
    for vertex in np.unique(model.triangles("skin")):
        if np.min(np.sum((taken - model.mean[vertex]) ** 2, axis=1)) > settings.apart_m**2:
            found.append(vertex)
            taken = np.vstack([taken, model.mean[vertex]])
    return np.array(found)


def _between(start: FitParameters, at: FitParameters) -> np.ndarray:
    """The step in theta [P] that leads from one point to another."""
    turn = Rotation.from_matrix(at.rotation @ start.rotation.T).as_rotvec()
    scale, focal = at.log_scale - start.log_scale, at.log_focal - start.log_focal
    coefficients = at.identity - start.identity, at.expression - start.expression
    return np.concatenate([turn, at.shift - start.shift, [scale, focal], *coefficients])


def _gaussian(between: np.ndarray, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * np.sum(between**2, axis=-1) / sigma**2)
