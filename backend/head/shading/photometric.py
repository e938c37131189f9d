"""The photometric refinement: shape, expression and pose that make shaded, coarsely coloured skin look like the photo.

Analysis by synthesis in the manner of Blanz and Vetter 1999 with second-order light: the skin points that the pixels of
a reduced photo see are fixed for a round; their colour albedo(point) * irradiance(normal) / pi is compared with the
photo where they project. Derivatives go through the photo's gradient and through the normals, in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.head.landmarks.landmark_fit import LandmarkProblem
from backend.head.landmarks.landmark_solve import (
    POSE,
    FitParameters,
    Terms,
    landmark_terms,
    minimise,
    pixel_derivatives,
    prior_terms,
)
from backend.head.parameters import PhotometricSettings
from backend.head.shading.albedo_basis import AlbedoBasis
from backend.head.shading.compared_skin import (
    ComparedSkin,
    interpolate,
    normal_derivative,
    normal_field,
    region_albedo_at,
)
from backend.head.shading.lighting import (
    Lighting,
    SkinSamples,
    first_lighting,
    rendered,
    residuals,
    robust,
    sample_albedo,
    shading_gradient,
    solve_lighting,
)
from backend.head.shading.reduced_photo import ReducedPhoto
from backend.imaging.arrays import Array, as_float32, average, empty, is_tensor, like, namespace, to_host, widened
from backend.imaging.channels import length, total
from backend.imaging.colour import linear_to_srgb
from backend.imaging.sampling import bilinear
from backend.progress import Progress
from backend.rendering.rasteriser import Rasteriser
from backend.side_by_side import each

POINTS_AT_ONCE = 1024  # whose derivatives are made together: some megabytes


@dataclass(frozen=True)
class Scene:
    """What stays the same during the refinement.

    Args:
        problem: the landmark terms and priors that go on holding.
        region: the skin to compare.
        albedo: the coarse albedo model.
        occlusion: float32 [V], ambient occlusion of the head model's vertices.
        photo: the reduced photo.
        rasteriser: either engine.
        settings: the refinement's chosen numbers.
    """

    problem: LandmarkProblem
    region: ComparedSkin
    albedo: AlbedoBasis
    occlusion: Array
    photo: ReducedPhoto
    rasteriser: Rasteriser
    settings: PhotometricSettings = PhotometricSettings()


@dataclass(frozen=True)
class Refined:
    """What the refinement gives.

    Args:
        parameters: refined.
        lighting: light and albedo coefficients for them.
        error_before, error_after: mean difference of rendering and photo, sRGB values, see `photometric_error`.
    """

    parameters: FitParameters
    lighting: Lighting
    error_before: float
    error_after: float


@dataclass(frozen=True)
class SeenSkin:
    """Skin points that the pixels of one rasterisation see.

    Args:
        operator: sparse rows [P, r], take values at the region's vertices to the points.
        weights: float [P].
        occlusion: float [P], part of the sky that the points see.
        albedo_mean: float [P, 3], albedo_basis: float [P, 3, K], the albedo model at the points.
    """

    operator: Any
    weights: Array
    occlusion: Array
    albedo_mean: Array
    albedo_basis: Array


def refine(scene: Scene, parameters: FitParameters, progress: Progress | None = None) -> Refined:
    """Refine all parameters on shading and landmarks together.

    Args:
        scene: photo, models and landmark terms.
        parameters: the landmark fit.
        progress: told about each step; raises when the user cancels.
    """
    progress = progress or Progress()
    problem, rounds = scene.problem, scene.settings.rounds
    seen = see(scene, parameters)
    lighting = light_of(scene, seen, parameters, None)
    before = photometric_error(scene, seen, parameters, lighting)
    best, best_error = (parameters, lighting), before
    damping = scene.settings.first_damping
    for turn in range(rounds):
        part = progress.part((turn + 0.5) / (rounds + 0.5), (turn + 1.5) / (rounds + 0.5))
        on_step = part.report

        def linearise(at: FitParameters, seen: SeenSkin = seen, lighting: Lighting = lighting) -> Terms:
            landmarks = landmark_terms(problem.basis, problem.targets, at, problem.centre_px)
            return shading_terms(scene, seen, at, lighting).plus(landmarks).plus(prior_terms(at, problem.priors))

        fixed_focal = problem.priors.log_focal_sigma <= 0
        # Two steps may both be rejected: the next round goes on with the damping that they ended with.
        found = minimise(linearise, parameters, 2, fixed_focal, on_step, damping)
        parameters, damping = found.parameters, found.damping
        on_step(0.9)
        seen = see(scene, parameters)
        lighting = light_of(scene, seen, parameters, lighting)
        error = photometric_error(scene, seen, parameters, lighting)
        if error < best_error:
            best, best_error = (parameters, lighting), error
    return Refined(best[0], best[1], before, best_error)


def light_of(scene: Scene, seen: SeenSkin, parameters: FitParameters, start: Lighting | None) -> Lighting:
    """Light and albedo that explain the seen skin best; `start` None begins from nothing."""
    samples = _samples(scene, seen, parameters)
    tone = scene.albedo.tone_modes
    chosen = scene.settings
    trust = chosen.sigma, chosen.robust_scale, chosen.effective_samples
    if start is None:
        return first_lighting(samples, tone, *trust, chosen.light)
    return solve_lighting(samples, start, 2, *trust, settled=tone, settings=chosen.light)


def photometric_error(scene: Scene, seen: SeenSkin, parameters: FitParameters, lighting: Lighting) -> float:
    """Weighted mean over the seen skin of |rendering - photo| in sRGB values, clipped at `clipped` a channel."""
    samples = _samples(scene, seen, parameters)
    xp = namespace(samples.colours)
    difference = xp.abs(linear_to_srgb(rendered(samples, lighting)) - linear_to_srgb(samples.colours))
    return float(average(xp.minimum(difference, scene.settings.clipped).mean(axis=1), samples.weights))


def see(scene: Scene, parameters: FitParameters) -> SeenSkin:
    """The skin points behind the pixels of the reduced photo, for parameters of its head."""
    region, photo = scene.region, scene.photo
    camera = photo.camera(parameters, scene.problem.centre_px)
    vertices = region.model.shape(parameters.identity, parameters.expression)
    fragments = scene.rasteriser.rasterise(vertices, region.triangles, camera)
    skin = fragments.mask & region.skin_triangle[np.maximum(fragments.triangle, 0)]
    xp, chosen = namespace(photo.mask), like(skin, photo.mask) & (photo.mask > 0.05)
    triangles = like(fragments.triangle, photo.mask)[chosen]
    corners = like(region.triangles, photo.mask)[triangles]
    barycentric = widened(like(fragments.barycentric, photo.mask)[chosen])
    operator = interpolate(region, corners, barycentric)
    field = normal_field(region, _coefficients(parameters))
    normals = operator @ field.normals
    sight = like(camera.position, normals) - operator @ field.positions
    facing = total(normals * sight) / (length(normals) * length(sight))
    weights = xp.einsum("pk,pk->p", barycentric, region.weight[corners]) * photo.mask[chosen]
    weights = weights * xp.clip((facing - scene.settings.least_facing) / 0.2, 0, 1)
    occlusion = xp.einsum("pk,pk->p", barycentric, scene.occlusion[corners])
    return SeenSkin(operator, weights, occlusion, *region_albedo_at(scene.albedo, corners, barycentric))


def _coefficients(parameters: FitParameters) -> np.ndarray:
    return np.concatenate([parameters.identity, parameters.expression])


def _samples(scene: Scene, seen: SeenSkin, parameters: FitParameters) -> SkinSamples:
    """The seen points with their normals, and the photo's colours where they project."""
    region, photo = scene.region, scene.photo
    field = normal_field(region, _coefficients(parameters))
    xp, normals = namespace(photo.linear), seen.operator @ field.normals
    normals = normals / xp.maximum(length(normals)[:, None], 1e-12)
    camera = photo.camera(parameters, scene.problem.centre_px)
    pixels = camera.project(seen.operator @ field.positions)
    colours = bilinear(photo.linear, pixels)
    # d sRGB / d linear of the encoding, with the toe's slope limited so that noise in the dark does not rule.
    contrast = (1.055 / 2.4) * xp.maximum(colours, 0.02) ** (1 / 2.4 - 1)
    return SkinSamples(colours, contrast, normals, seen.albedo_mean, seen.albedo_basis, seen.occlusion, seen.weights)


