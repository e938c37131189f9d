"""The add-on with the real backend, started as a user's is: a portrait goes in, a head stands in the scene.

Slow and the same in every Blender, so `.ci/test` asks for it, by RELIGHTIFY_REAL_BACKEND=1, in one version only.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view

from tests.blender.conftest import MODULE

PYTHON = os.environ.get("RELIGHTIFY_PYTHON", "")
WANTED = os.environ.get("RELIGHTIFY_REAL_BACKEND") == "1" and bool(PYTHON)
pytestmark = pytest.mark.skipif(not WANTED, reason="the real backend is tested where RELIGHTIFY_REAL_BACKEND is 1")

SIDE = 512
NAME = "astronaut"
# NASA's public-domain portrait of Eileen Collins; her eyes are there in it (x to the right, y down, of 1).
EYES = np.array([[0.39, 0.21], [0.49, 0.21]])

# Official portraits of Barack Obama of 2012 and 2009 and of Joe Biden, works of the United States government and in the
# public domain. They are test input and endorse nothing.
FACES = Path(__file__).resolve().parents[1] / "backend" / "identity"
REFERENCE, SAME_PERSON, STRANGER = (FACES / f"{name}.jpg" for name in ("obama_2012", "obama_2009", "biden_2010"))
# Where the landmarks of the irises' centres are in a photo, of 1: the person's right eye, then the left.
IRISES = """
import json, sys
from pathlib import Path
from backend.photo.face_detector import FaceDetector
from backend.photo.reading import read_photo
photo = read_photo(Path(sys.argv[1]).read_bytes())
points = FaceDetector().detect(photo)[0].landmarks_px[[468, 473]]
print(json.dumps((points / [photo.width, photo.height]).tolist()))
"""


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The portrait that comes with scikit-image, which the backend's Python has."""
    path = tmp_path_factory.mktemp("photo") / f"{NAME}.png"
    code = "import sys, skimage; skimage.io.imsave(sys.argv[1], skimage.data.astronaut())"
    subprocess.run([PYTHON, "-I", "-c", code, str(path)], check=True)
    return path


