"""What the machine has that the backend needs: a GPU, a Python, libraries of the system, free disk. No Blender in here.

Everything here runs other programs and may take a second, so it is called from a thread.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._shared import INSTALL_LIBRARIES
from .variants import GpuKind

Run = Callable[[Sequence[str]], "str | None"]

PROBE_SECONDS = 15.0
OLDEST_PYTHON = (3, 11)
# Newer ones have no wheels of all libraries yet.
NEWEST_PYTHON = (3, 13)
# ensurepip is what Debian takes out of its Python, and without it no environment can be made.
PROBE_PYTHON = "import sys, json, venv, ensurepip; print(json.dumps([list(sys.version_info[:3]), sys.prefix]))"
# In a process of its own: what a driver does while it loads must not end Blender.
PROBE_LIBRARIES = """
import ctypes, json, sys
def loads(name):
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
print(json.dumps([name for name in sys.argv[1:] if not loads(name)]))
"""
AMD_VENDOR = "0x1002"


@dataclass(frozen=True)
class Gpu:
    """The GPU that PyTorch could use.

    Args:
        kind: which build of PyTorch it wants.
        name: for people; empty where there is none.
    """

    kind: GpuKind
    name: str = ""


@dataclass(frozen=True)
class FoundPython:
    """An interpreter that can make virtual environments.

    Args:
        path: the program.
        version: such as ``3.11.9``.
    """

    path: Path
    version: str


@dataclass(frozen=True)
class Survey:
    """What was found on this machine.

    Args:
        gpu: the GPU that PyTorch could use.
        python: what the environment would be built on, or None.
        free_bytes: free disk space where the backend would go.
        missing_libraries: names of the system's libraries that the backend needs and that are not there.
    """

    gpu: Gpu
    python: FoundPython | None
    free_bytes: int
    missing_libraries: tuple[str, ...] = ()


def survey(folder: Path, chosen_python: Path | None = None) -> Survey:
    """Look at this machine; takes a second or two.

    Args:
        folder: where the backend would go; need not exist.
        chosen_python: the interpreter that the user wants, None to look for one.
    """
    python = find_python(chosen_python)
    missing = find_missing_libraries(python.path) if python is not None else ()
    return Survey(find_gpu(), python, free_bytes(folder), missing)


def run_quietly(command: Sequence[str]) -> str | None:
    """What a program prints, None where it is not there, fails or hangs."""
    flags = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
    try:
        done = subprocess.run(
            list(command),
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            stdin=subprocess.DEVNULL,
            env=clean_environment(),
            creationflags=flags,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def clean_environment() -> dict[str, str]:
    """This process's environment without what would leak Blender's own Python into another one."""
    leaks = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    return {name: value for name, value in os.environ.items() if name not in leaks}


# --- GPU --------------------------------------------------------------------------------------------------------


def find_gpu(
    platform: str = sys.platform, machine: str | None = None, run: Run = run_quietly, sysfs: Path = Path("/sys")
) -> Gpu:
    """The GPU that PyTorch could use; NVIDIA before AMD, as PyTorch is best at home there.

    Args:
        platform: as `sys.platform`.
        machine: as `os.uname().machine`; None asks.
        run: runs a program, see `run_quietly`.
        sysfs: where Linux lists its devices.
    """
    if platform == "darwin":
        machine = machine if machine is not None else os.uname().machine
        return Gpu("apple", "Apple silicon") if machine == "arm64" else Gpu("none")
    listed = run([nvidia_smi(platform), "--query-gpu=name", "--format=csv,noheader"])
    names = [line.strip() for line in (listed or "").splitlines() if line.strip()]
    if names:
        return Gpu("cuda", names[0])
    # PyTorch for AMD exists for Linux only, and needs the kernel's compute driver.
    if platform == "linux" and has_amd_compute(sysfs):
        return Gpu("rocm", "AMD GPU")
    return Gpu("none")


def nvidia_smi(platform: str) -> str:
    """NVIDIA's tool; on Windows not always on the path."""
    if platform == "win32" and shutil.which("nvidia-smi") is None:
        return os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "nvidia-smi.exe")
    return "nvidia-smi"


def has_amd_compute(sysfs: Path) -> bool:
    """Whether Linux has an AMD card and its compute driver."""
    vendors = [path.read_text().strip() for path in sorted(sysfs.glob("class/drm/card*/device/vendor"))]
    return AMD_VENDOR in vendors and (sysfs / "class" / "kfd").exists()


# --- Python -----------------------------------------------------------------------------------------------------


def find_python(chosen: Path | None = None, run: Run = run_quietly) -> FoundPython | None:
    """A Python that environments can be made with: the chosen one alone, or the first that can of the usual ones.

    Blender's own comes first: it is there, and it is a version that the backend is tested with.
    """
    for path in [chosen] if chosen is not None else python_candidates():
        found = look_at_python(path, run)
        if found is not None:
            return found
    return None


def python_candidates() -> list[Path]:
    """Programs that may be a Python, best first."""
    names = ["python3.11", "python3.12", "python3.13", "python3", "python"]
    found = [Path(sys.executable), *(Path(path) for path in map(shutil.which, names) if path)]
    return list(dict.fromkeys(found))


def look_at_python(path: Path, run: Run = run_quietly) -> FoundPython | None:
    """The interpreter at `path`, if it can make virtual environments and has a version that the backend runs with."""
    printed = run([str(path), "-I", "-c", PROBE_PYTHON])
    if printed is None:
        return None
    try:
        version, _ = json.loads(printed.splitlines()[-1])
    except (ValueError, IndexError):
        return None
    if not OLDEST_PYTHON <= tuple(version[:2]) <= NEWEST_PYTHON:
        return None
    return FoundPython(path, ".".join(map(str, version)))


def find_missing_libraries(python: Path, run: Run = run_quietly, platform: str = sys.platform) -> tuple[str, ...]:
    """Names of the system's libraries that a program of this Python could not load; only Linux leaves them out."""
    if not platform.startswith("linux"):
        return ()
    printed = run([str(python), "-I", "-c", PROBE_LIBRARIES, *(library.name for library in INSTALL_LIBRARIES)])
    try:
        return tuple(json.loads((printed or "[]").splitlines()[-1]))
    except (ValueError, IndexError):
        return ()


def free_bytes(folder: Path) -> int:
    """Free disk space where `folder` is or would be."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free
