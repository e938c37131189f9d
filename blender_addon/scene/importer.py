"""One call from a finished job to a head in the scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from .._shared import HeadMesh, RelightifyError
from . import camera, materials, mesh
from .geometry import head_geometry
from .heads import (
    CAMERA,
    EXPRESSION,
    HEAD,
    OPTIONS,
    PHOTO,
    WORLD,
    ImportedHead,
    is_head_collection,
)
from .images import image_from_bytes, stored_file
from .parts import FULL, SKIN, kept_parts
from .world import environment_world, show_photo_light

SPACING_M = 0.35


def import_head(
    scene: bpy.types.Scene,
    name: str,
    head_mesh: HeadMesh,
    maps: Mapping[str, bytes],
    photo: bytes | None = None,
    *,
    use_camera: bool = True,
    use_light: bool = True,
    parts: str = FULL,
    original: bytes | None = None,
    options: Mapping[str, Any] | None = None,
) -> ImportedHead:
    """Build head, materials, camera and world in a collection of their own.

    Args:
        scene: gets the collection, and camera and world where asked.
        name: what to call the head, usually the photo's name.
        head_mesh: mesh, camera and light.
        maps: PNG bytes by map name.
        photo: bytes of the upright photo for the camera's background.
        use_camera: add the photo's camera and make it the scene's camera, with the photo's frame.
        use_light: make the photo's light the scene's world, shown without a film look so that it matches the photo.
        parts: `parts.FULL`, or `parts.SKIN` for a head without eyes, mouth and lashes.
        original: bytes of the photo's own file, kept for reconstructing it again; None for those of `photo`.
        options: what the job was asked for; plain values, kept with the head.

    Raises:
        KeyError: a map is missing.
        RelightifyError: ``bad_image`` where Blender cannot read an image.
    """
    offset = SPACING_M * sum(is_head_collection(c) for c in scene.collection.children_recursive)
    geometry = head_geometry(head_mesh)
    eyes = geometry.eyes
    geometry = kept_parts(geometry, parts)
    surfaces = materials.build_materials(name, maps, head_mesh.iris_colour_srgb, eyes, skin_only=parts == SKIN)

    collection = bpy.data.collections.new(f"Relightify {name}")
    scene.collection.children.link(collection)
    root = bpy.data.objects.new(f"{name} root", None)
    root.empty_display_size = 0.05
    head = mesh.build_head(name, geometry, surfaces)
    for thing in (root, head):
        collection.objects.link(thing)
    head.parent = root
    # Side by side: a second head must not stand inside the first.
    root.location.x = offset
    world = environment_world(f"{name} photo light", head_mesh.environment)
    collection[HEAD], collection[WORLD] = head, world
    collection[OPTIONS] = {**(options or {}), "parts": parts}
    head[EXPRESSION] = dict(zip(geometry.shape_names, map(float, geometry.shape_weights), strict=True))

    background, warnings = _background(f"{name} photo", photo, head_mesh) if use_camera else (None, ())
    photo_camera = _add_camera(scene, name, collection, root, head_mesh, background) if use_camera else None
    kept = original or photo
    if kept:
        shown = background is not None and kept == photo
        collection[PHOTO] = background if shown else stored_file(f"{name} original photo", kept)
    if use_light:
        show_photo_light(scene, world)
    return ImportedHead(collection, root, head, photo_camera, world, warnings)


def _add_camera(
    scene: bpy.types.Scene,
    name: str,
    collection: bpy.types.Collection,
    root: bpy.types.Object,
    head_mesh: HeadMesh,
    background: bpy.types.Image | None,
) -> bpy.types.Object:
    photo_camera = camera.build_camera(f"{name} camera", head_mesh, background)
    collection.objects.link(photo_camera)
    photo_camera.parent = root
    collection[CAMERA] = photo_camera
    scene.camera = photo_camera
    camera.set_render_size(scene, head_mesh)
    return photo_camera


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
