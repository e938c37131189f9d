"""Roughness and displacement: wired into the skin, kept with the head, renewed and exported."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon.anatomy.png import encode_png
from shared.messages import Reconstruct, Result
from tests.blender import finished_job
from tests.blender.fake_backend import FakeBackend, Reply


def with_maps(*names: str) -> Any:
    """A behaviour of the backend: some of the extra maps."""
    values = {
        "roughness": encode_png(np.full((64, 64, 1), 0.4)),
        "displacement": encode_png(np.full((64, 64, 1), 0.6), 16),
    }

    def behave(request: Reconstruct, reply: Reply) -> None:
        maps = {**finished_job.maps(64), **{name: values[name] for name in names}}
        reply(Result(request.job_id, finished_job.head_mesh(), maps))

    return behave


@pytest.fixture
def head(connected: FakeBackend, addon: SimpleNamespace, photo_file: Path) -> bpy.types.Object:
    connected.behaviour = with_maps("roughness", "displacement")
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), extra_maps=True)
    return addon.link.session.session_of(bpy.context).imported.head


def nodes(head: bpy.types.Object) -> Any:
    return head.data.materials[0].node_tree.nodes


def shader(head: bpy.types.Object) -> bpy.types.Node:
    return next(n for n in nodes(head) if n.type == "BSDF_PRINCIPLED")


def output(head: bpy.types.Object) -> bpy.types.Node:
    return next(n for n in nodes(head) if n.type == "OUTPUT_MATERIAL")


def pixel(image: bpy.types.Image) -> float:
    return image.pixels[0]


def test_roughness_is_wired_as_data(head: bpy.types.Object) -> None:
    (link,) = shader(head).inputs["Roughness"].links
    image = link.from_node.image
    assert image.colorspace_settings.is_data
    assert pixel(image) == pytest.approx(0.4, abs=0.003)
    assert head["relightify_map_roughness"] == image


def test_displacement_is_ready_at_true_scale_and_waits_for_its_link(head: bpy.types.Object) -> None:
    (link,) = output(head).inputs["Displacement"].links
    assert link.is_muted
    relief = link.from_node
    # 0.5 is the surface, and all of the range a millimetre.
    assert relief.inputs["Midlevel"].default_value == 0.5
    assert relief.inputs["Scale"].default_value == pytest.approx(0.001)
    image = relief.inputs["Height"].links[0].from_node.image
    assert pixel(image) == pytest.approx(0.6, abs=1e-4)
    assert head.data.materials[0].displacement_method == "DISPLACEMENT"


def test_maps_come_and_go_with_redo(head: bpy.types.Object, connected: FakeBackend) -> None:
    names = sorted(image.name for image in bpy.data.images)
    connected.behaviour = with_maps()
    bpy.ops.relightify.reconstruct_again()
    assert not shader(head).inputs["Roughness"].is_linked
    assert not output(head).inputs["Displacement"].is_linked
    assert "relightify_map_roughness" not in head
    assert len(bpy.data.images) == len(names) - 2
    connected.behaviour = with_maps("roughness", "displacement")
    bpy.ops.relightify.reconstruct_again()
    assert shader(head).inputs["Roughness"].is_linked
    assert output(head).inputs["Displacement"].is_linked
    assert sorted(image.name for image in bpy.data.images) == names


def test_roughness_of_the_artist_stays(head: bpy.types.Object, connected: FakeBackend) -> None:
    connected.behaviour = with_maps()
    bpy.ops.relightify.reconstruct_again()
    shader(head).inputs["Roughness"].default_value = 0.33
    connected.behaviour = with_maps("roughness")
    bpy.ops.relightify.reconstruct_again()
    assert not shader(head).inputs["Roughness"].is_linked
    assert shader(head).inputs["Roughness"].default_value == pytest.approx(0.33)


@pytest.mark.parametrize(
    ("preset", "rough", "height"),
    [("UNREAL", "T_Ada_Head_R", "T_Ada_Head_H"), ("GLTF", "Ada_Head_roughness", "Ada_Head_displacement")],
)
def test_export_writes_both(head: bpy.types.Object, tmp_path: Path, preset: str, rough: str, height: str) -> None:
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada"), preset=preset)
    files = {path.stem: path for path in (tmp_path / "Ada_textures").iterdir()}
    assert height in files
    assert any(name.startswith(rough) for name in files), files
    image = bpy.data.images.load(str(files[height]))
    image.colorspace_settings.is_data = True
    assert pixel(image) == pytest.approx(0.6, abs=1e-4)


def test_single_files_hold_no_loose_displacement(head: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada"), preset="GLB")
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith("Ada")} == {"Ada.glb"}
