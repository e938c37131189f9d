"""Operators of the preferences: install, remove and try the backend. (No postponed annotations: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_install_backend, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import time
from pathlib import Path

import bpy

from ..._shared import RelightifyError, install_command, install_hint
from ...install.plan import SetupOptions, bundled_wheel
from ...install.run import Phase, installed_backend
from ...link.choice import ADDON, AUTOMATIC, INSTALLED, backend_choice, backend_folder, preferences_of
from ...link.session import Session, session_of, wait
from ..viewport import redraw_panels
from .background import BackgroundOperator

CHECK_SECONDS = 120.0
OFFLINE = "Allow online access in Preferences > System > Network first"


def setup_options(context: bpy.types.Context) -> SetupOptions:
    """What the preferences say about an installation.

    Raises:
        RelightifyError: ``no_wheel``.
    """
    wheel = bundled_wheel()
    if wheel is None:
        raise RelightifyError(
            "no_wheel",
            "This copy of the add-on does not hold the backend.",
            "Install the add-on from a release, or choose Existing Python.",
        )
    preferences = preferences_of(context)
    constraints, packages = wheel.parent / "constraints.txt", wheel.parent / "packages.txt"
    variant = preferences.variant if preferences is not None else AUTOMATIC
    return SetupOptions(
        folder=backend_folder(),
        wheel=wheel,
        constraints=constraints if constraints.is_file() else None,
        packages=packages if packages.is_file() else None,
        bundle=chosen_bundle(context),
        variant=None if variant == AUTOMATIC else variant.lower(),
        torch_index=preferences.torch_index.strip() if preferences is not None else "",
        python=chosen_python(context),
    )


def chosen_bundle(context: bpy.types.Context) -> Path | None:
    """The offline bundle to install from that the preferences name."""
    preferences = preferences_of(context)
    path = bpy.path.abspath(preferences.offline_bundle) if preferences is not None else ""
    return Path(path) if path else None


def chosen_python(context: bpy.types.Context) -> Path | None:
    """The Python to build on that the preferences name."""
    preferences = preferences_of(context)
    path = bpy.path.abspath(preferences.base_python) if preferences is not None else ""
    return Path(path) if path else None


class RELIGHTIFY_OT_install_backend(BackgroundOperator, bpy.types.Operator):
    """Install the backend into Blender's user folder: Python packages, PyTorch and the face landmark model"""

    bl_idname = "relightify.install_backend"
    bl_label = "Install Backend"
    bl_options = {"INTERNAL"}

    fresh: bpy.props.BoolProperty(
        name="Start Over",
        description="Do again what an installation that failed or was cancelled has done already",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if session_of(context).setup.state.busy:
            cls.poll_message_set("The backend is being installed or removed")
            return False
        if not bpy.app.online_access and chosen_bundle(context) is None:
            cls.poll_message_set(OFFLINE)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Install before returning, for scripts and Blender without a window."""
        session = session_of(context)
        if not self._start(context, session):
            return {"CANCELLED"}
        try:
            wait(session, lambda: session.setup.state.busy, time.sleep)
        finally:
            session.setup.cancel()
        state = session.setup.state
        if state.phase is not Phase.DONE:
            self.report({"ERROR"}, str(state.error) if state.error is not None else "The installation was cancelled.")
            return {"CANCELLED"}
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context, session: Session) -> bool:
        try:
            options = setup_options(context)
            session.release()
            # A backend that runs out of the folder would keep its files open.
            session.setup.install(options, before=session.wait_for_release, fresh=self.fresh)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return False
        preferences = preferences_of(context)
        if preferences is not None:
            preferences.backend = INSTALLED
        return True


class RELIGHTIFY_OT_cancel_setup(bpy.types.Operator):
    """Stop the installation"""

    bl_idname = "relightify.cancel_setup"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session_of(context).setup.state.phase is Phase.INSTALLING

    def execute(self, context: bpy.types.Context) -> set[str]:
        session_of(context).setup.cancel()
        return {"FINISHED"}


class RELIGHTIFY_OT_uninstall_backend(bpy.types.Operator):
    """Remove the installed backend, its packages and what it has downloaded"""

    bl_idname = "relightify.uninstall_backend"
    bl_label = "Uninstall"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not session_of(context).setup.state.busy

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        session, folder = session_of(context), backend_folder()
        if installed_backend(folder) is None and not folder.exists():
            self.report({"ERROR"}, "No backend is installed.")
            return {"CANCELLED"}
        session.release()
        session.setup.remove(folder, before=session.wait_for_release)
        if not bpy.app.background:
            session.watch()
            redraw_panels()
            return {"FINISHED"}
        wait(session, lambda: session.setup.state.busy, time.sleep)
        error = session.setup.state.error
        if error is not None:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class RELIGHTIFY_OT_check_backend(BackgroundOperator, bpy.types.Operator):
    """Reach the backend that is chosen, starting it if need be, and see what it can do"""

    bl_idname = "relightify.check_backend"
    bl_label = "Try Backend"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        session = session_of(context)
        return not session.busy and not session.setup.state.busy

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Wait for the answer, for scripts and Blender without a window."""
        session = session_of(context)
        if not self._start(context, session):
            return {"CANCELLED"}
        deadline = time.monotonic() + CHECK_SECONDS
        wait(session, lambda: session.checking and time.monotonic() < deadline, time.sleep)
        if session.welcome is None:
            self.report({"ERROR"}, str(session.link_error or "The backend does not answer."))
            return {"CANCELLED"}
        self.report({"INFO"}, f"{session.welcome.server} answers")
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context, session: Session) -> bool:
        try:
            session.check(backend_choice(context))
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return False
        return True


