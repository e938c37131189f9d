"""The add-on's preferences: where the backend is. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

import bpy

from ...install.variants import VARIANTS
from ...link.choice import (
    ADDON,
    ADDRESS,
    AUTOMATIC,
    CONNECT,
    FILE,
    INSTALLED,
    KEY_LETTERS,
    PYTHON,
    PYTHON_VARIABLE,
)
from . import drawing


class RelightifyPreferences(bpy.types.AddonPreferences):
    """How to reach the backend."""

    bl_idname = ADDON

    backend: bpy.props.EnumProperty(
        name="Backend",
        description="The program that does the heavy work, apart from Blender",
        items=[
            (INSTALLED, "Install", "Install the backend into Blender's user folder, and use it"),
            (PYTHON, "Existing Python", "Use a Python that has the package relightify installed"),
            (CONNECT, "Connect", "Use a backend that runs already, on this machine or another one"),
        ],
    )
    python: bpy.props.StringProperty(
        name="Python",
        description=f"Python with relightify installed; left empty, the variable {PYTHON_VARIABLE} names it",
        subtype="FILE_PATH",
    )
    connect_by: bpy.props.EnumProperty(
        name="Connect By",
        description="How the running backend is named",
        items=[
            (FILE, "Connection File", "The file that 'relightify serve' has written, or a copy of it"),
            (ADDRESS, "Address and Keys", "What the connection file says, typed in"),
        ],
    )
    connection_file: bpy.props.StringProperty(
        name="Connection File",
        description="Written by 'relightify serve'; left empty, the usual place is looked at",
        subtype="FILE_PATH",
    )
    host: bpy.props.StringProperty(name="Address", description="Name or address of the machine", default="127.0.0.1")
    port: bpy.props.IntProperty(name="Port", description="TCP port of the backend", default=0, min=0, max=65535)
    server_key: bpy.props.StringProperty(
        name="Server Key", description="server_public_key in the connection file", maxlen=KEY_LETTERS
    )
    client_key: bpy.props.StringProperty(
        name="Client Key", description="client_public_key in the connection file", maxlen=KEY_LETTERS
    )
    client_secret: bpy.props.StringProperty(
        name="Client Secret",
        description="client_secret_key in the connection file; saved with Blender's preferences",
        subtype="PASSWORD",
        maxlen=KEY_LETTERS,
    )
    find_faces: bpy.props.BoolProperty(
        name="Find Faces at Once",
        description="Look for faces as soon as a photo is chosen; this starts the backend",
        default=True,
    )

    variant: bpy.props.EnumProperty(
        name="PyTorch",
        description="Which build of PyTorch to install",
        items=[
            (AUTOMATIC, "Automatic", "The build for the graphics card that is found"),
            *[(key.upper(), v.text, f"About {v.disk_gib:g} GB on the disk") for key, v in VARIANTS.items()],
        ],
    )
    torch_index: bpy.props.StringProperty(
        name="PyTorch Index",
        description="Address or folder of a package index to take PyTorch from; left empty, it is found by itself",
    )
    offline_bundle: bpy.props.StringProperty(
        name="Offline Bundle",
        description="Folder made by build_addon.py --offline-bundle: all comes from there, nothing is downloaded",
        subtype="DIR_PATH",
    )
    base_python: bpy.props.StringProperty(
        name="Build On",
        description="Python 3.11 to 3.13 to build the backend's environment on; left empty, one is found",
        subtype="FILE_PATH",
    )
    show_advanced: bpy.props.BoolProperty(name="Advanced", description="Show rarely needed choices")
    show_log: bpy.props.BoolProperty(name="Log", description="Show the end of the log", default=True)

    def draw(self, context: bpy.types.Context) -> None:
        drawing.draw(self, context)


CLASSES = (RelightifyPreferences,)
