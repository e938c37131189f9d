"""Worlds of any image, studio lights that fit the head, turntables, engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector


@pytest.fixture
def head(imported: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """The imported head, put back as it was afterwards."""
    bpy.ops.relightify.match_photo_light()
    yield imported
    bpy.ops.relightify.remove_turntable()
    bpy.ops.relightify.remove_light_rig()
    imported.root.scale = (1, 1, 1)
    imported.root.location = imported.head.location = (0, 0, 0)


def write_image(path: Path) -> Path:
    image = bpy.data.images.new("written", 8, 4, float_buffer=True)
    image.filepath_raw, image.file_format = str(path), "HDR"
    image.save()
    bpy.data.images.remove(image)
    return path


def test_any_image_file_lights_the_scene(head: SimpleNamespace, tmp_path: Path) -> None:
    path = write_image(tmp_path / "meadow.hdr")
    assert bpy.ops.relightify.relight(light="image", filepath=str(path), strength=2.0) == {"FINISHED"}
    nodes = bpy.context.scene.world.node_tree.nodes
    texture = next(n for n in nodes if n.type == "TEX_ENVIRONMENT")
    assert Path(texture.image.filepath_raw).name == "meadow.hdr"
    assert nodes["Strength"].inputs["Strength"].default_value == pytest.approx(2.0)
    # The same by the name of the loaded image.
    first = bpy.context.scene.world
    bpy.ops.relightify.match_photo_light()
    assert bpy.ops.relightify.relight(light="image", image=texture.image.name) == {"FINISHED"}
    assert bpy.context.scene.world == first


def test_light_of_an_image_file_can_be_packed_and_studio_lights_are(head: SimpleNamespace, tmp_path: Path) -> None:
    bpy.ops.relightify.relight(light="image", filepath=str(write_image(tmp_path / "meadow.hdr")))
    image = bpy.context.scene.relightify_light.image
    assert image.packed_file is None
    assert bpy.ops.relightify.pack_light() == {"FINISHED"}
    assert image.packed_file is not None
    assert not bpy.ops.relightify.pack_light.poll()
    bpy.ops.relightify.relight(light="sunset")
    bpy.ops.relightify.relight(light="city")
    path = str(tmp_path / "lit.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    with bpy.data.libraries.load(path, link=False) as (inside, wanted):
        wanted.images = [name for name in inside.images if name.startswith(("city", "sunset"))]
    kept = wanted.images
    assert len(kept) == 2
    assert all(image.packed_file is not None and len(image.pixels) > 1000 for image in kept)
    for image in kept:
        bpy.data.images.remove(image)


def test_file_that_is_no_image_is_refused_in_a_sentence(head: SimpleNamespace, tmp_path: Path) -> None:
    path = tmp_path / "notes.hdr"
    path.write_text("not an image")
    world = bpy.context.scene.world
    with pytest.raises(RuntimeError, match=r"notes\.hdr"):
        bpy.ops.relightify.relight(light="image", filepath=str(path))
    assert bpy.context.scene.world == world


def test_camera_sees_the_hdri_or_a_grey_wall(head: SimpleNamespace) -> None:
    for shown, hidden in ((True, 0.0), (False, 1.0)):
        bpy.ops.relightify.relight(light="city", show_backdrop=shown)
        nodes = bpy.context.scene.world.node_tree.nodes
        assert nodes["Hide light from camera"].inputs[1].default_value == hidden
    bpy.ops.relightify.match_photo_light()
    assert bpy.context.scene.world.node_tree.nodes["Hide light from camera"].inputs[1].default_value == 1.0


def test_matching_the_photo_undoes_rotation_and_film_look(head: SimpleNamespace) -> None:
    scene = bpy.context.scene
    bpy.ops.relightify.relight(light="sunset", rotation=1.0, strength=3.0)
    scene.view_settings.view_transform = "AgX"
    assert bpy.ops.relightify.match_photo_light() == {"FINISHED"}
    nodes = scene.world.node_tree.nodes
    assert scene.world == head.world
    assert scene.view_settings.view_transform == "Standard"
    assert nodes["Rotation"].inputs["Rotation"].default_value[2] == 0
    assert nodes["Strength"].inputs["Strength"].default_value == 1
    bpy.ops.relightify.relight(light="sunset")
    assert scene.view_settings.view_transform == "AgX"


def test_studio_lights_of_blender_are_offered_by_name(installed: SimpleNamespace) -> None:
    names = [light.name for light in installed.light.worlds.studio_lights(bpy.context.preferences)]
    assert names[: len(installed.light.worlds.STUDIO_LIGHTS)] == sorted(installed.light.worlds.STUDIO_LIGHTS)
    assert bpy.context.scene.relightify_light.bl_rna.properties["studio_light"].enum_items is not None


def lamps_of(head: SimpleNamespace, installed: SimpleNamespace) -> dict[str, bpy.types.Object]:
    bpy.context.view_layer.update()
    rig = installed.light.rigs.find_rig(head.head)
    return {child["relightify_lamp"]: child for child in rig.children}


def test_studio_lights_stand_around_the_head_and_look_at_it(head: SimpleNamespace, installed: SimpleNamespace) -> None:
    assert bpy.ops.relightify.add_light_rig() == {"FINISHED"}
    lamps = lamps_of(head, installed)
    assert set(lamps) == {"Key", "Fill", "Rim"}
    middle = head.head.matrix_world @ Vector((0, 0.06, 0))
    for lamp in lamps.values():
        aim = lamp.matrix_world.to_quaternion() @ Vector((0, 0, -1))
        to_head = (middle - lamp.matrix_world.translation).normalized()
        assert aim.dot(to_head) > 0.99
    # Key and fill before the face on both sides, rim behind it; a viewer's left is -x.
    places = {name: lamp.matrix_world.translation for name, lamp in lamps.items()}
    assert places["Key"].x < 0 < places["Fill"].x
    assert max(places["Key"].y, places["Fill"].y) < 0 < places["Rim"].y
    assert places["Key"].z > 0.1
    assert bpy.context.scene.relightify_light.source == "PLAIN"


def test_sliders_of_studio_lights_work_at_once(head: SimpleNamespace, installed: SimpleNamespace) -> None:
    bpy.ops.relightify.add_light_rig(dim_world=False)
    assert bpy.context.scene.world == head.world
    settings = installed.light.rigs.find_rig(head.head).relightify_rig
    lamps = lamps_of(head, installed)
    power = lamps["Fill"].data.energy
    settings.ratio = settings.ratio * 2
    assert lamps["Fill"].data.energy == pytest.approx(power / 2, rel=1e-4)
    settings.angle = -0.7
    assert lamps["Key"].location.x > 0 > lamps["Fill"].location.x
    settings.warmth = 1.0
    key, fill = lamps["Key"].data.color, lamps["Fill"].data.color
    assert key[0] > key[2]
    assert fill[0] < fill[2]
    size = lamps["Key"].data.size
    settings.softness = 2.0
    assert lamps["Key"].data.size == pytest.approx(2 * size)


def test_studio_lights_grow_with_the_head_and_keep_its_brightness(
    head: SimpleNamespace, installed: SimpleNamespace
) -> None:
    measured = []
    for scale in (1.0, 10.0):
        head.root.scale = (scale,) * 3
        bpy.context.view_layer.update()
        bpy.ops.relightify.remove_light_rig()
        bpy.ops.relightify.add_light_rig()
        key = lamps_of(head, installed)["Key"]
        distance = (key.matrix_world.translation - head.head.matrix_world.translation).length
        size = key.data.size * key.matrix_world.to_scale().x
        measured.append((distance, size, key.data.energy / distance**2))
    (near, small, bright), (far, large, as_bright) = measured
    assert far == pytest.approx(10 * near, rel=1e-3)
    assert large == pytest.approx(10 * small, rel=1e-3)
    assert as_bright == pytest.approx(bright, rel=1e-3)


def test_studio_lights_follow_a_head_that_is_moved_and_go_with_remove(
    head: SimpleNamespace, installed: SimpleNamespace
) -> None:
    bpy.ops.relightify.add_light_rig()
    before = lamps_of(head, installed)["Key"].matrix_world.translation.copy()
    head.head.location = (0.5, 0.0, 0.2)
    after = lamps_of(head, installed)["Key"].matrix_world.translation
    assert (after - before - Vector((0.5, 0.0, 0.2))).length < 1e-5
    assert bpy.ops.relightify.remove_light_rig() == {"FINISHED"}
    assert not [o for o in bpy.data.objects if "relightify_lamp" in o]
    assert not bpy.data.lights
    assert installed.light.rigs.find_rig(head.head) is None


def test_turntable_goes_round_once_evenly_loops_and_keeps_the_head_in_frame(
    head: SimpleNamespace, installed: SimpleNamespace
) -> None:
    scene = bpy.context.scene
    photo_camera = scene.camera
    scene.relightify_turntable.frames, scene.relightify_turntable.start = 40, 5
    assert bpy.ops.relightify.set_up_turntable() == {"FINISHED"}
    camera = scene.camera
    assert camera != photo_camera
    assert (scene.frame_start, scene.frame_end) == (5, 44)
    headings = []
    for frame in range(5, 46):
        scene.frame_set(frame)
        place = camera.matrix_world.translation - installed.light.turntable.find_turntable(head.head).location
        headings.append(np.arctan2(place.x, -place.y))
        for corner in head.head.bound_box:
            seen = world_to_camera_view(scene, camera, head.head.matrix_world @ Vector(corner))
            assert 0 < seen.x < 1
            assert 0 < seen.y < 1
    steps = np.diff(np.unwrap(headings))
    np.testing.assert_allclose(steps, 2 * np.pi / 40, rtol=1e-3)
    assert headings[0] == pytest.approx(0, abs=1e-6)
    assert bpy.ops.relightify.remove_turntable() == {"FINISHED"}
    assert scene.camera == photo_camera


def test_light_turns_round_the_head_and_stops(head: SimpleNamespace, installed: SimpleNamespace) -> None:
    scene = bpy.context.scene
    bpy.ops.relightify.relight(light="forest", rotation=0.5)
    scene.relightify_turntable.turns = "LIGHT"
    scene.relightify_turntable.frames, scene.relightify_turntable.start = 20, 1
    assert bpy.ops.relightify.set_up_turntable() == {"FINISHED"}
    rotation = scene.world.node_tree.nodes["Rotation"].inputs["Rotation"]
    scene.frame_set(11)
    assert rotation.default_value[2] == pytest.approx(0.5 + np.pi, abs=1e-4)
    assert installed.light.turntable.light_turns(scene)
    bpy.ops.relightify.remove_turntable()
    assert not installed.light.turntable.light_turns(scene)
    bpy.ops.relightify.relight(light="plain")
    with pytest.raises(RuntimeError, match="no HDRI"):
        bpy.ops.relightify.set_up_turntable()
    scene.relightify_turntable.turns = "CAMERA"


def test_turntable_renders_to_files(head: SimpleNamespace, tmp_path: Path) -> None:
    scene = bpy.context.scene
    scene.relightify_turntable.frames, scene.relightify_turntable.start = 2, 1
    bpy.ops.relightify.set_up_turntable()
    scene.render.engine = "BLENDER_WORKBENCH"
    bpy.ops.relightify.set_up_render(engine="CYCLES")
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.render.resolution_percentage = 5
    assert bpy.ops.relightify.render_turntable(filepath=str(tmp_path / "spin.png"), kind="FRAMES") == {"FINISHED"}
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["spin_0001.png", "spin_0002.png"]
    assert bpy.ops.relightify.render_turntable(filepath=str(tmp_path / "spin"), kind="MOVIE") == {"FINISHED"}
    assert (tmp_path / "spin.mp4").stat().st_size > 500
    bpy.ops.relightify.render_turntable(filepath=str(tmp_path / "new" / "takes" / "spin"), kind="FRAMES")
    assert len(list((tmp_path / "new" / "takes").iterdir())) == 2
    with pytest.raises(RuntimeError, match="could not be written"):
        bpy.ops.relightify.render_turntable(filepath=str(tmp_path / "spin.mp4" / "spin"), kind="FRAMES")


def test_engines_are_set_up_for_a_face(head: SimpleNamespace, installed: SimpleNamespace) -> None:
    scene = bpy.context.scene
    bpy.ops.relightify.set_up_render(engine="EEVEE")
    assert scene.render.engine == installed.compat.eevee_engine()
    assert scene.eevee.use_raytracing
    assert scene.eevee.ray_tracing_options.screen_trace_thickness < 0.05
    bpy.ops.relightify.set_up_render(engine="CYCLES")
    assert scene.render.engine == "CYCLES"


def test_skin_scatters_over_millimetres(head: SimpleNamespace) -> None:
    """Mean free paths of skin (Jensen et al. 2001) are some millimetres in red and less in green and blue."""
    skin = head.head.data.materials[0]
    shader = next(n for n in skin.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    lengths_mm = (
        1000
        * shader.inputs["Subsurface Scale"].default_value
        * np.array(shader.inputs["Subsurface Radius"].default_value)
    )
    assert 1.0 < lengths_mm[0] < 4.0
    assert 0.3 < lengths_mm[2] < lengths_mm[1] < lengths_mm[0]


def test_mouth_darkens_towards_the_throat_and_keeps_its_colour_for_exporters(head: SimpleNamespace) -> None:
    for slot in head.head.material_slots:
        if not slot.name.endswith(("mouth", "tongue")):
            continue
        shader = next(n for n in slot.material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
        depth = next(n for n in slot.material.node_tree.nodes if n.type == "MAP_RANGE")
        assert depth.inputs["To Max"].default_value < 0.2 < depth.inputs["To Min"].default_value
        assert shader.inputs["Base Color"].is_linked
        red, green, *_ = shader.inputs["Base Color"].default_value
        assert red > 2 * green > 0
