"""Sliders, faces and recordings on a head."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from mathutils import Vector

HEADER = "Timecode,BlendshapeCount,EyeBlinkLeft,JawOpen,TongueOut,HeadYaw,HeadPitch,HeadRoll"


@pytest.fixture
def head(imported: SimpleNamespace) -> bpy.types.Object:
    """The imported head, still, straight and with the photo's expression."""
    bpy.context.scene.tool_settings.use_keyframe_insert_auto = False
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 24, 1.0
    bpy.ops.relightify.clear_recording()
    bpy.ops.relightify.set_expression(expression="PHOTO")
    return imported.head


def values(head: bpy.types.Object) -> dict[str, float]:
    return {key.name: key.value for key in head.data.shape_keys.key_blocks[1:]}


def write_take(path: Path, seconds: float = 2.0, yaw: float = 0.0) -> Path:
    """A take at 60 samples a second: the jaw opens evenly, the lids shut at half time, the head turns evenly."""
    count = int(seconds * 60) + 1
    lines = [HEADER]
    for k in range(count):
        t = k / (count - 1)
        lines.append(f"10:00:{k // 60:02d}:{k % 60:02d}.000,61,{float(t >= 0.5)},{t},0.3,{yaw * t},0,0")
    path.write_text("\n".join(lines))
    return path


def test_photo_neutral_and_group_reset(head: bpy.types.Object) -> None:
    photo = values(head)
    assert photo["mouthSmileLeft"] == pytest.approx(0.35)
    head.data.shape_keys.key_blocks["jawOpen"].value = 0.5
    bpy.ops.relightify.reset_expression_group(group="Jaw")
    assert values(head)["jawOpen"] == 0
    assert values(head)["mouthSmileLeft"] == pytest.approx(0.35)
    bpy.ops.relightify.set_expression(expression="NEUTRAL")
    assert set(values(head).values()) == {0.0}
    bpy.ops.relightify.set_expression(expression="PHOTO")
    assert values(head) == photo


def test_random_face_is_the_same_for_the_same_seed(head: bpy.types.Object) -> None:
    bpy.ops.relightify.random_expression(seed=3)
    first = values(head)
    assert max(first.values()) > 0.2
    bpy.ops.relightify.random_expression(seed=4)
    assert values(head) != first
    bpy.ops.relightify.random_expression(seed=3)
    assert values(head) == first


def test_auto_keying_records_what_buttons_set(head: bpy.types.Object, installed: SimpleNamespace) -> None:
    bpy.context.scene.tool_settings.use_keyframe_insert_auto = True
    bpy.context.scene.frame_set(7)
    bpy.ops.relightify.set_expression(expression="NEUTRAL")
    curves = installed.compat.existing_curves(head.data.shape_keys)
    assert len(curves) == 52
    assert {tuple(curves[0].keyframe_points[0].co) for _ in curves} == {(7.0, 0.0)}


def test_recording_plays_at_the_scene_rate(head: bpy.types.Object, tmp_path: Path) -> None:
    take = write_take(tmp_path / "take.csv")
    assert bpy.ops.relightify.import_recording(filepath=str(take), start=10, use_head=False) == {"FINISHED"}
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end) == (10, 58)
    for frame, jaw, lid in ((10, 0.0, 0.0), (22, 0.25, 0.0), (40, 30 / 48, 1.0), (58, 1.0, 1.0)):
        scene.frame_set(frame)
        shown = values(head.evaluated_get(bpy.context.evaluated_depsgraph_get()))
        assert shown["jawOpen"] == pytest.approx(jaw, abs=1e-4)
        assert shown["eyeBlinkLeft"] == pytest.approx(lid, abs=1e-4)
        # A shape that never moves is held, one that the take does not have stays as the photo had it.
        assert shown["tongueOut"] == pytest.approx(0.3)
        assert shown["mouthSmileLeft"] == pytest.approx(0.35)


