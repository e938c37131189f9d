"""One call from a finished job to a head in the scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from .._shared import HeadMesh
from ..anatomy.parts import FULL, SKIN, kept_parts
from ..anatomy.prepared import PreparedHead, prepare_head
from . import mesh, stage
from .heads import (
    CAMERA,
    EXPRESSION,
    FORMAT,
    HEAD,
    MADE,
    OPTIONS,
    PHOTO,
    WORLD,
    ImportedHead,
    free_place,
    heads_of,
    units_per_metre,
)
from .images import stored_file
from .photos import camera
from .skin import materials
from .world import environment_world


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
    set_stage: bool | None = None,
    prepared: PreparedHead | None = None,
) -> ImportedHead:
    """Build head, materials, camera and world in a collection of their own.

    Args:
        scene: gets the collection, and is set for the head where asked.
        name: what to call the head, usually the photo's name.
        head_mesh: mesh, camera and light.
        maps: PNG bytes by map name.
        photo: bytes of the upright photo for the camera's background.
        use_camera: add the photo's camera; setting the stage, it becomes the scene's, with the photo's frame.
        use_light: setting the stage, make the photo's light the scene's world, shown without a film look so that it
            matches the photo.
        parts: `parts.FULL`, or `parts.SKIN` for a head without eyes, mouth and lashes.
        original: bytes of the photo's own file, kept for reconstructing it again; None for those of `photo`.
        options: what the job was asked for; plain values, kept with the head.
        set_stage: whether the scene's camera, frame, world and film look are set for this head; None for the first
            head of the scene only.
        prepared: what `prepare_head` made of the same mesh, where that was done ahead on another thread.

    Raises:
        KeyError: a map is missing.
        RelightifyError: ``bad_image`` where Blender cannot read an image.
    """
    older = heads_of(scene)
    set_stage = not older if set_stage is None else set_stage
    prepared = prepared or prepare_head(head_mesh)
    geometry = kept_parts(prepared.geometry, parts)
    unit = units_per_metre(scene)
    surfaces = materials.build_materials(
        name,
        maps,
        prepared.painted,
        skin_only=parts == SKIN,
        units_per_metre=unit,
    )

    collection = bpy.data.collections.new(f"Relightify {name}")
    collection[MADE] = True
    scene.collection.children.link(collection)
    root = bpy.data.objects.new(f"{name} root", None)
    root.empty_display_size = 0.05
    head = mesh.build_head(name, geometry, surfaces)
    for thing in (root, head):
        collection.objects.link(thing)
    head.parent = root
    root.location.x, root.scale = free_place(scene, older), (unit, unit, unit)
    world = environment_world(f"{name} photo light", head_mesh.environment)
    root[MADE], head[HEAD], head[WORLD] = True, FORMAT, world
    head[OPTIONS] = {**(options or {}), "parts": parts}
    head[EXPRESSION] = dict(zip(geometry.shape_names, map(float, geometry.shape_weights), strict=True))

    background, warnings = camera.background_image(f"{name} photo", photo, head_mesh) if use_camera else (None, ())
    photo_camera = None
    if use_camera:
        photo_camera = camera.build_camera(f"{name} camera", head_mesh, background, unit)
        collection.objects.link(photo_camera)
        photo_camera.parent = root
        photo_camera[MADE], head[CAMERA] = True, photo_camera
    kept = original or photo
    if kept:
        shown = background is not None and kept == photo
        head[PHOTO] = background if shown else stored_file(f"{name} original photo", kept)
    if set_stage and photo_camera is not None:
        stage.show_camera(scene, photo_camera)
    if set_stage and use_light:
        stage.show_light(scene, world)
    return ImportedHead(collection, root, head, photo_camera, world, warnings)
