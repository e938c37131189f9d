"""The one door to `shared`, the package that add-on and backend have in common.

An extension must neither touch `sys.path` nor put a top-level module called ``shared`` into everybody's Blender, so
the zip carries the package inside the extension (``relightify/shared``), where it is a relative import. In a
checkout it lies beside `blender_addon` and is a plain import. Modules of `shared` import each other relatively and
work in both places; modules of the add-on import its names from here and nowhere else.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING or find_spec(".shared", __package__) is None:
    from shared.connection import Connection, default_connection_path, read_connection
    from shared.corrections import Correction, Corrections, read_corrections
    from shared.errors import JobCancelled, RelightifyError
    from shared.head_mesh import HeadMesh
    from shared.link import Link
    from shared.maps import (
        DIFFUSE_ALBEDO,
        DISPLACEMENT,
        DISPLACEMENT_RANGE_MM,
        DISPLACEMENT_ZERO,
        EXTRA_MAPS,
        MAPS,
        NORMAL,
        ROUGHNESS,
        SPECULAR_ALBEDO,
        MapSpec,
        maps_of_sample,
        sample_count,
    )
    from shared.messages import (
        Cancel,
        Detect,
        Error,
        Faces,
        JobProgress,
        Message,
        Outcome,
        Queued,
        Reconstruct,
        Request,
        Result,
        Shutdown,
        Welcome,
        check_photo_size,
        new_job_id,
    )
    from shared.option_kinds import Choice, Flag, Number, Option
    from shared.options import JOB_OPTIONS, RANDOM_QUALITIES, JobOptions
    from shared.paths import CACHE_VARIABLE, cache_folder
    from shared.photo_files import photo_file_bytes
    from shared.photos import MOST_PHOTOS, copy_key, further_keys, photo_name, photo_of
    from shared.private_files import Claim, open_private
    from shared.processes import process_alive
    from shared.refit_messages import FitState, Refit, Refitted, fit_state
    from shared.stages import stage_text
    from shared.system_libraries import INSTALL_LIBRARIES, install_command, install_hint, listed
else:
    from .shared.connection import Connection, default_connection_path, read_connection
    from .shared.corrections import Correction, Corrections, read_corrections
    from .shared.errors import JobCancelled, RelightifyError
    from .shared.head_mesh import HeadMesh
    from .shared.link import Link
    from .shared.maps import (
        DIFFUSE_ALBEDO,
        DISPLACEMENT,
        DISPLACEMENT_RANGE_MM,
        DISPLACEMENT_ZERO,
        EXTRA_MAPS,
        MAPS,
        NORMAL,
        ROUGHNESS,
        SPECULAR_ALBEDO,
        MapSpec,
        maps_of_sample,
        sample_count,
    )
    from .shared.messages import (
        Cancel,
        Detect,
        Error,
        Faces,
        JobProgress,
        Message,
        Outcome,
        Queued,
        Reconstruct,
        Request,
        Result,
        Shutdown,
        Welcome,
        check_photo_size,
        new_job_id,
    )
    from .shared.option_kinds import Choice, Flag, Number, Option
    from .shared.options import JOB_OPTIONS, RANDOM_QUALITIES, JobOptions
    from .shared.paths import CACHE_VARIABLE, cache_folder
    from .shared.photo_files import photo_file_bytes
    from .shared.photos import MOST_PHOTOS, copy_key, further_keys, photo_name, photo_of
    from .shared.private_files import Claim, open_private
    from .shared.processes import process_alive
    from .shared.refit_messages import FitState, Refit, Refitted, fit_state
    from .shared.stages import stage_text
    from .shared.system_libraries import INSTALL_LIBRARIES, install_command, install_hint, listed

__all__ = [
    "CACHE_VARIABLE",
    "DIFFUSE_ALBEDO",
    "DISPLACEMENT",
    "DISPLACEMENT_RANGE_MM",
    "DISPLACEMENT_ZERO",
    "EXTRA_MAPS",
    "INSTALL_LIBRARIES",
    "JOB_OPTIONS",
    "MAPS",
    "MOST_PHOTOS",
    "NORMAL",
    "RANDOM_QUALITIES",
    "ROUGHNESS",
    "SPECULAR_ALBEDO",
    "Cancel",
    "Choice",
    "Claim",
    "Connection",
    "Correction",
    "Corrections",
    "Detect",
    "Error",
    "Faces",
    "FitState",
    "Flag",
    "HeadMesh",
    "JobCancelled",
    "JobOptions",
    "JobProgress",
    "Link",
    "MapSpec",
    "Message",
    "Number",
    "Option",
    "Outcome",
    "Queued",
    "Reconstruct",
    "Refit",
    "Refitted",
    "RelightifyError",
    "Request",
    "Result",
    "Shutdown",
    "Welcome",
    "cache_folder",
    "check_photo_size",
    "copy_key",
    "default_connection_path",
    "fit_state",
    "further_keys",
    "install_command",
    "install_hint",
    "listed",
    "maps_of_sample",
    "new_job_id",
    "open_private",
    "photo_file_bytes",
    "photo_name",
    "photo_of",
    "process_alive",
    "read_connection",
    "read_corrections",
    "sample_count",
    "stage_text",
]