def test_recording_may_be_played_twice_and_cleared(
    head: bpy.types.Object, tmp_path: Path, installed: SimpleNamespace
) -> None:
    take = write_take(tmp_path / "take.csv", yaw=0.4)
    for start in (1, 101):
        bpy.ops.relightify.import_recording(filepath=str(take), start=start)
    keys = head.data.shape_keys
    curves = installed.compat.existing_curves(keys)
    assert len(curves) == 3
    assert min(curve.range()[0] for curve in curves) == 101
    assert bpy.ops.relightify.clear_recording() == {"FINISHED"}
    assert keys.animation_data is None
    assert tuple(head.delta_rotation_euler) == (0, 0, 0)


def test_head_turns_to_the_subjects_left_about_the_neck(head: bpy.types.Object, tmp_path: Path) -> None:
    nose, neck = Vector((0.0, -0.03, -0.03)), Vector((0.0, 0.085, -0.035))
    places = {}
    for turn in ("AS_RECORDED", "MIRRORED"):
        take = write_take(tmp_path / "take.csv", yaw=0.5)
        bpy.ops.relightify.import_recording(filepath=str(take), start=1, head_turn=turn)
        scene = bpy.context.scene
        scene.frame_set(scene.frame_end)
        places[turn] = head.matrix_world @ nose
        assert (head.matrix_world @ neck - neck).length < 1e-5
    # The subject's left is +x.
    assert places["AS_RECORDED"].x == pytest.approx(0.115 * np.sin(0.5), rel=0.02)
    assert places["MIRRORED"].x == pytest.approx(-places["AS_RECORDED"].x, rel=1e-3)


def test_long_recording_is_keyed_without_holding_blender_up(head: bpy.types.Object, installed: SimpleNamespace) -> None:
    names = [key.name for key in head.data.shape_keys.key_blocks[1:]]
    weights = np.random.default_rng(0).uniform(0, 1, (3000, 52))
    recording = installed.expression.arkit_csv.Recording(np.arange(3000) / 60, tuple(names), weights, None, None)
    options = installed.expression.face_recording.PlayOptions(start=1, fps=60.0)
    assert installed.expression.face_recording.play(head, recording, options) == 3000
    curves = installed.compat.existing_curves(head.data.shape_keys)
    assert [len(curve.keyframe_points) for curve in curves] == [3000] * 52
    assert {curves[0].keyframe_points[k].interpolation for k in (0, 1500, 2999)} == {"LINEAR"}
    assert curves[5].evaluate(1234) == pytest.approx(weights[1233, names.index(curves[5].data_path.split('"')[1])])


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"Name,Town\nAda,London\n", "no columns of face shapes"), (None, "cannot")],
)
def test_bad_file_is_refused_in_a_sentence_and_leaves_the_face_alone(
    head: bpy.types.Object, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    before = values(head)
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.relightify.import_recording(filepath=str(path))
    assert values(head) == before
    assert head.data.shape_keys.animation_data is None


def test_shapes_that_a_driver_or_keyframes_hold_are_named(
    head: bpy.types.Object, capfd: pytest.CaptureFixture[str]
) -> None:
    keys = head.data.shape_keys
    keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "0.4"
    bpy.context.view_layer.update()
    try:
        assert keys.key_blocks["jawOpen"].value == pytest.approx(0.4)
        capfd.readouterr()
        bpy.ops.relightify.set_expression(expression="NEUTRAL")
        assert "jawOpen: held by a driver" in capfd.readouterr().out
    finally:
        keys.key_blocks["jawOpen"].driver_remove("value")
    for name in ("mouthSmileLeft", "mouthSmileRight"):
        keys.key_blocks[name].value = 0.35
        keys.key_blocks[name].keyframe_insert("value", frame=1)
    bpy.ops.relightify.set_expression(expression="NEUTRAL")
    assert "mouthSmileLeft and 1 more: held by keyframes" in capfd.readouterr().out
    bpy.ops.relightify.clear_recording()
    bpy.ops.relightify.set_expression(expression="PHOTO")
    assert "held" not in capfd.readouterr().out