@pytest.fixture
def users_backend(addon: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend that the environment names, as a user's Blender starts it."""
    del addon
    # The model files are in the usual cache, not in the empty one that the other tests are given.
    monkeypatch.delenv("RELIGHTIFY_CACHE")
    # A user's preferences as they are at first, whatever other tests chose.
    preferences = bpy.context.preferences.addons[MODULE].preferences
    for name in ("backend", "connect_by", "connection_file", "python"):
        preferences.property_unset(name)


@pytest.fixture
def head(users_backend: None, portrait: Path) -> bpy.types.Object:
    """The head that one click makes."""
    del users_backend
    done = bpy.ops.relightify.reconstruct(filepath=str(portrait), quality="draft", resolution=str(SIDE), seed=1)
    assert done == {"FINISHED"}
    return bpy.data.objects[NAME]


def pixels(image: bpy.types.Image) -> np.ndarray:
    """float32 [H, W, channels], row 0 at the bottom."""
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(image.size[1], image.size[0], image.channels)


def test_portrait_becomes_a_head_with_expressions_skin_camera_and_light(head: bpy.types.Object) -> None:
    check_head(head)
    check_skin(head.data.materials[0])
    check_camera(head)
    check_light()


def check_head(head: bpy.types.Object) -> None:
    keys = head.data.shape_keys.key_blocks
    assert len(keys) == 53
    # She smiles.
    assert keys["mouthSmileLeft"].value > 0.2
    assert keys["mouthSmileRight"].value > 0.2
    assert keys["tongueOut"].value < 0.1
    points = np.array([vertex.co for vertex in head.data.vertices])
    assert (np.ptp(points, axis=0) > 0.1).all(), "under ten centimetres"
    assert (np.ptp(points, axis=0) < 0.5).all(), "over half a metre"
    assert sum(len(polygon.vertices) == 4 for polygon in head.data.polygons) > 0.9 * len(head.data.polygons)


def check_skin(skin: bpy.types.Material) -> None:
    images = {node.name: node.image for node in skin.node_tree.nodes if node.type == "TEX_IMAGE"}
    assert {"Diffuse", "Specular", "Normal"} <= images.keys()
    for name in ("Diffuse", "Specular", "Normal"):
        assert tuple(images[name].size) == (SIDE, SIDE), name
        assert images[name].packed_file is not None, name
        assert np.ptp(pixels(images[name])[..., 0]) > 0.05, f"{name} is plain"
    red, green, blue = np.median(pixels(images["Diffuse"])[..., :3].reshape(-1, 3), axis=0)
    assert red > green > blue, "the colour of no skin"
    assert images["Diffuse"].colorspace_settings.name == "sRGB"
    assert images["Normal"].colorspace_settings.name == "Non-Color"


def check_camera(head: bpy.types.Object) -> None:
    scene = bpy.context.scene
    (background,) = scene.camera.data.background_images
    assert tuple(background.image.size) == (512, 512)
    bpy.context.view_layer.update()
    for part, wanted in zip(("eye right", "eye left"), EYES, strict=True):
        slot = next(k for k, material in enumerate(head.data.materials) if part in material.name.lower())
        corners = {v for polygon in head.data.polygons if polygon.material_index == slot for v in polygon.vertices}
        centre = np.mean([head.data.vertices[v].co for v in corners], axis=0)
        view = world_to_camera_view(scene, scene.camera, head.matrix_world @ type(head.location)(centre))
        assert np.abs(np.array([view.x, 1 - view.y]) - wanted).max() < 0.04, part


def check_light() -> None:
    world = bpy.context.scene.world
    texture = next(node for node in world.node_tree.nodes if node.type == "TEX_ENVIRONMENT")
    radiance = pixels(texture.image)[..., :3]
    assert np.isfinite(radiance).all()
    assert radiance.min() >= 0
    assert np.ptp(radiance) > 0.1, "light from everywhere alike"


def test_two_portraits_of_one_person_become_one_head_with_a_camera_and_a_light_each(
    users_backend: None, addon: SimpleNamespace
) -> None:
    del users_backend
    further = [{"name": str(path)} for path in (SAME_PERSON, STRANGER)]
    done = bpy.ops.relightify.reconstruct(
        filepath=str(REFERENCE), further=further, quality="draft", resolution=str(SIDE), seed=1
    )
    assert done == {"FINISHED"}
    head, kept = bpy.data.objects[REFERENCE.stem], addon.scene.head_photos
    told = kept.kept_photos(head)
    assert [photo.used for photo in told] == [True, True, False]
    assert told[2].notes == ("biden_2010.jpg seems to show another person, so it is left out.",)
    for number, path in ((1, REFERENCE), (2, SAME_PERSON)):
        check_view(head, kept.camera_of(head, number), path)
    # Each has a light and an expression of its own: he smiles in the first, and speaks in the second.
    lights = [pixels(environment(kept.world_of(head, number)))[..., :3] for number in (1, 2)]
    assert all(np.isfinite(light).all() and light.min() >= 0 for light in lights)
    assert np.abs(np.log(lights[0].mean() / lights[1].mean())) < 1.5, "photos of usual exposure"
    assert np.abs(lights[0] - lights[1]).max() > 0.1
    assert told[0].expression["mouthSmileLeft"] > told[1].expression["mouthSmileLeft"] + 0.1


def environment(world: bpy.types.World) -> bpy.types.Image:
    return next(node.image for node in world.node_tree.nodes if node.type == "TEX_ENVIRONMENT")


def check_view(head: bpy.types.Object, camera: bpy.types.Object, path: Path) -> None:
    """The eyeballs are where the face detector finds the irises in the photo that is behind them."""
    (background,) = camera.data.background_images
    assert bytes(background.image.packed_file.data) == path.read_bytes()
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = background.image.size
    bpy.context.view_layer.update()
    irises = json.loads(subprocess.run([PYTHON, "-c", IRISES, str(path)], check=True, capture_output=True).stdout)
    for part, wanted in zip(("eye right", "eye left"), irises, strict=True):
        slot = next(k for k, material in enumerate(head.data.materials) if part in material.name.lower())
        corners = {v for polygon in head.data.polygons if polygon.material_index == slot for v in polygon.vertices}
        centre = np.mean([head.data.vertices[v].co for v in corners], axis=0)
        view = world_to_camera_view(scene, camera, head.matrix_world @ type(head.location)(centre))
        assert np.abs(np.array([view.x, 1 - view.y]) - wanted).max() < 0.04, (path.name, part)
