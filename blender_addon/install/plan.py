"""The plan of an installation: which build of PyTorch, how much disk, which commands. No Blender in here.

PyTorch is the one library whose build depends on the GPU, and its builds live on different indexes. The usual index has
the CUDA build for Linux, the CPU build for Windows and the one for Apple's GPUs. The others are got by their local
version where the user's own pip configuration knows them, else by `uv`, which knows PyTorch's indexes and the drivers
that each build wants; so the add-on needs no list of its own that would grow stale.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from .._shared import RelightifyError, install_hint, listed
from .machine import GpuKind, Survey

TORCH = "torch==2.13.0"
UV = "uv>=0.9"
GIB = 2**30
Command = tuple[str, ...]

PIP_OPTIONS = ("--disable-pip-version-check", "--no-input", "--progress-bar", "raw", "--retries", "2")


@dataclass(frozen=True)
class Variant:
    """One build of PyTorch.

    Args:
        kind: the GPU it is for.
        text: for people.
        download_gib, disk_gib: of the whole backend with it, rounded up.
    """

    kind: GpuKind
    text: str
    download_gib: float
    disk_gib: float


# The first was measured, the others are PyTorch's share as its packages list it. Sizes differ a little by version.
VARIANTS: dict[str, Variant] = {
    "none": Variant("none", "Processor Only", 0.6, 2.0),
    "cuda": Variant("cuda", "NVIDIA (CUDA)", 3.5, 8.0),
    "rocm": Variant("rocm", "AMD (ROCm)", 5.0, 18.0),
    "apple": Variant("apple", "Apple", 0.5, 1.6),
}
# While a package is unpacked, its file is on the disk as well.
SPARE_GIB = 0.5


@dataclass(frozen=True)
class SetupOptions:
    """What to install, and how.

    Args:
        folder: everything goes in here, and is removed with it.
        wheel: the backend's wheel.
        constraints: versions that it was tested with, or None.
        variant: key of `VARIANTS`; None takes what the GPU wants.
        torch_index: address of a package index to take PyTorch from; empty for the usual ways.
        python: interpreter to build on; None looks for one.
    """

    folder: Path
    wheel: Path
    constraints: Path | None = None
    variant: str | None = None
    torch_index: str = ""
    python: Path | None = None


@dataclass(frozen=True)
class Step:
    """One step of the installation.

    Args:
        text: what it does, for people.
        attempts: ways to do it, tried in order until one works; each is a sequence of commands.
        share: part of the whole time that it usually takes.
        hint: what to do when no way works.
    """

    text: str
    attempts: tuple[tuple[Command, ...], ...]
    share: float
    hint: str = ""


def bundled_wheel() -> Path | None:
    """The backend's wheel inside the extension, None in a copy that has none."""
    found = sorted((Path(__file__).parents[1] / "backend").glob("relightify-*.whl"))
    return found[-1] if found else None


def chosen_variant(options: SetupOptions, survey: Survey) -> Variant:
    """The build of PyTorch to install."""
    return VARIANTS[options.variant or survey.gpu.kind]


def environment_folder(folder: Path) -> Path:
    """The virtual environment."""
    return folder / "python"


def environment_python(folder: Path, platform: str = sys.platform) -> Path:
    """The interpreter of the virtual environment."""
    if platform == "win32":
        return environment_folder(folder) / "Scripts" / "python.exe"
    return environment_folder(folder) / "bin" / "python"


def check(options: SetupOptions, survey: Survey) -> Variant:
    """See that the installation can work, before anything is downloaded.

    Raises:
        RelightifyError: ``no_wheel``, ``no_python``, ``missing_library`` or ``disk_full``.
    """
    if not options.wheel.is_file():
        raise RelightifyError(
            "no_wheel",
            "This copy of the add-on does not hold the backend.",
            "Install the add-on from a release, or choose Existing Python.",
        )
    if survey.python is None:
        raise RelightifyError(
            "no_python",
            f"The Python at {options.python} cannot be used."
            if options.python is not None
            else "No Python was found that can make virtual environments.",
            "Install Python 3.11, 3.12 or 3.13 (on Debian and Ubuntu also python3-venv), or choose another one.",
        )
    if survey.missing_libraries:
        raise RelightifyError(
            "missing_library",
            f"The backend needs {listed(survey.missing_libraries)}, which this system lacks.",
            f"{install_hint(survey.missing_libraries)} - then try again.",
        )
    variant = chosen_variant(options, survey)
    needed = variant.disk_gib + SPARE_GIB
    if survey.free_bytes < needed * GIB:
        raise RelightifyError(
            "disk_full",
            f"The backend needs {needed:.1f} GB of disk space, but only {survey.free_bytes / GIB:.1f} GB are free.",
            f"Free some space on the disk that holds {options.folder}.",
        )
    return variant


def plan(options: SetupOptions, base_python: Path, variant: Variant, platform: str = sys.platform) -> tuple[Step, ...]:
    """The steps from nothing to a backend that can work without network."""
    python = str(environment_python(options.folder, platform))
    pip = (python, "-m", "pip", "install", *PIP_OPTIONS)
    # The pip that Python brings along does not tell its progress in numbers.
    old_pip = (python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-q", "--upgrade", "pip")
    constraints = ("-c", str(options.constraints)) if options.constraints is not None else ()
    make = (str(base_python), "-I", "-m", "venv", "--clear", str(environment_folder(options.folder)))
    return (
        Step("Making a Python environment", ((make,),), 0.05),
        Step("Updating the package installer", ((old_pip,),), 0.05),
        Step("Installing PyTorch", torch_attempts(options, python, variant, platform), 0.40, torch_hint(options)),
        Step(
            "Installing the backend",
            (((*pip, *constraints, str(options.wheel)),), ((*pip, str(options.wheel)),)),
            0.35,
        ),
        Step("Fetching the face landmark model", (((python, "-m", "backend.cli", "fetch"),),), 0.05),
        Step("Trying it out", (((python, "-m", "backend.cli", "doctor"),),), 0.10),
    )


def torch_attempts(
    options: SetupOptions, python: str, variant: Variant, platform: str
) -> tuple[tuple[Command, ...], ...]:
    """Ways to get the right build of PyTorch; none that would bring gigabytes of another build."""
    pip = (python, "-m", "pip", "install", *PIP_OPTIONS)
    if options.torch_index:
        # What PyTorch needs comes from the usual index, with the backend's own requirements.
        return (((*pip, "--no-deps", "--index-url", options.torch_index, TORCH),),)
    on_usual_index = {("linux", "cuda"), ("darwin", "apple"), ("darwin", "none"), ("win32", "none")}
    if (platform, variant.kind) in on_usual_index:
        return (((*pip, TORCH),),)
    backend = "cpu" if variant.kind == "none" else "auto"
    uv = (python, "-m", "uv", "pip", "install", "--python", python, "--no-deps", "--torch-backend", backend, TORCH)
    by_uv = ((*pip, UV), uv)
    if variant.kind == "none":
        # Asks for this very build, so that it fails at once where the index has only another one.
        return (((*pip, f"{TORCH}+cpu"),), by_uv)
    return (by_uv,)


def torch_hint(options: SetupOptions) -> str:
    """What to do where PyTorch cannot be had."""
    if options.torch_index:
        return "Check the package index for PyTorch under Advanced, or leave it empty."
    return "Check the internet connection, choose another PyTorch, or name a package index that has it under Advanced."
