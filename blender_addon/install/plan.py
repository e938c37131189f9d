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
from . import trim
from .bundle import check_bundle, read_bundle
from .bundle_format import MODELS, WHEELS
from .machine import Survey
from .variants import BACKEND_DOWNLOAD_GIB, GIB, PIP, TORCH, VARIANTS, Variant

UV = "uv>=0.9"
Command = tuple[str, ...]

# Bytecode of what is never run would double the size of many packages; Python writes that of the rest when it runs it.
PIP_OPTIONS = ("--disable-pip-version-check", "--no-input", "--retries", "2", "--no-compile")
RAW_PROGRESS = ("--progress-bar", "raw")


# While a package is unpacked, its file is on the disk as well.
SPARE_GIB = 0.5


@dataclass(frozen=True)
class SetupOptions:
    """What to install, and how.

    Args:
        folder: everything goes in here, and is removed with it.
        wheel: the backend's wheel.
        constraints: versions that it was tested with, or None.
        packages: list of what it needs beside PyTorch, or None to let pip find out.
        bundle: folder of an offline bundle to take everything from, or None.
        variant: key of `VARIANTS`; None takes what the GPU wants.
        torch_index: address of a package index to take PyTorch from; empty for the usual ways.
        python: interpreter to build on; None looks for one.
    """

    folder: Path
    wheel: Path
    constraints: Path | None = None
    packages: Path | None = None
    bundle: Path | None = None
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
        inputs: files whose content it depends on: a step that is done need not be done again with the same ones.
        download_bytes: about how much it downloads.
        checks: it changes nothing, and fails where a step ahead of it went wrong.
    """

    text: str
    attempts: tuple[tuple[Command, ...], ...]
    share: float
    hint: str = ""
    inputs: tuple[Path, ...] = ()
    download_bytes: float = 0.0
    checks: bool = False


def bundled_wheel() -> Path | None:
    """The backend's wheel inside the extension, None in a copy that has none."""
    found = sorted((Path(__file__).parents[1] / "backend").glob("relightify-*.whl"))
    return found[-1] if found else None


def chosen_variant(options: SetupOptions, survey: Survey) -> Variant:
    """The build of PyTorch to install; an offline bundle holds one alone.

    Raises:
        RelightifyError: ``bad_bundle``.
    """
    if options.bundle is not None:
        variant = VARIANTS.get(read_bundle(options.bundle).variant)
        if variant is None:
            raise RelightifyError(
                "bad_bundle", "The offline bundle is of another version.", "Make one with this version of Relightify."
            )
        return variant
    return VARIANTS[options.variant or survey.gpu.kind]


def folder_bytes(folder: Path) -> int:
    """What is in a folder, on the disk."""
    return sum(path.lstat().st_size for path in folder.rglob("*"))


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
        RelightifyError: ``no_wheel``, ``no_python``, ``missing_library``, ``bad_bundle`` or ``disk_full``.
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
    if options.bundle is not None:
        check_bundle(read_bundle(options.bundle), survey.python.version)
    variant = chosen_variant(options, survey)
    # An earlier try has taken part of it already.
    needed = variant.disk_gib + SPARE_GIB - folder_bytes(options.folder) / GIB
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
    make = (str(base_python), "-I", "-m", "venv", "--clear", str(environment_folder(options.folder)))
    # The pip that Python brings along is old. One that cannot be replaced has to do, and its next error says why.
    new_pip = (python, "-m", "pip", "install", *PIP_OPTIONS, "-q", *sources(options), "--upgrade", PIP)
    inputs = tuple(path for path in (options.packages, options.constraints, options.wheel) if path is not None)
    fetch = (python, "-m", "backend.cli", "fetch")
    if options.bundle is not None:
        fetch = (*fetch, "--from", str(options.bundle / MODELS))
    return (
        Step("Making a Python environment", ((make,),), 0.05),
        Step("Updating the package installer", ((new_pip,), ((python, "-m", "pip", "--version"),)), 0.05),
        Step(
            "Installing PyTorch",
            torch_attempts(options, python, variant, platform),
            0.40,
            torch_hint(options),
            download_bytes=(variant.download_gib - BACKEND_DOWNLOAD_GIB) * GIB,
        ),
        Step(
            "Installing the backend",
            backend_attempts(options, python),
            0.33,
            inputs=inputs,
            download_bytes=BACKEND_DOWNLOAD_GIB * GIB,
        ),
        Step("Removing what is never used", (((python, "-I", str(trim.SCRIPT)),),), 0.02, inputs=(trim.SCRIPT,)),
        Step("Fetching the models", ((fetch,),), 0.05),
        Step("Trying it out", (((python, "-m", "backend.cli", "doctor"),),), 0.10, checks=True),
    )


def pip_install(options: SetupOptions, python: str) -> Command:
    """The beginning of a command that installs."""
    return (python, "-m", "pip", "install", *PIP_OPTIONS, *RAW_PROGRESS, *sources(options))


def sources(options: SetupOptions) -> Command:
    """Where pip looks, if not in the usual places."""
    return ("--no-index", "--find-links", str(options.bundle / WHEELS)) if options.bundle is not None else ()


def without_raw_progress(command: Command) -> Command:
    """A command as an old pip understands it."""
    for place in range(len(command) - 1):
        if command[place : place + 2] == RAW_PROGRESS:
            return command[:place] + command[place + 2 :]
    return command


def backend_attempts(options: SetupOptions, python: str) -> tuple[tuple[Command, ...], ...]:
    """Ways to install the backend's wheel and what it needs."""
    pip, wheel = pip_install(options, python), str(options.wheel)
    listed_alone: tuple[tuple[Command, ...], ...] = ()
    if options.packages is not None:
        listed_alone = (((*pip, "--no-deps", "-r", str(options.packages)), (*pip, "--no-deps", wheel)),)
        if options.bundle is not None:
            return listed_alone
    constraints = ("-c", str(options.constraints)) if options.constraints is not None else ()
    return (*listed_alone, ((*pip, *constraints, wheel),), ((*pip, wheel),))


def torch_attempts(
    options: SetupOptions, python: str, variant: Variant, platform: str
) -> tuple[tuple[Command, ...], ...]:
    """Ways to get the right build of PyTorch; none that would bring gigabytes of another build."""
    pip = pip_install(options, python)
    if options.bundle is not None:
        # It holds one build; what PyTorch needs beside it is installed with the backend or lies there as well.
        return (((*pip, TORCH),), ((*pip, "--no-deps", TORCH),))
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
    if options.bundle is not None:
        return "The offline bundle does not fit: make one for this system, this Python and this graphics card."
    if options.torch_index:
        return "Check the package index for PyTorch under Advanced, or leave it empty."
    return "Check the internet connection, choose another PyTorch, or name a package index that has it under Advanced."
