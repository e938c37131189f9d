"""Khronos' validator on what the glTF presets write."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from tests.blender import finished_job, gltf_validator

# Without tangents in the file, engines make MikkTSpace ones, as the standard says; an option writes them.
GENERATED_TANGENTS = "MESH_PRIMITIVE_GENERATED_TANGENT_SPACE"


@pytest.mark.skipif(bool(gltf_validator.missing()), reason=gltf_validator.missing() or "never")
@pytest.mark.parametrize(
    ("file", "choices", "warnings"),
    [
        ("Ada.glb", {"preset": "GLB"}, {GENERATED_TANGENTS}),
        ("Ada.gltf", {"preset": "GLTF", "use_tangents": True}, set()),
        ("Ada.glb", {"preset": "GLB", "expression": "APPLIED", "use_eyes": False}, {GENERATED_TANGENTS}),
    ],
    ids=["glb", "gltf with tangents", "applied, no eyes"],
)
def test_validator_finds_no_errors(
    addon: SimpleNamespace, tmp_path: Path, file: str, choices: dict, warnings: set[str]
) -> None:
    addon.scene.importer.import_head(bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64))
    bpy.ops.relightify.export(filepath=str(tmp_path / file), **choices)
    found = gltf_validator.issues(tmp_path / file)
    assert not found[0]
    assert found[1] == warnings


@pytest.mark.skipif(bool(gltf_validator.missing()), reason=gltf_validator.missing() or "never")
def test_validator_finds_no_errors_in_an_animated_head(addon: SimpleNamespace, tmp_path: Path) -> None:
    made = addon.scene.importer.import_head(bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64))
    key = made.head.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.0), (5, 0.8)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.glb"), preset="GLB", texture_size="256")
    assert not gltf_validator.issues(tmp_path / "Ada.glb")[0]
