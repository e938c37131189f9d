"""One call from a finished job to a head in the scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import bpy

from . import camera, light, materials, mesh
from ._shared import HeadMesh, RelightifyError
from .geometry import head_geometry
from .images import image_from_bytes

SPACING_M = 0.35

# Custom properties that let the add-on find its things again, also in a file that was saved and reloaded.
HEAD = "relightify_head"
WORLD = "relightify_world"
CAMERA = "relightify_camera"
EXPRESSION = "relightify_expression"
VIEW_TRANSFORM = "relightify_view_transform"


@dataclass(frozen=True)
class ImportedHead:
    """What `import_head` made.

    Args:
        collection: holds all objects of the head.
        root: empty that moves head and camera together.
        head: the mesh object.
        camera: the photo's camera.
        world: the photo's light.
        warnings: sentences for the user about what could not be done.
    """

    collection: bpy.types.Collection
    root: bpy.types.Object
    head: bpy.types.Object
    camera: bpy.types.Object
    world: bpy.types.World
    warnings: tuple[str, ...] = ()


def import_head(
    scene: bpy.types.Scene,
    name: str,
    head_mesh: HeadMesh,
    maps: Mapping[str, bytes],
    photo: bytes | None = None,
    *,
    use_camera: bool = True,
    use_light: bool = True,
) -> ImportedHead:
    """Build head, materials, camera and world in a collection of their own.

    Args:
        scene: gets the collection, and camera and world where asked.
        name: what to call the head, usually the photo's name.
        head_mesh: mesh, camera and light.
        maps: PNG bytes by map name.
        photo: bytes of the upright photo for the camera's background.
        use_camera: make the photo's camera the scene's camera, with the photo's frame.
        use_light: make the photo's light the scene's world, shown without a film look so that it matches the photo.

    Raises:
        KeyError: a map is missing.
        RelightifyError: ``bad_image`` where Blender cannot read an image.
    """
    offset = SPACING_M * sum(is_head_collection(c) for c in scene.collection.children_recursive)
    geometry = head_geometry(head_mesh)
    parts = materials.build_materials(name, maps, head_mesh.iris_colour_srgb, geometry.eyes)
    background, warnings = _background(f"{name} photo", photo, head_mesh)

    collection = bpy.data.collections.new(f"Relightify {name}")
    scene.collection.children.link(collection)
    root = bpy.data.objects.new(f"{name} root", None)
    root.empty_display_size = 0.05
    head = mesh.build_head(name, geometry, parts)
    photo_camera = camera.build_camera(f"{name} camera", head_mesh, background)
    for thing in (root, head, photo_camera):
        collection.objects.link(thing)
    head.parent = photo_camera.parent = root
    # Side by side: a second head must not stand inside the first.
    root.location.x = offset
    world = light.environment_world(f"{name} photo light", head_mesh.environment)
    collection[HEAD], collection[CAMERA], collection[WORLD] = head, photo_camera, world
    head[EXPRESSION] = dict(zip(geometry.shape_names, map(float, geometry.shape_weights), strict=True))
    if use_camera:
        scene.camera = photo_camera
        camera.set_render_size(scene, head_mesh)
    if use_light:
        scene.world = world
        if VIEW_TRANSFORM not in scene:
            scene[VIEW_TRANSFORM] = scene.view_settings.view_transform
        scene.view_settings.view_transform = "Standard"
    return ImportedHead(collection, root, head, photo_camera, world, warnings)


def _background(name: str, photo: bytes | None, head_mesh: HeadMesh) -> tuple[bpy.types.Image | None, tuple[str, ...]]:
    """The photo as an image, unless Blender cannot read it or it is turned (Blender ignores EXIF)."""
    if not photo:
        return None, ()
    missing = "The photo is not shown behind the head: "
    try:
        image = image_from_bytes(name, photo, srgb=True)
    except RelightifyError:
        return None, (f"{missing}Blender cannot read its format.",)
    if tuple(image.size) != tuple(int(n) for n in head_mesh.image_size):
        bpy.data.images.remove(image)
        return None, (f"{missing}its file is not upright.",)
    return image, ()


def is_head_collection(collection: bpy.types.Collection) -> bool:
    """Whether a collection was made by `import_head`."""
    return HEAD in collection
