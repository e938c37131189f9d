"""Where else than in the sidebar Blender's users look for us: its menus, F3, the context menu, the status bar."""
# Blender wants names such as RELIGHTIFY_MT_head, and reads class attributes as they are.
# ruff: noqa: N801

from __future__ import annotations

import bpy

from ...link.session import session_of
from ...scene import heads
from ..operators.asset import RELIGHTIFY_OT_mark_asset
from ..operators.export import RELIGHTIFY_OT_export
from ..operators.expression import RELIGHTIFY_OT_random_expression, RELIGHTIFY_OT_set_expression
from ..operators.head import RELIGHTIFY_OT_delete_head, RELIGHTIFY_OT_duplicate_head
from ..operators.photo import RELIGHTIFY_OT_head_from_photo
from ..properties.export import CHOICE_NAMES

ICON = "USER"


class RELIGHTIFY_MT_head(bpy.types.Menu):
    """What can be done with a head, in the context menu of objects"""

    bl_label = "Head"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator(RELIGHTIFY_OT_set_expression.bl_idname, text="Neutral Expression").expression = "NEUTRAL"
        layout.operator(RELIGHTIFY_OT_set_expression.bl_idname, text="Expression of the Photo").expression = "PHOTO"
        layout.operator(RELIGHTIFY_OT_random_expression.bl_idname)
        layout.separator()
        layout.operator(RELIGHTIFY_OT_duplicate_head.bl_idname, icon="DUPLICATE")
        layout.operator(RELIGHTIFY_OT_delete_head.bl_idname, icon="TRASH")
        layout.separator()
        layout.operator(RELIGHTIFY_OT_mark_asset.bl_idname, icon="ASSET_MANAGER")
        draw_export(self, context)


def draw_photo(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Entry of *Add > Mesh* and *File > Import*."""
    del context
    text = "Head from Photo" if "add" in menu.bl_idname else "Head from Photo (.jpg, .png, .heic ...)"
    menu.layout.operator(RELIGHTIFY_OT_head_from_photo.bl_idname, text=text, icon=ICON)


def draw_export(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Entry of *File > Export*."""
    button = menu.layout.operator(RELIGHTIFY_OT_export.bl_idname, text="Head (.glb, .fbx, .usdc)", icon=ICON)
    for name in CHOICE_NAMES:
        setattr(button, name, getattr(context.scene.relightify_export, name))


def draw_context(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Entry of the context menu of objects, where a head is active."""
    if heads.is_head(context.active_object):
        menu.layout.menu(RELIGHTIFY_MT_head.__name__, icon=ICON)
        menu.layout.separator()


def draw_status(header: bpy.types.Header, context: bpy.types.Context) -> None:
    """How far a job is, in the status bar: wherever the sidebar is closed."""
    queue = session_of(context).queue
    job = queue.current
    if job is not None and not job.ended:
        ended = sum(entry.job.ended for entry in queue.entries)
        which = f" ({ended + 1} of {len(queue.entries)})" if queue.several else ""
        row = header.layout.row()
        row.ui_units_x = 12
        row.progress(factor=job.fraction, type="BAR", text=f"{job.name}{which}: {job.stage}")


CLASSES = (RELIGHTIFY_MT_head,)
# What is drawn where, and whether before Blender's own entries.
PLACES = (
    ("VIEW3D_MT_mesh_add", draw_photo, False),
    ("TOPBAR_MT_file_import", draw_photo, False),
    ("TOPBAR_MT_file_export", draw_export, False),
    ("VIEW3D_MT_object_context_menu", draw_context, True),
    ("STATUSBAR_HT_header", draw_status, False),
)


def add_to_menus() -> None:
    """Have Blender draw our entries."""
    for name, draw, first in PLACES:
        place = getattr(bpy.types, name)
        place.prepend(draw) if first else place.append(draw)


def remove_from_menus() -> None:
    """Take our entries out again."""
    for name, draw, _ in PLACES:
        getattr(bpy.types, name).remove(draw)
