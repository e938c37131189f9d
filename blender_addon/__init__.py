"""Relightify for Blender: one photo in, a relightable head out.

The modules that need Blender's classes are imported when the add-on is registered, so that the plain ones
(`scene.geometry`, `link.line`, `install.run`) can be used and tested without Blender.
"""

from __future__ import annotations

VERSION = "0.1.0"


def register() -> None:
    """Called by Blender when the extension is enabled."""
    import bpy

    from .link import session
    from .ui import previews, viewport
    from .ui.properties import export as export_properties
    from .ui.properties import light as relight_settings
    from .ui.properties import reconstruct as properties

    for cls in _classes():
        bpy.utils.register_class(cls)
    bpy.types.Scene.relightify = bpy.props.PointerProperty(type=properties.SceneSettings)
    bpy.types.Scene.relightify_light = bpy.props.PointerProperty(type=relight_settings.RelightSettings)
    bpy.types.Scene.relightify_turntable = bpy.props.PointerProperty(type=relight_settings.TurntableSettings)
    bpy.types.Object.relightify_rig = bpy.props.PointerProperty(type=relight_settings.RigSettings)
    bpy.types.Scene.relightify_export = bpy.props.PointerProperty(type=export_properties.ExportSettings)
    opened = session.Session(f"Relightify for Blender {VERSION}", viewport.redraw_panels)
    setattr(bpy.types.WindowManager, session.ATTRIBUTE, opened)
    setattr(bpy.types.WindowManager, previews.ATTRIBUTE, previews.Previews())


def unregister() -> None:
    """Called by Blender when the extension is disabled and when Blender quits."""
    import bpy

    from .link import session
    from .ui import previews

    for attribute in (session.ATTRIBUTE, previews.ATTRIBUTE):
        getattr(bpy.types.WindowManager, attribute).close()
        delattr(bpy.types.WindowManager, attribute)
    del bpy.types.Object.relightify_rig, bpy.types.Scene.relightify_turntable
    del bpy.types.Scene.relightify, bpy.types.Scene.relightify_light, bpy.types.Scene.relightify_export
    for cls in reversed(_classes()):
        bpy.utils.unregister_class(cls)


def _classes() -> tuple[type, ...]:
    from .ui.operators import backend as setup_operators
    from .ui.operators import photo as photo_operators
    from .ui.operators import reconstruct as operators
    from .ui.panels import reconstruct as panel
    from .ui.preferences import settings as preferences
    from .ui.properties import reconstruct as properties

    return (
        preferences.RelightifyPreferences,
        properties.SceneSettings,
        *setup_operators.CLASSES,
        *photo_operators.CLASSES,
        *operators.CLASSES,
        *panel.CLASSES,
        *_relight_classes(),
        *_expression_classes(),
        *_export_classes(),
    )


def _relight_classes() -> tuple[type, ...]:
    from .ui.operators import light as relight_operators
    from .ui.operators import studio as studio_operators
    from .ui.panels import light as relight_panel
    from .ui.properties import light as relight_settings

    return (
        *relight_settings.CLASSES,
        *relight_operators.CLASSES,
        *studio_operators.CLASSES,
        *relight_panel.CLASSES,
    )


def _expression_classes() -> tuple[type, ...]:
    from .ui.operators import expression as expression_operators
    from .ui.panels import expression as expression_panel

    return (*expression_operators.CLASSES, *expression_panel.CLASSES)


def _export_classes() -> tuple[type, ...]:
    from .ui.operators import export as export_operators
    from .ui.panels import export as export_panel
    from .ui.properties import export as export_properties

    return (export_properties.ExportSettings, *export_operators.CLASSES, *export_panel.CLASSES)
