"""System libraries that the face detector's native code needs and that pip cannot install."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from shared.errors import RelightifyError
from shared.system_libraries import GRAPHICS_LIBRARIES, install_hint, listed, missing_libraries


def require_graphics_libraries(load: Callable[[str], object] = ctypes.CDLL) -> None:
    """Find out before MediaPipe is loaded that it could not be.

    Args:
        load: loads a shared library by name, OSError where it cannot.

    Raises:
        RelightifyError: ``missing_library``.
    """
    missing = missing_libraries(GRAPHICS_LIBRARIES, load)
    if missing:
        raise RelightifyError(
            "missing_library",
            f"The face detector needs {listed(missing)}, which this system lacks.",
            install_hint(missing),
        )
