"""The camera of a photo in full profile, by the outline of a head that is known from other photos.

The line from the forehead over nose and lips to the chin is looked for in the photo's outline by voting over turn, size
and place (Ballard, "Generalizing the Hough transform to detect arbitrary shapes", 1981), then followed by closest
points (Besl and McKay 1992) on the silhouette of the head in three dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from backend.head.landmarks.contour import ContourRegion, Silhouette, silhouette
from backend.head.landmarks.landmark_fit import LandmarkProblem
from backend.head.landmarks.landmark_solve import (
    FitParameters,
    PointBasis,
    Priors,
    Targets,
    point_basis,
    solve_landmarks,
)
from backend.head.model import HeadModel
from backend.head.parameters import ProfileFitSettings
from backend.photo.profile_outline import FaceOutline
from backend.rendering.camera import Camera
from backend.rendering.rasteriser import Rasteriser


@dataclass(frozen=True)
class ProfileTools:
    """What the fits of all profiles share.

    Args:
        model: the head model.
        region: where its face's silhouette can lie.
        triangles: int [n, 3], what hides it.
        rasteriser: either engine.
        settings: the chosen numbers.
    """

    model: HeadModel
    region: ContourRegion
    triangles: np.ndarray
    rasteriser: Rasteriser
    settings: ProfileFitSettings


@dataclass(frozen=True)
class OutlinedPhoto:
    """A photo in profile, as the fit of its camera knows it.

    Args:
        outline: of head and body in it.
        centre_px: principal point.
        width, height: pixels.
    """

    outline: FaceOutline
    centre_px: tuple[float, float]
    width: int
    height: int

    def camera(self, at: FitParameters) -> Camera:
        """The photo's camera."""
        return at.camera(self.centre_px, self.width, self.height)


@dataclass(frozen=True)
class Followed:
    """How well a photo's outline is that of a head.

    Args:
        line: of the head, as it stands out.
        pairs: int [n], the outline's point for each of the line's, -1 where there is none.
        off_px: mean distance across the line, of the pairs.
        found: share of the line's length that has one.
    """

    line: Silhouette
    pairs: np.ndarray
    off_px: float
    found: float


def standing_out(tools: ProfileTools, vertices: np.ndarray, camera: Camera) -> Silhouette:
    """The part of a head's silhouette beyond which there is only background."""
    line = silhouette(vertices, tools.region, camera)
    low, high = line.pixels.min(axis=0), line.pixels.max(axis=0)
    side = float((high - low).max())
    scale = tools.settings.mask_px / (1.3 * side)
    origin = (low + high) / 2 - 0.65 * side
    centre = (np.asarray(camera.centre_px) - origin) * scale
    size = tools.settings.mask_px
    cut = Camera(camera.rotation, camera.translation, camera.focal_px * scale, (centre[0], centre[1]), size, size)
    covered = tools.rasteriser.rasterise(vertices, tools.triangles, cut).mask
    beyond = np.floor((line.pixels - origin) * scale + 2 * line.normals_px).astype(int)
    beyond = np.clip(beyond, 0, size - 1)
    free = ~covered[beyond[:, 1], beyond[:, 0]]
    return Silhouette(line.edges[free], line.weights[free], line.pixels[free], line.normals_px[free])


def followed(line: Silhouette, outline: FaceOutline, reach_px: float, settings: ProfileFitSettings) -> Followed:
    """For each point of a head's line the nearest one of the outline that runs the same way."""
    tree = KDTree(outline.points_px)
    count = min(40, len(outline.points_px))
    distance, candidates = tree.query(line.pixels, k=count, distance_upper_bound=reach_px)
    there = np.isfinite(distance)
    candidates = np.where(there, candidates, 0)
    alike = np.einsum("nd,nkd->nk", line.normals_px, outline.normals_px[candidates]) > settings.alike
    distance = np.where(there & alike, distance, np.inf)
    best = np.argmin(distance, axis=1)
    rows = np.arange(len(best))
    found = np.isfinite(distance[rows, best])
    pairs = np.where(found, candidates[rows, best], -1)
    length = spacing(line.pixels)
    off = np.abs(np.sum((line.pixels - outline.points_px[pairs]) * line.normals_px, axis=1))
    mean = float(np.average(off[found], weights=length[found])) if found.any() else np.inf
    return Followed(line, pairs, mean, float(length[found].sum() / max(length.sum(), 1e-9)))


