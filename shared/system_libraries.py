"""Libraries of Linux that the backend's packages load and that pip cannot install, and the commands that bring them."""

from __future__ import annotations

import ctypes
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

OS_RELEASE = Path("/etc/os-release")


class SystemLibrary(NamedTuple):
    """One shared library.

    Args:
        name: as the loader knows it.
        packages: what it is in, by the key of `MANAGERS`.
    """

    name: str
    packages: dict[str, str]


# MediaPipe's library links to both even where it computes on the CPU; without them it ends the process.
GRAPHICS_LIBRARIES = (
    SystemLibrary("libEGL.so.1", {"apt": "libegl1", "dnf": "libglvnd-egl", "pacman": "libglvnd", "zypper": "libglvnd"}),
    SystemLibrary(
        "libGLESv2.so.2", {"apt": "libgles2", "dnf": "libglvnd-gles", "pacman": "libglvnd", "zypper": "libglvnd"}
    ),
)
# An OpenCV with windows wants it too; the one that Install chooses has none, but may not be to be had.
INSTALL_LIBRARIES = (
    *GRAPHICS_LIBRARIES,
    SystemLibrary("libGL.so.1", {"apt": "libgl1", "dnf": "libglvnd-glx", "pacman": "libglvnd", "zypper": "libglvnd"}),
)

# How each package manager is called, and the distributions (ID or ID_LIKE of os-release) that it is at home in.
MANAGERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "apt": ("sudo apt install", "Debian and Ubuntu", ("debian", "ubuntu")),
    "dnf": ("sudo dnf install", "Fedora", ("fedora", "rhel", "centos")),
    "pacman": ("sudo pacman -S", "Arch", ("arch",)),
    "zypper": ("sudo zypper install", "openSUSE", ("suse", "opensuse")),
}


def missing_libraries(
    libraries: Sequence[SystemLibrary] = GRAPHICS_LIBRARIES,
    load: Callable[[str], object] = ctypes.CDLL,
    platform: str = sys.platform,
) -> tuple[str, ...]:
    """Names of the libraries that this process cannot load; only Linux leaves them out.

    Args:
        libraries: to look for.
        load: loads a shared library by name, OSError where it cannot.
        platform: as `sys.platform`.
    """
    missing = []
    for library in libraries if platform.startswith("linux") else ():
        try:
            load(library.name)
        except OSError:
            missing.append(library.name)
    return tuple(missing)


def install_command(names: Sequence[str], os_release: str | None = None) -> str:
    """The command that installs libraries on this distribution; empty where the distribution is not known.

    Args:
        names: of libraries in `INSTALL_LIBRARIES`.
        os_release: the text of ``/etc/os-release``; None reads it.
    """
    if os_release is None:
        os_release = OS_RELEASE.read_text(encoding="utf-8", errors="replace") if OS_RELEASE.is_file() else ""
    manager = _manager(os_release)
    return _command(manager, names) if manager else ""


def install_hint(names: Sequence[str], os_release: str | None = None) -> str:
    """What to do about missing libraries, for people: this distribution's command, or those of all that are known."""
    command = install_command(names, os_release)
    if command:
        return f"Install them in a terminal: {command}"
    known = "; ".join(f"on {home}: {_command(manager, names)}" for manager, (_, home, _) in MANAGERS.items())
    return f"Install them in a terminal; {known}"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _command(manager: str, names: Sequence[str]) -> str:
    wanted = [library.packages[manager] for library in INSTALL_LIBRARIES if library.name in names]
    return " ".join([MANAGERS[manager][0], *dict.fromkeys(wanted)])


def _manager(os_release: str) -> str:
    """The package manager of a distribution, or of the first of those that it is like."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line and not line.startswith("#"))
    for key in ("ID", "ID_LIKE"):
        # ID_LIKE lists the nearest relative first.
        for name in " ".join(shlex.split(fields.get(key, ""))).split():
            for manager, (_, _, homes) in MANAGERS.items():
                if any(name == home or name.startswith(f"{home}-") for home in homes):
                    return manager
    return ""
