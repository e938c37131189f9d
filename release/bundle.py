"""The offline bundle: everything that an installation of the backend would download, in one folder."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.photo.networks.model_file import FACE_LANDMARKER, SEGMENTER, fetched_model
from blender_addon.install.bundle_format import DESCRIPTION, MODELS, WHEELS, Bundle
from blender_addon.install.variants import PIP, TORCH
from release.wheels import BuildError, download

# Wheels of the backend's packages name newer systems than those of the add-on's two.
PLATFORM_TAGS: dict[str, tuple[str, ...]] = {
    "linux-x64": (
        *(f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 26, 24, 17, 12, 5)),
        *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"),
    ),
    "windows-x64": ("win_amd64",),
    "macos-arm64": (*(f"macosx_{major}_0_arm64" for major in range(14, 10, -1)), "macosx_10_9_universal2"),
    "macos-x64": (*(f"macosx_{major}_0_x86_64" for major in range(14, 10, -1)), "macosx_10_9_x86_64"),
}
SYSTEMS = {"linux": "linux", "windows": "win32", "macos": "darwin"}


@dataclass(frozen=True)
class BundleOptions:
    """What a bundle is made for.

    Args:
        platform: Blender's name of it.
        pythons: versions such as ``3.11``.
        variant: key of `blender_addon.install.variants.VARIANTS`.
        torch_index: address of a package index to take PyTorch from; empty for the usual one.
    """

    platform: str
    pythons: tuple[str, ...]
    variant: str = "none"
    torch_index: str = ""


def make_bundle(folder: Path, options: BundleOptions, packages: Path, version: str) -> Bundle:
    """Download everything and describe it.

    Args:
        folder: of the bundle; must be empty or not there.
        options: what it is made for.
        packages: list of the backend's packages, `install_packages.txt`.
        version: of Relightify.

    Raises:
        BuildError: something cannot be had, or the folder is not empty.
        RelightifyError: the model file cannot be had.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BuildError(f"{folder} is not empty; name a new folder.")
    wheels, models = folder / WHEELS, folder / MODELS
    models.mkdir(parents=True)
    needed = needed_packages(packages.read_text(encoding="utf-8"), options.platform)
    for python in options.pythons:
        tags = PLATFORM_TAGS[options.platform]
        download([*needed, PIP], wheels, tags, python)
        index = ["--index-url", options.torch_index] if options.torch_index else []
        # What the build for the processor asks for is in the list; others ask for their own libraries.
        download([torch_requirement(options)], wheels, tags, python, *index, deps=options.variant != "none")
    for model in (FACE_LANDMARKER, SEGMENTER):
        shutil.copy2(fetched_model(model), models)
    paths = sorted([*wheels.iterdir(), *models.iterdir()])
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
    bundle = Bundle(options.platform, options.pythons, options.variant, version, sizes)
    (folder / DESCRIPTION).write_text(json.dumps(asdict(bundle), indent=1), encoding="utf-8")
    return bundle


def needed_packages(text: str, platform: str) -> list[str]:
    """The requirements in a list that count on a platform; pip would ask this machine.

    Raises:
        BuildError: a line depends on something else than the system.
    """
    system, found = SYSTEMS[platform.partition("-")[0]], []
    for line in text.splitlines():
        requirement, _, marker = line.partition(";")
        if not requirement.strip() or requirement.startswith("#"):
            continue
        if marker:
            wanted = re.fullmatch(r'\s*sys_platform == "(\w+)"\s*', marker)
            if wanted is None:
                raise BuildError(f"The list of packages has a line that is not understood: {line}")
            if wanted[1] != system:
                continue
        found.append(requirement.strip())
    return found


def torch_requirement(options: BundleOptions) -> str:
    """PyTorch as the usual index names the build; on Linux it has another one under the plain name."""
    if options.variant == "none" and options.platform.startswith("linux") and not options.torch_index:
        return f"{TORCH}+cpu"
    return TORCH