def spacing(points: np.ndarray) -> np.ndarray:
    """The length of line that each of unordered points [n, 2] on it stands for."""
    if len(points) < 3:
        return np.ones(len(points))
    distance, _ = KDTree(points).query(points, k=3)
    length = np.maximum(distance[:, 1:].mean(axis=1), 1e-6)
    return np.minimum(length, 4 * np.median(length))


def outline_problem(
    tools: ProfileTools, problem: LandmarkProblem, photo: OutlinedPhoto, at: FitParameters
) -> LandmarkProblem:
    """The problem whose points are those of the head's silhouette in the current shape and pose, each to lie on the
    photo's outline, where along it does not matter."""
    model, settings, outline = tools.model, tools.settings, photo.outline
    vertices = model.shape(at.identity, at.expression)
    reach = settings.last_reach * outline.extent_px
    found = followed(standing_out(tools, vertices, photo.camera(at)), outline, reach, settings)
    rows = found.pairs >= 0
    line = found.line
    edges, weights = line.edges[rows], line.weights[rows]
    basis = point_basis(
        model, np.column_stack([edges, edges[:, 1]]), np.column_stack([weights, np.zeros(len(weights))])
    )
    return replace(
        problem, basis=basis, targets=_targets(found, outline, settings.sigma_m, float(np.exp(at.log_scale)), settings)
    )


def _targets(
    found: Followed, outline: FaceOutline, sigma_m: float, px_per_m: float, settings: ProfileFitSettings
) -> Targets:
    rows = found.pairs >= 0
    pixels, normals = outline.points_px[found.pairs[rows]], outline.normals_px[found.pairs[rows]]
    share = spacing(found.line.pixels)[rows] / (settings.alike_over_m * px_per_m)
    strength = share / (sigma_m * px_per_m) ** 2
    return Targets(pixels, strength[:, None, None] * np.einsum("ni,nj->nij", normals, normals))


def place(
    tools: ProfileTools, photo: OutlinedPhoto, head: FitParameters, priors: Priors
) -> tuple[FitParameters, Priors, Followed]:
    """Where the camera of a profile stands.

    Args:
        tools: see there.
        photo: in profile.
        head: identity and expression; its camera does not matter.
        priors: of the photo; how the head is turned is put in.

    Returns:
        The head with the photo's camera, the priors with the side that it looks to, and how well the outline is its.
    """
    model, settings, outline = tools.model, tools.settings, photo.outline
    vertices = model.shape(head.identity, head.expression)
    best: tuple[float, FitParameters, Priors, Followed] | None = None
    for start, yaw in _starts(tools, vertices, photo, head, priors):
        towards = np.array([np.sin(yaw), 0.0, np.cos(yaw)])
        sigma = np.radians([settings.turn_sigma_degrees, settings.lean_sigma_degrees, settings.turn_sigma_degrees])
        turned = replace(priors, towards_camera=towards, towards_sigma=sigma)
        at = approached(tools, vertices, photo, start, turned, settings.rounds)
        line = standing_out(tools, vertices, photo.camera(at))
        sure = replace(settings, alike=settings.sure_alike)
        found = followed(line, outline, settings.sure_reach * outline.extent_px, sure)
        misses = _misses(line, outline, settings)
        if best is None or misses < best[0]:
            best = misses, at, turned, found
    assert best is not None
    return best[1], best[2], best[3]


def _misses(line: Silhouette, outline: FaceOutline, settings: ProfileFitSettings) -> float:
    """Mean distance between line and outline, both ways, what is farther than the reach counting as that."""
    reach = settings.last_reach * outline.extent_px
    if len(line.pixels) == 0:
        return np.inf
    there = followed(line, outline, reach, settings)
    off = np.full(len(line.pixels), reach)
    rows = there.pairs >= 0
    off[rows] = np.linalg.norm(line.pixels[rows] - outline.points_px[there.pairs[rows]], axis=1)
    back, _ = KDTree(line.pixels).query(outline.points_px)
    forth = np.average(off, weights=spacing(line.pixels))
    return float(forth + np.minimum(back, reach).mean())


