"""Relightify for Blender: one photo in, a relightable head out.

The modules that need Blender's classes are imported when the add-on is registered, so that the plain ones
(`scene.geometry`, `link.line`, `install.run`) can be used and tested without Blender.
"""

from __future__ import annotations

from types import ModuleType

VERSION = "0.1.0"


def register() -> None:
    """Called by Blender when the extension is enabled."""
    import bpy

    from .link import session
    from .ui import fit_editing, previews, viewport
    from .ui.operators import arrival
    from .ui.panels import menus
    from .ui.properties import baking, export, light, reconstruct

    for cls in _classes():
        bpy.utils.register_class(cls)
    bpy.types.Scene.relightify = bpy.props.PointerProperty(type=reconstruct.SceneSettings)
    bpy.types.Scene.relightify_light = bpy.props.PointerProperty(type=light.RelightSettings)
    bpy.types.Scene.relightify_turntable = bpy.props.PointerProperty(type=light.TurntableSettings)
    bpy.types.Object.relightify_rig = bpy.props.PointerProperty(type=light.RigSettings)
    bpy.types.Scene.relightify_export = bpy.props.PointerProperty(type=export.ExportSettings)
    bpy.types.Scene.relightify_bake = bpy.props.PointerProperty(type=baking.BakeSettings)
    opened = session.Session(f"Relightify for Blender {VERSION}", viewport.redraw_panels, arrival.prepare)
    setattr(bpy.types.WindowManager, session.ATTRIBUTE, opened)
    bpy.app.handlers.load_post.append(session.on_load)
    for name, handler in fit_editing.HANDLERS.items():
        getattr(bpy.app.handlers, name).append(handler)
    menus.add_to_menus()
    setattr(bpy.types.WindowManager, previews.ATTRIBUTE, previews.Previews())


def unregister() -> None:
    """Called by Blender when the extension is disabled and when Blender quits."""
    import bpy

    from .link import session
    from .ui import fit_editing, previews
    from .ui.panels import menus

    menus.remove_from_menus()
    bpy.app.handlers.load_post.remove(session.on_load)
    for name, handler in fit_editing.HANDLERS.items():
        getattr(bpy.app.handlers, name).remove(handler)
    fit_editing.set_editing(None)
    for attribute in (session.ATTRIBUTE, previews.ATTRIBUTE):
        getattr(bpy.types.WindowManager, attribute).close()
        delattr(bpy.types.WindowManager, attribute)
    del bpy.types.Object.relightify_rig, bpy.types.Scene.relightify_turntable, bpy.types.Scene.relightify_bake
    del bpy.types.Scene.relightify, bpy.types.Scene.relightify_light, bpy.types.Scene.relightify_export
    for cls in reversed(_classes()):
        bpy.utils.unregister_class(cls)


def _classes() -> tuple[type, ...]:
    return tuple(cls for module in (*_settings(), *_operators(), *_panels()) for cls in module.CLASSES)


def _settings() -> tuple[ModuleType, ...]:
    from .ui.preferences import settings
    from .ui.properties import baking, export, light, reconstruct

    return settings, reconstruct, light, export, baking


def _operators() -> tuple[ModuleType, ...]:
    from .ui.operators import (
        asset,
        backend,
        body,
        edit_fit,
        export,
        expression,
        head,
        head_photos,
        light,
        likeness,
        people,
        person,
        photo,
        reconstruct,
        skeleton,
        studio,
        wrinkles,
    )

    making = (photo, people, person, reconstruct, edit_fit, head, head_photos)
    return backend, *making, light, studio, likeness, expression, wrinkles, skeleton, body, export, asset


def _panels() -> tuple[ModuleType, ...]:
    from .ui.panels import body, export, expression, head_photos, light, likeness, menus, person, reconstruct, skeleton

    return person, reconstruct, head_photos, light, likeness, expression, skeleton, body, export, menus
