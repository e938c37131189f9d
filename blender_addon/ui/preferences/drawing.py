"""How the preferences are drawn."""

from __future__ import annotations

import bpy

from ..._shared import install_hint, listed
from ...install.run import LOG_NAME, InstalledBackend, Phase, SetupState, begun, installed_backend
from ...install.variants import GIB, VARIANTS
from ...link.choice import (
    ADDRESS,
    AUTOMATIC,
    CONNECT,
    INSTALLED,
    PYTHON,
    backend_folder,
    backend_ready,
)
from ...link.jobs import time_left_text
from ...link.session import Session, session_of
from ...links import known_links
from ..layout import draw_text
from ..operators.backend import (
    RELIGHTIFY_OT_cancel_setup,
    RELIGHTIFY_OT_check_backend,
    RELIGHTIFY_OT_copy_command,
    RELIGHTIFY_OT_install_backend,
    RELIGHTIFY_OT_look_around,
    RELIGHTIFY_OT_stop_backend,
    RELIGHTIFY_OT_uninstall_backend,
    bundled_wheel,
    chosen_bundle,
    chosen_python,
)

TAIL_SHOWN = 7
LINE_LETTERS = 110


def draw(preferences: bpy.types.AddonPreferences, context: bpy.types.Context) -> None:
    """Draw the preferences."""
    layout, session = preferences.layout, session_of(context)
    layout.use_property_split = True
    layout.use_property_decorate = False
    row = layout.row()
    row.prop(preferences, "backend", expand=True)
    if preferences.backend == INSTALLED:
        _draw_install(layout, preferences, context, session)
    elif preferences.backend == PYTHON:
        layout.prop(preferences, "python")
    elif preferences.backend == CONNECT:
        _draw_connect(layout, preferences)
    if not session.setup.state.busy and backend_ready(context):
        _draw_check(layout, context, session)
    layout.separator()
    layout.prop(preferences, "find_faces")
    links = known_links()
    if links:
        row = layout.row(align=True)
        for text, address in links:
            row.operator("wm.url_open", text=text, icon="URL").url = address


def _draw_connect(layout: bpy.types.UILayout, preferences: bpy.types.AddonPreferences) -> None:
    layout.row().prop(preferences, "connect_by", expand=True)
    if preferences.connect_by == ADDRESS:
        column = layout.column()
        for name in ("host", "port", "server_key", "client_key", "client_secret"):
            column.prop(preferences, name)
    else:
        layout.prop(preferences, "connection_file")


def _draw_check(layout: bpy.types.UILayout, context: bpy.types.Context, session: Session) -> None:
    """The button that tries the backend, and what came of it."""
    row = layout.row(align=True)
    row.operator(RELIGHTIFY_OT_check_backend.bl_idname, icon="FILE_REFRESH")
    row.operator(RELIGHTIFY_OT_stop_backend.bl_idname, icon="QUIT")
    if session.checking:
        layout.label(text="Waiting for the backend", icon="SORTTIME")
    elif session.welcome is not None:
        told = session.welcome
        qualities = ", ".join(told.qualities) if told.qualities else "loading the models"
        on = f" on {told.device}" if told.device else ""
        draw_text(layout, context, f"{told.server} answers{on}: {qualities}", "CHECKMARK")
    elif session.link_error is not None:
        _draw_error(layout, context, session.link_error.message, session.link_error.hint)


def _draw_install(
    layout: bpy.types.UILayout, preferences: bpy.types.AddonPreferences, context: bpy.types.Context, session: Session
) -> None:
    setup, folder = session.setup, backend_folder()
    state, installed = setup.state, installed_backend(folder)
    box = layout.box()
    if state.busy:
        _draw_progress(box, state)
    elif installed is not None:
        _draw_installed(box, installed)
    else:
        _draw_offer(box, preferences, context, session)
    if state.phase is Phase.FAILED and state.error is not None:
        _draw_error(box, context, state.error.message, state.error.hint)
    elif state.phase is Phase.CANCELLED:
        box.label(text="Cancelled; what is done is kept for the next try", icon="INFO")
    if state.phase in (Phase.INSTALLING, Phase.FAILED, Phase.CANCELLED) and state.tail:
        _draw_log(box, preferences, state, str(folder / LOG_NAME))


