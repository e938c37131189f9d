"""System libraries that the face detector's native code needs and that pip cannot install."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

from shared.errors import RelightifyError

# MediaPipe's library links to them even where it computes on the CPU; without them it ends the process.
GRAPHICS_LIBRARIES = ("libEGL.so.1", "libGLESv2.so.2")


def require_graphics_libraries(
    load: Callable[[str], object] = ctypes.CDLL, names: tuple[str, ...] = GRAPHICS_LIBRARIES
) -> None:
    """Find out before MediaPipe is loaded that it could not be; only Linux leaves them out.

    Args:
        load: loads a shared library by name, OSError where it cannot.
        names: of the libraries.

    Raises:
        RelightifyError: ``missing_library``.
    """
    if not sys.platform.startswith("linux"):
        return
    missing = []
    for name in names:
        try:
            load(name)
        except OSError:
            missing.append(name)
    if missing:
        raise RelightifyError(
            "missing_library",
            f"The face detector needs {' and '.join(missing)}, which this system lacks.",
            "Install them; on Debian and Ubuntu: sudo apt-get install libegl1 libgles2",
        )