class RELIGHTIFY_OT_stop_backend(bpy.types.Operator):
    """End the backend that Blender has started, which frees its memory; the next job starts it again"""

    bl_idname = "relightify.stop_backend"
    bl_label = "Stop Backend"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        session = session_of(context)
        if session.busy:
            cls.poll_message_set("A photo is being reconstructed")
            return False
        return session.linked

    def execute(self, context: bpy.types.Context) -> set[str]:
        session_of(context).release()
        redraw_panels()
        return {"FINISHED"}


class RELIGHTIFY_OT_look_around(bpy.types.Operator):
    """Look for graphics card, Python and free disk space once more"""

    bl_idname = "relightify.look_around"
    bl_label = "Look Again"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        session = session_of(context)
        session.setup.look_around(backend_folder(), chosen_python(context), again=True)
        session.watch()
        return {"FINISHED"}


class RELIGHTIFY_OT_copy_command(bpy.types.Operator):
    """Copy the command that installs the missing libraries, to paste it into a terminal"""

    bl_idname = "relightify.copy_command"
    bl_label = "Copy Command"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        survey = session_of(context).setup.survey
        return survey is not None and bool(survey.missing_libraries)

    def execute(self, context: bpy.types.Context) -> set[str]:
        survey = session_of(context).setup.survey
        assert survey is not None
        names = survey.missing_libraries
        context.window_manager.clipboard = install_command(names) or install_hint(names)
        return {"FINISHED"}


class RELIGHTIFY_OT_open_preferences(bpy.types.Operator):
    """Open the add-on's preferences, where the backend is set up"""

    bl_idname = "relightify.open_preferences"
    bl_label = "Set Up Backend"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        bpy.ops.preferences.addon_show(module=ADDON)
        return {"FINISHED"}


CLASSES = (
    RELIGHTIFY_OT_install_backend,
    RELIGHTIFY_OT_cancel_setup,
    RELIGHTIFY_OT_uninstall_backend,
    RELIGHTIFY_OT_check_backend,
    RELIGHTIFY_OT_stop_backend,
    RELIGHTIFY_OT_look_around,
    RELIGHTIFY_OT_copy_command,
    RELIGHTIFY_OT_open_preferences,
)