def _draw_offer(
    layout: bpy.types.UILayout, preferences: bpy.types.AddonPreferences, context: bpy.types.Context, session: Session
) -> None:
    """What an installation would do and need, and the button."""
    survey = session.setup.survey
    if survey is None:
        # Drawing is the first that anybody hears of the preferences being open.
        session.setup.look_around(backend_folder(), chosen_python(context))
        session.watch()
        layout.label(text="Looking at this computer", icon="SORTTIME")
        return
    bundle = chosen_bundle(context)
    row = layout.row()
    # The bundle holds one build.
    row.active = bundle is None
    row.prop(preferences, "variant")
    wanted = survey.gpu.kind if preferences.variant == AUTOMATIC else preferences.variant.lower()
    variant = VARIANTS[wanted]
    found = survey.gpu.name or "no graphics card that PyTorch can use"
    column = layout.column(align=True)
    column.label(text=f"Found {found}", icon="INFO")
    taken = f"takes about {variant.disk_gib:g} GB on the disk; {survey.free_bytes / GIB:.0f} GB are free"
    if bundle is not None:
        column.label(text=f"Everything comes from {bundle}", icon="BLANK1")
    else:
        column.label(text=f"Downloads about {variant.download_gib:g} GB and {taken}", icon="BLANK1")
        column.label(text="Everything that a job needs is downloaded now, nothing later", icon="BLANK1")
    column.label(text=f"Goes to {backend_folder()}", icon="BLANK1")
    _draw_advanced(layout, preferences)
    if bundled_wheel() is None:
        _draw_error(
            layout,
            context,
            "This copy of the add-on does not hold the backend.",
            "Install the add-on from a release, or choose Existing Python.",
        )
        return
    if survey.missing_libraries:
        _draw_missing_libraries(layout, context, survey.missing_libraries)
    if not bpy.app.online_access and bundle is None:
        layout.label(text="Blender is not allowed to use the internet", icon="ERROR")
        row = layout.row(heading=" ")
        row.prop(context.preferences.system, "use_online_access", text="Allow Online Access")
    row = layout.row()
    row.scale_y = 1.4
    failed = session.setup.state.phase in (Phase.FAILED, Phase.CANCELLED)
    text = "Try Again" if failed else "Install Backend"
    row.operator(RELIGHTIFY_OT_install_backend.bl_idname, text=text, icon="IMPORT")
    if failed and begun(backend_folder()):
        over = row.operator(RELIGHTIFY_OT_install_backend.bl_idname, text="Start Over", icon="LOOP_BACK")
        over.fresh = True
        layout.label(text="Try Again goes on with the step that did not end", icon="INFO")


def _draw_missing_libraries(layout: bpy.types.UILayout, context: bpy.types.Context, names: tuple[str, ...]) -> None:
    """What has to be installed by hand, ahead of everything else."""
    _draw_error(layout, context, f"This system lacks {listed(names)}", install_hint(names))
    row = layout.row(align=True)
    row.operator(RELIGHTIFY_OT_copy_command.bl_idname, icon="COPYDOWN")
    row.operator(RELIGHTIFY_OT_look_around.bl_idname, icon="FILE_REFRESH")


def _draw_advanced(layout: bpy.types.UILayout, preferences: bpy.types.AddonPreferences) -> None:
    icon = "DOWNARROW_HLT" if preferences.show_advanced else "RIGHTARROW"
    row = layout.row()
    row.use_property_split = False
    row.alignment = "LEFT"
    row.prop(preferences, "show_advanced", icon=icon, emboss=False)
    if preferences.show_advanced:
        column = layout.column()
        column.prop(preferences, "offline_bundle")
        column.prop(preferences, "torch_index")
        column.prop(preferences, "base_python")
        column.operator(RELIGHTIFY_OT_look_around.bl_idname, icon="FILE_REFRESH")


def _draw_progress(layout: bpy.types.UILayout, state: SetupState) -> None:
    if state.phase is Phase.REMOVING:
        layout.label(text="Removing the backend", icon="TRASH")
        return
    layout.progress(factor=state.fraction, type="BAR", text=f"{state.step}  {state.fraction:.0%}")
    row = layout.row()
    row.label(text=state.detail)
    row.label(text=time_left_text(state.seconds_left))
    row.operator(RELIGHTIFY_OT_cancel_setup.bl_idname, icon="X")


def _draw_installed(layout: bpy.types.UILayout, installed: InstalledBackend) -> None:
    wheel = bundled_wheel()
    version = installed.wheel.split("-")[1] if "-" in installed.wheel else ""
    row = layout.row()
    torch = VARIANTS[installed.variant].text
    row.label(text=f"Installed: Relightify {version}, {torch}, {installed.size_bytes / GIB:.1f} GB", icon="CHECKMARK")
    row = layout.row(align=True)
    outdated = wheel is not None and wheel.name != installed.wheel
    text = "Update Backend" if outdated else "Install Again"
    row.operator(RELIGHTIFY_OT_install_backend.bl_idname, text=text, icon="FILE_REFRESH")
    row.operator(RELIGHTIFY_OT_uninstall_backend.bl_idname, icon="TRASH")
    if outdated:
        layout.label(text="The add-on has brought a newer backend", icon="INFO")


def _draw_log(
    layout: bpy.types.UILayout, preferences: bpy.types.AddonPreferences, state: SetupState, path: str
) -> None:
    icon = "DOWNARROW_HLT" if preferences.show_log else "RIGHTARROW"
    row = layout.row()
    row.use_property_split = False
    row.alignment = "LEFT"
    row.prop(preferences, "show_log", icon=icon, emboss=False)
    if not preferences.show_log:
        return
    column = layout.column(align=True)
    column.scale_y = 0.7
    column.active = False
    for line in state.tail[-TAIL_SHOWN:]:
        column.label(text=line if len(line) <= LINE_LETTERS else f"{line[: LINE_LETTERS - 1]}…", translate=False)
    if not state.busy:
        layout.operator("wm.path_open", text="Open Log", icon="TEXT").filepath = path


def _draw_error(layout: bpy.types.UILayout, context: bpy.types.Context, message: str, hint: str) -> None:
    draw_text(layout, context, message, "ERROR")
    if hint:
        draw_text(layout, context, hint, "BLANK1")
