"""What can be chosen for baking textures. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

import bpy

from ..._shared import RelightifyError
from ...export.maps import BakeOptions
from ...scene.mesh import UV_NAME
from .export import PRESET_ITEMS, TextureSettings, draw_textures, texture_choices


class BakeChoices(TextureSettings):
    """The choices that the panel and the operator share."""

    preset: bpy.props.EnumProperty(
        name="Preset", description="Whose names of files, direction of normals and packing", items=PRESET_ITEMS
    )
    target: bpy.props.StringProperty(
        name="Mesh", description="Object that the textures are for, where the head lies on it; empty for the head"
    )
    uv_map: bpy.props.StringProperty(
        name="UV Map", description="UV map that the textures are for; empty for the mesh's active one"
    )
    distance_mm: bpy.props.FloatProperty(
        name="Distance", description="How far the skin may lie from another mesh, mm", default=10.0, min=0.1, max=100.0
    )


BAKE_NAMES = (*TextureSettings.__annotations__, *BakeChoices.__annotations__)


class BakeSettings(BakeChoices, bpy.types.PropertyGroup):
    """Choices of the panel on baking, saved with the scene."""


CLASSES = (BakeSettings,)


def bake_target(context: bpy.types.Context, head: bpy.types.Object, name: str) -> bpy.types.Object:
    """The mesh that is meant.

    Raises:
        RelightifyError: ``no_target`` where there is no mesh of this name in the scene.
    """
    target = context.view_layer.objects.get(name) if name else head
    if target is None or target.type != "MESH":
        raise RelightifyError("no_target", f"There is no mesh {name!r} in the scene.", "Choose one that is there.")
    return target


def bake_options(choices: BakeChoices, target: bpy.types.Object) -> BakeOptions:
    """The choices as plain options."""
    active = target.data.uv_layers.active
    return BakeOptions(
        preset=choices.preset,
        uv_map=choices.uv_map or (active.name if active is not None else UV_NAME),
        distance_m=choices.distance_mm / 1000,
        textures=texture_choices(choices),
    )


def draw_bake(layout: bpy.types.UILayout, choices: BakeChoices, context: bpy.types.Context) -> None:
    """The choices as the panel and the file browser show them."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    layout.prop_search(choices, "target", context.view_layer, "objects", icon="MESH_DATA")
    target = context.view_layer.objects.get(choices.target)
    if target is not None and target.type == "MESH":
        layout.prop_search(choices, "uv_map", target.data, "uv_layers", icon="UV")
        layout.prop(choices, "distance_mm")
    else:
        layout.prop(choices, "uv_map")
    layout.prop(choices, "preset")
    draw_textures(layout, choices)
