"""Reading an offline bundle, and seeing that it fits this machine."""

from __future__ import annotations

import json
import platform as this_machine
import sys
from pathlib import Path

from .._shared import RelightifyError
from .bundle_format import DESCRIPTION, Bundle


def read_bundle(folder: Path) -> Bundle:
    """What the bundle in a folder is for.

    Raises:
        RelightifyError: ``bad_bundle``, there is none, or files of it are missing or cut off.
    """
    try:
        content = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        bundle = Bundle(
            str(content["platform"]),
            tuple(map(str, content["pythons"])),
            str(content["variant"]),
            str(content["version"]),
            {str(name): int(size) for name, size in content["files"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RelightifyError(
            "bad_bundle",
            f"There is no offline bundle in {folder}.",
            f"Choose the folder that holds {DESCRIPTION}, made by build_addon.py --offline-bundle.",
        ) from error
    for name, size in bundle.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            raise RelightifyError(
                "bad_bundle",
                f"The offline bundle is incomplete: {name} is missing or cut off.",
                "Copy the whole folder again.",
            )
    return bundle


def check_bundle(bundle: Bundle, python_version: str, platform: str | None = None) -> None:
    """See that a bundle fits this machine.

    Args:
        bundle: what `read_bundle` returned.
        python_version: of the Python that would be built on, such as ``3.11.9``.
        platform: Blender's name of this platform; None asks.

    Raises:
        RelightifyError: ``bad_bundle``.
    """
    platform = platform if platform is not None else this_platform()
    if bundle.platform != platform:
        raise RelightifyError(
            "bad_bundle",
            f"The offline bundle is for {bundle.platform}, and this is {platform}.",
            f"Make one with build_addon.py --platform {platform} --offline-bundle.",
        )
    version = ".".join(python_version.split(".")[:2])
    if version not in bundle.pythons:
        raise RelightifyError(
            "bad_bundle",
            f"The offline bundle is for Python {' and '.join(bundle.pythons)}, and {version} would be used.",
            f"Name such a Python under Advanced, or make a bundle with --bundle-python {version}.",
        )


def this_platform(system: str = sys.platform, machine: str | None = None) -> str:
    """Blender's name of this platform."""
    machine = (machine if machine is not None else this_machine.machine()).lower()
    processor = "arm64" if machine in ("arm64", "aarch64") else "x64"
    return f"{ {'win32': 'windows', 'darwin': 'macos'}.get(system, 'linux') }-{processor}"
