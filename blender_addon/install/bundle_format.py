"""An offline bundle: a folder with everything that an installation would download. `build_addon.py` makes it.

Below the folder lie `wheels`, `models` and `bundle.json`, which says what it is for and what belongs to it.
"""

from __future__ import annotations

from dataclasses import dataclass

WHEELS, MODELS, DESCRIPTION = "wheels", "models", "bundle.json"


@dataclass(frozen=True)
class Bundle:
    """What a bundle is for.

    Args:
        platform: Blender's name of it, such as ``linux-x64``.
        pythons: versions such as ``3.11``.
        variant: key of `plan.VARIANTS`.
        version: of Relightify.
        files: size in bytes of every file, by its path in the folder.
    """

    platform: str
    pythons: tuple[str, ...]
    variant: str
    version: str
    files: dict[str, int]
