"""What differs between Blender versions; the only module that asks which one is running."""

from __future__ import annotations

import bpy


def eevee_engine() -> str:
    """The identifier of EEVEE: renamed in 4.2 and back in 5.0."""
    return "BLENDER_EEVEE" if bpy.app.version >= (5, 0, 0) else "BLENDER_EEVEE_NEXT"


def node_tree_of(owner: bpy.types.Material | bpy.types.World) -> bpy.types.NodeTree:
    """The node tree of a material or world; it always exists from 5.0, where `use_nodes` is deprecated."""
    if bpy.app.version < (5, 0, 0):
        owner.use_nodes = True
    return owner.node_tree


def disable_sun_extraction(world: bpy.types.World) -> None:
    """Keep EEVEE from turning bright spots of a smooth world into a sun with a shadow."""
    if hasattr(world, "sun_threshold"):
        world.sun_threshold = 0.0


def soften_sun_extraction(world: bpy.types.World) -> None:
    """Let EEVEE light by an HDRI's bright lamps, which it would lose otherwise, with shadows as soft as a window's.

    What exceeds the threshold becomes one sun; left as narrow as a real one, it draws hard, coarse shadows on a head.
    """
    if hasattr(world, "sun_threshold"):
        world.sun_threshold, world.sun_angle = 10.0, 0.6
        world.use_sun_shadow = world.use_sun_shadow_jitter = True
        world.sun_shadow_maximum_resolution = 0.0005


def add_shape_key(target: bpy.types.Object, name: str) -> bpy.types.ShapeKey:
    """A shape key of value 0; in 5.0 new ones start at 1."""
    key = target.shape_key_add(name=name, from_mix=False)
    key.value = 0.0
    return key


def blend_alpha(material: bpy.types.Material) -> None:
    """Soft transparency in EEVEE that still casts dithered shadows."""
    material.surface_render_method = "DITHERED"


def usd_keep_textures() -> dict[str, object]:
    """Settings of the USD exporter that refer to texture files where they are; from 4.4 a choice of three."""
    if "export_textures_mode" in bpy.ops.wm.usd_export.get_rna_type().properties:
        return {"export_textures_mode": "KEEP"}
    return {"export_textures": False}


def animation_curves(owner: bpy.types.ID) -> bpy.types.bpy_prop_collection:
    """The F-curves of a datablock's action, which is made where there is none.

    From 4.4 an action holds the curves of each of its users in a slot of its own; 5.0 has no other way to them.
    """
    data = owner.animation_data_create()
    if data.action is None:
        data.action = bpy.data.actions.new(f"{owner.name} Action")
    action = data.action
    if bpy.app.version < (4, 4, 0):
        return action.fcurves
    if data.action_slot is None:
        fitting = [slot for slot in action.slots if slot.target_id_type == owner.id_type]
        data.action_slot = fitting[0] if fitting else action.slots.new(id_type=owner.id_type, name=owner.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(data.action_slot, ensure=True).fcurves


def existing_curves(owner: bpy.types.ID) -> list[bpy.types.FCurve]:
    """The F-curves that drive a datablock; nothing is made for it."""
    data = owner.animation_data
    if data is None or data.action is None:
        return []
    if bpy.app.version < (4, 4, 0):
        return list(data.action.fcurves)
    if data.action_slot is None:
        return []
    bags = (strip.channelbag(data.action_slot) for layer in data.action.layers for strip in layer.strips)
    return [curve for bag in bags if bag is not None for curve in bag.fcurves]


def hand_over_animation(source: bpy.types.ID, target: bpy.types.ID) -> None:
    """Have a datablock play the action and drivers of another of its kind."""
    old = source.animation_data
    if old is None:
        return
    new = target.animation_data_create()
    if old.action is not None:
        new.action = old.action
        if bpy.app.version >= (4, 4, 0):
            new.action_slot = old.action_slot
    for driver in old.drivers:
        new.drivers.from_existing(src_driver=driver)


def own_action(owner: bpy.types.ID) -> None:
    """Give a datablock a copy of the action that it shares with another."""
    data = owner.animation_data
    if data is None or data.action is None:
        return
    slot = data.action_slot.identifier if bpy.app.version >= (4, 4, 0) and data.action_slot is not None else ""
    data.action = data.action.copy()
    if slot:
        data.action_slot = next(s for s in data.action.slots if s.identifier == slot)


def show_sidebar_tab(area: bpy.types.Area | None, category: str) -> None:
    """Open an area's sidebar on one of its tabs; the tab can be chosen by name from 4.3 on."""
    if area is None or not hasattr(area.spaces.active, "show_region_ui"):
        return
    area.spaces.active.show_region_ui = True
    for region in area.regions:
        if region.type == "UI":
            try:
                region.active_panel_category = category
            except (AttributeError, TypeError):
                # 4.2 has no such property to write to, and a sidebar that was never drawn has no tabs yet.
                continue


def set_movie_format(settings: bpy.types.ImageFormatSettings) -> None:
    """Write movies; from 5.0 the kind of file is chosen before its format.

    Raises:
        TypeError: this build of Blender writes no movies.
    """
    if hasattr(settings, "media_type"):
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"


def set_image_format(settings: bpy.types.ImageFormatSettings, name: str) -> None:
    """Write images of a format such as ``PNG``; see `set_movie_format`."""
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = name