def approached(
    tools: ProfileTools,
    vertices: np.ndarray,
    photo: OutlinedPhoto,
    start: FitParameters,
    priors: Priors,
    rounds: int,
) -> FitParameters:
    """The camera moved until the head's silhouette lies on the outline, its shape as it is.

    Args:
        tools: see there.
        vertices: float [V, 3], of the head.
        photo: in profile.
        start: where the camera stands.
        priors: of the photo.
        rounds: in which points are associated anew; the first of `settings.rounds` reach further.
    """
    settings, outline = tools.settings, photo.outline
    none = np.zeros(0)
    bare = replace(start, identity=none, expression=none)
    rigid = replace(priors, expression_mean=none, expression_sigma=none)
    for turn in range(settings.rounds - rounds, settings.rounds):
        share = turn / max(settings.rounds - 1, 1)
        reach = settings.reach ** (1 - share) * settings.last_reach**share * outline.extent_px
        line = standing_out(tools, vertices, photo.camera(bare))
        found = followed(line, outline, reach, settings)
        rows = found.pairs >= 0
        if rows.sum() < 6:
            break
        points = np.einsum("nk,nkd->nd", line.weights[rows], vertices[line.edges[rows]]).astype(np.float64)
        basis = PointBasis(points, np.zeros((0, *points.shape)), np.zeros((0, *points.shape)))
        targets = _targets(found, outline, settings.rigid_sigma_m, float(np.exp(bare.log_scale)), settings)
        bare = solve_landmarks(basis, targets, bare, rigid, photo.centre_px, iterations=3)
    return replace(bare, identity=start.identity, expression=start.expression)


def _starts(
    tools: ProfileTools,
    vertices: np.ndarray,
    photo: OutlinedPhoto,
    head: FitParameters,
    priors: Priors,
) -> list[tuple[FitParameters, float]]:
    """The likeliest places of the head's line in the outline, and which side each looks to, radians."""
    settings, outline, centre_px = tools.settings, photo.outline, photo.centre_px
    every = max(1, len(outline.points_px) // 150)
    points, normals = outline.points_px[::every], outline.normals_px[::every]
    cell = settings.bin * outline.extent_px
    votes: list[tuple[float, FitParameters, float]] = []
    for yaw in (np.radians(settings.yaw_degrees), -np.radians(settings.yaw_degrees)):
        upright = replace(
            head,
            rotation=Rotation.from_euler("y", -yaw).as_matrix(),
            shift=np.zeros(2),
            log_scale=float(np.log(outline.extent_px / settings.sizes_m[0])),
            log_focal=priors.log_focal_mean,
        )
        line = standing_out(tools, vertices, photo.camera(upright))
        step = max(1, len(line.pixels) // 100)
        weight = spacing(line.pixels[::step])
        for roll in settings.roll_degrees:
            c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
            turn = np.array([[c, s], [-s, c]])  # y is down
            turned = (line.pixels[::step] - centre_px) @ turn.T
            pairs = np.argwhere((line.normals_px[::step] @ turn.T) @ normals.T > 0.9)
            for shrunk in np.geomspace(1.0, settings.sizes_m[0] / settings.sizes_m[1], settings.sizes):
                from_line = shrunk * turned + centre_px
                count, move = _most_votes(from_line, points, pairs, weight, cell)
                log_scale = upright.log_scale + float(np.log(shrunk))
                rotation = Rotation.from_euler("z", roll, degrees=True).as_matrix() @ upright.rotation
                shift = move * [1, -1] / np.exp(log_scale)
                placed = replace(upright, rotation=rotation, log_scale=log_scale, shift=shift)
                votes.append((count, placed, float(yaw)))
    votes.sort(key=lambda vote: -vote[0])
    return [(at, yaw) for _, at, yaw in votes[: settings.starts]]


def _most_votes(
    line: np.ndarray, points: np.ndarray, pairs: np.ndarray, weight: np.ndarray, cell: float
) -> tuple[float, np.ndarray]:
    """The shift [2] that brings most of a line [n, 2] onto points [m, 2], by votes of pairs [k, 2], and how many."""
    shift = points[pairs[:, 1]] - line[pairs[:, 0]]
    if len(shift) == 0:
        return 0.0, np.zeros(2)
    low = shift.min(axis=0)
    cells = np.floor((shift - low) / cell).astype(int)
    grid = np.zeros(cells.max(axis=0) + 1, np.float32)
    np.add.at(grid, (cells[:, 0], cells[:, 1]), weight[pairs[:, 0]] / weight.sum())
    grid = np.asarray(cv2.GaussianBlur(grid, (0, 0), 1.0))
    peak = np.unravel_index(int(np.argmax(grid)), grid.shape)
    return float(grid[peak]), low + (np.array(peak) + 0.5) * cell