def shading_terms(scene: Scene, seen: SeenSkin, at: FitParameters, lighting: Lighting) -> Terms:
    """The robust photometric cost and its Gauss-Newton model."""
    region, photo = scene.region, scene.photo
    samples = _samples(scene, seen, at)
    residual = residuals(samples, lighting)
    xp, chosen = namespace(residual), scene.settings
    scale = chosen.robust_scale
    strength = chosen.effective_samples / (max(float(samples.weights.sum()), 1e-9) * chosen.sigma**2)
    squared = xp.mean(residual**2, axis=1)
    cost = 0.5 * strength * float(xp.sum(samples.weights * scale**2 * xp.log1p(squared / scale**2)))

    def derivatives() -> tuple[np.ndarray, np.ndarray]:
        field = normal_field(region, _coefficients(at))
        points = seen.operator @ field.positions
        # The photo moves under the points: -d photo / d pixel * d pixel / d theta.
        by_pose, by_point = pixel_derivatives(points, at)
        pixels = photo.camera(at, scene.problem.centre_px).project(points)
        slope = -bilinear(photo.gradient, pixels) * samples.contrast[..., None] * photo.scale
        # The normals turn: albedo * d shading / d normal * d normal / d coefficients.
        visible = sample_albedo(samples, lighting) * samples.contrast * samples.occlusion[:, None]
        light = like(lighting.light, visible)
        by_normal = xp.einsum("pbi,bc->pci", shading_gradient(samples.normals), light) * visible[..., None]
        by_surface = as_float32(xp.concat([slope @ by_point, by_normal], axis=-1))
        by_pose = as_float32(slope @ by_pose)
        surface = xp.concat([region.basis, normal_derivative(region, field)], axis=1)
        # Both sides of the product take the root of the weights: of a matrix and itself, half has to be computed.
        root = as_float32(xp.sqrt(strength / 3 * robust(residual, samples.weights, scale)))[:, None]
        wrong = root * as_float32(residual)
        at_once = len(points) if is_tensor(points) else POINTS_AT_ONCE

        def part(start: int) -> tuple[np.ndarray, np.ndarray]:
            """Of points that the processor's cache holds."""
            rows = slice(start, start + at_once)
            moving = seen.operator[rows] @ surface.reshape(len(surface), -1)
            jacobian = empty((len(moving), 3, POSE + surface.shape[-1]), surface)
            jacobian[..., :POSE] = by_pose[rows]
            xp.matmul(by_surface[rows], moving.reshape(-1, *surface.shape[1:]), out=jacobian[..., POSE:])
            jacobian *= root[rows, :, None]
            flat = jacobian.reshape(-1, jacobian.shape[-1])
            products = flat.T @ wrong[rows].reshape(-1), flat.T @ flat
            gradient, hessian = (to_host(product).astype(np.float64) for product in products)
            return gradient, hessian

        gradients, hessians = zip(*each(part, range(0, len(points), at_once)), strict=True)
        return np.sum(gradients, axis=0), np.sum(hessians, axis=0)

    return Terms(cost, derivatives)
