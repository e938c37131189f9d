"""Bones and weights of the model's mean head."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.anatomy.geometry import HeadGeometry, head_geometry, part_faces
from blender_addon.anatomy.regions import region_weights
from blender_addon.skeleton import skinning
from blender_addon.skeleton.naming import BLENDER, NAMINGS
from blender_addon.skeleton.skinning import HeadShape, Skeleton, Turn, make_skeleton, rigid_turn
from tests.blender import finished_job


@pytest.fixture(scope="module")
def geometry() -> HeadGeometry:
    return head_geometry(finished_job.head_mesh())


@pytest.fixture(scope="module")
def shape(geometry: HeadGeometry) -> HeadShape:
    quads, parts = geometry.quads, {}
    for name in geometry.part_names:
        corners = quads[part_faces(geometry, name)]
        parts[name] = np.unique(corners[corners >= 0])
    whole = quads[quads[:, 3] >= 0]
    edges = np.unique(np.sort(np.concatenate([np.roll(whole, -k, axis=1)[:, :2] for k in range(4)]), axis=1), axis=0)
    names = geometry.shape_names
    offsets = {n: geometry.shape_offsets[names.index(n)] for n in names if n == "jawOpen" or n.startswith("eyeLook")}
    neck = region_weights(geometry.hm08_vertex_ids)["Neck"]
    skin = quads[part_faces(geometry, "skin")]
    sides = np.sort(np.concatenate([np.roll(skin[skin[:, 3] >= 0], -k, axis=1)[:, :2] for k in range(4)]), axis=1)
    once, count = np.unique(sides, axis=0, return_counts=True)
    rims = np.unique(once[count == 1])
    border = rims[geometry.vertices[rims][:, 2] < -0.12]
    return HeadShape(geometry.vertices, edges, parts, offsets, neck, border)


@pytest.fixture(scope="module")
def skeleton(shape: HeadShape) -> Skeleton:
    return make_skeleton(shape)


def test_turn_is_found_from_where_points_went() -> None:
    rng = np.random.default_rng(0)
    axis = np.array([0.6, 0.0, 0.8])
    turn = Turn(np.array([0.1, -0.2, 0.3]), axis, 0.7)
    points = rng.normal(size=(40, 3))
    found = rigid_turn(points, turn.offsets(points))
    assert found.angle == pytest.approx(0.7)
    assert np.allclose(found.axis, axis)
    # Any point of the axis will do as pivot.
    assert np.allclose(np.cross(found.pivot - turn.pivot, axis), 0, atol=1e-9)


def test_weights_of_a_vertex_add_up_to_one(skeleton: Skeleton) -> None:
    total = np.sum(list(skeleton.weights.values()), axis=0)
    assert np.allclose(total, 1)
    assert min(w.min() for w in skeleton.weights.values()) >= -1e-12


def test_eyes_are_rigid_and_turn_about_their_middles(shape: HeadShape, skeleton: Skeleton) -> None:
    for role in (skinning.LEFT_EYE, skinning.RIGHT_EYE):
        ball = shape.parts[role]
        assert np.array_equal(np.flatnonzero(skeleton.weights[role]), ball)
        centre = skeleton.bones[role].head
        radius = np.linalg.norm(shape.vertices[ball] - centre, axis=1)
        assert radius.std() < 2e-4
    assert np.degrees(skeleton.looks["eyeLookOutLeft"]) == pytest.approx(26, abs=0.1)
    assert np.degrees(skeleton.looks["eyeLookUpLeft"]) == pytest.approx(-22, abs=0.1)
    assert skeleton.looks["eyeLookOutLeft"] == pytest.approx(-skeleton.looks["eyeLookOutRight"], abs=1e-4)


def test_jaw_carries_the_lower_teeth_and_the_chin(shape: HeadShape, skeleton: Skeleton) -> None:
    jaw, weight = skeleton.jaw, skeleton.weights[skinning.JAW]
    assert jaw is not None
    assert np.degrees(jaw.angle) == pytest.approx(25.3, abs=0.5)
    teeth = shape.parts["teeth"]
    upper = shape.vertices[teeth][:, 2] > shape.vertices[teeth][:, 2].mean()
    moved = np.linalg.norm(shape.offsets["jawOpen"][teeth], axis=1)
    assert set(weight[teeth][moved > 0.01]) == {1.0}
    assert set(weight[teeth][moved < 0.001]) == {0.0}
    assert upper.any()
    chin = shape.vertices[shape.parts["skin"]]
    lowest = shape.parts["skin"][np.argmin(np.linalg.norm(chin - skeleton.bones[skinning.JAW].tail, axis=1))]
    assert weight[lowest] > 0.8
    # What a rigid jaw does not explain is small but for the lips and the cheeks.
    rest = shape.offsets["jawOpen"] - weight[:, None] * jaw.offsets(np.asarray(shape.vertices, np.float64))
    assert np.linalg.norm(rest, axis=1).mean() < 1e-3


def test_bones_end_inside_of_the_head(shape: HeadShape, skeleton: Skeleton) -> None:
    """Else they are seen as specks on chin and eyes, through which the artist looks at a new head."""
    for role in (skinning.LEFT_EYE, skinning.RIGHT_EYE):
        bone = skeleton.bones[role]
        radius = np.linalg.norm(shape.vertices[shape.parts[role]] - bone.head, axis=1).min()
        assert 0.5 * radius < np.linalg.norm(bone.tail - bone.head) < 0.95 * radius
    skin = shape.vertices[shape.parts["skin"]]
    for role in (skinning.JAW, skinning.HEAD):
        assert np.linalg.norm(skin - skeleton.bones[role].tail, axis=1).min() > 0.004


def test_border_of_the_neck_stays_with_the_root(shape: HeadShape, skeleton: Skeleton) -> None:
    skin = shape.parts["skin"]
    assert np.ptp(shape.vertices[shape.border][:, 2]) > 0.01, "no plane"
    assert skeleton.weights[skinning.ROOT][shape.border].min() > 0.99
    away = np.min([np.linalg.norm(shape.vertices[skin] - shape.vertices[v], axis=1) for v in shape.border], axis=0)
    assert skeleton.weights[skinning.ROOT][skin][away > 0.031].max() == 0
    top = shape.vertices[skin][:, 2] > 0.05
    assert skeleton.weights[skinning.HEAD][skin][top].min() > 0.99


def test_head_without_eyes_and_teeth_has_neither_bones_nor_looks(shape: HeadShape) -> None:
    bare = HeadShape(
        shape.vertices, shape.edges, {"skin": shape.parts["skin"]}, shape.offsets, shape.neck, shape.border
    )
    skeleton = make_skeleton(bare)
    assert set(skeleton.bones) == {skinning.ROOT, skinning.NECK, skinning.HEAD}
    assert skeleton.jaw is None
    assert not skeleton.looks
    assert np.allclose(np.sum(list(skeleton.weights.values()), axis=0), 1)


def test_every_naming_has_a_name_of_its_own_for_every_bone() -> None:
    for names in NAMINGS.values():
        assert set(names) == set(BLENDER)
        assert len(set(names.values())) == len(names)
