"""Lips and cheeks are kept before the teeth, and what never meets them stays as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.anatomy import geometry as geometry_module
from blender_addon.anatomy.geometry import HeadGeometry, head_geometry, part_faces
from blender_addon.anatomy.mouth.lips import LipParameters, Wall
from blender_addon.anatomy.mouth.teeth import BITE, row_of_crowns
from tests.blender.finished_job import head_mesh
from tests.blender_addon.anatomy.penetration import depths_mm


@pytest.fixture(scope="module")
def built() -> HeadGeometry:
    return head_geometry(head_mesh())


@pytest.fixture(scope="module")
def plain() -> HeadGeometry:
    """The same head with its shapes as the model has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(geometry_module, "before_teeth", lambda vertices, offsets, flesh, rows: offsets)
        return head_geometry(head_mesh())


def arch() -> np.ndarray:
    """A strip of teeth along half an ellipse [3, 41, 3], 10 mm high, metres."""
    turn = np.linspace(np.pi, 0, 41)
    flat = np.stack([0.03 * np.cos(turn), -0.03 - 0.02 * np.sin(turn)], axis=1)
    heights, depth = (-0.05, -0.06, -0.05), (0.0, 0.0, 0.004)
    return np.stack([np.c_[flat + np.array([0, d]), np.full(41, h)] for h, d in zip(heights, depth, strict=True)])


def test_wall_is_the_front_of_the_crowns() -> None:
    row = row_of_crowns(arch(), upper=True)
    wall = Wall(row, back=-0.012)
    front = row.points[row.t <= BITE][2:5].reshape(-1, 3)
    depth, normal, _ = wall.depths(front)
    assert np.abs(depth).mean() < 2e-4
    assert np.abs(depth).max() < 1.5e-3, "where gaps between crowns are cut"
    moved, _, reached = wall.depths(front + 0.002 * normal)
    assert np.abs(moved[reached] + 0.002).mean() < 5e-4, "before it by as much"
    assert not wall.depths(front + np.array([0, 0, 0.05]))[2].any(), "above the gums there is none"
    assert normal[len(normal) // 2, 1] < -0.9


@pytest.mark.parametrize("name", ["jawOpen", "mouthClose", "mouthRollLower", "mouthRollUpper"])
def test_shape_that_went_through_the_teeth_does_so_no_more(built: HeadGeometry, plain: HeadGeometry, name: str) -> None:
    assert depths_mm(plain, {name: 1.0})["teeth and lips"] > 0.3
    assert depths_mm(built, {name: 1.0})["teeth and lips"] <= 0.3


def test_neutral_face_and_shapes_away_from_the_mouth_stay(built: HeadGeometry, plain: HeadGeometry) -> None:
    assert np.array_equal(built.vertices, plain.vertices)
    for name in ("browInnerUp", "eyeBlinkLeft", "eyeLookUpRight", "noseSneerLeft"):
        index = built.shape_names.index(name)
        assert np.abs(built.shape_offsets[index] - plain.shape_offsets[index]).max() < 5e-4, name


def test_teeth_and_tongue_stay_and_skin_gives_way_smoothly(built: HeadGeometry, plain: HeadGeometry) -> None:
    changed = np.linalg.norm(built.shape_offsets - plain.shape_offsets, axis=-1)
    for part in ("teeth", "tongue", "eye_left", "lashes"):
        assert changed[:, np.unique(built.quads[part_faces(built, part)])].max() == 0.0
    skin = built.quads[part_faces(built, "skin")]
    steps = np.abs(changed[:, skin] - changed[:, np.roll(skin, 1, axis=1)])
    own = np.linalg.norm(plain.shape_offsets, axis=-1)
    assert (changed.max(axis=1) <= own.max(axis=1)).all(), "it gives way no further than the shape brought it"
    assert steps.max() < 0.006


def test_head_without_teeth_is_left_alone() -> None:
    mesh = head_mesh()
    teeth = [str(name) for name in mesh.part_names].index("teeth")
    faces = mesh.face_part != teeth
    without = replace(mesh, quads=mesh.quads[faces], uv_quads=mesh.uv_quads[faces], face_part=mesh.face_part[faces])
    assert len(head_geometry(without).shape_names) == 52
    assert LipParameters().clearance > 0
