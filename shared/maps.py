"""Names and encodings of the texture maps that the backend makes and the add-on reads (DESIGN section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True)
class MapSpec:
    """How one map is stored.

    Args:
        name: field name in results and messages.
        channels: 1 or 3.
        srgb: True where values are sRGB-encoded, False where they are linear ("Non-Color" in Blender).
        bits: bits per channel of the PNG file.
    """

    name: str
    channels: int
    srgb: bool
    bits: int

    @property
    def file_name(self) -> str:
        return f"{self.name}.png"


TEXTURE = MapSpec("texture", 3, srgb=True, bits=8)
DIFFUSE_ALBEDO = MapSpec("diffuse_albedo", 3, srgb=True, bits=8)
SPECULAR_ALBEDO = MapSpec("specular_albedo", 1, srgb=False, bits=16)
NORMAL = MapSpec("normal", 3, srgb=False, bits=16)
VISIBILITY = MapSpec("visibility", 1, srgb=False, bits=8)

# Not in every result: displacement where it is asked for, roughness in all that have been through the detail stage.
DISPLACEMENT = MapSpec("displacement", 1, srgb=False, bits=16)
ROUGHNESS = MapSpec("roughness", 1, srgb=False, bits=8)
# The height of a displacement over the mesh, mm, is (value - 0.5) * this; 0 lies at DISPLACEMENT_ZERO.
DISPLACEMENT_RANGE_MM, DISPLACEMENT_ZERO = 1.0, 0.5

MAPS: tuple[MapSpec, ...] = (TEXTURE, DIFFUSE_ALBEDO, SPECULAR_ALBEDO, NORMAL, VISIBILITY)
EXTRA_MAPS: tuple[MapSpec, ...] = (DISPLACEMENT, ROUGHNESS)

File = TypeVar("File")


def sample_folder(number: int) -> str:
    """Where the maps of a job's sample 2, 3, ... lie: `sample_2`, ...; those of sample 1 lie at the top."""
    return f"sample_{number}"


def sample_key(number: int, name: str) -> str:
    """The name in a result of a map of sample 1, 2, ...: `normal`, `sample_2/normal`, ..."""
    return name if number == 1 else f"{sample_folder(number)}/{name}"


def sample_count(files: Mapping[str, object]) -> int:
    """How many samples a result's maps hold."""
    number = 1
    while sample_key(number + 1, DIFFUSE_ALBEDO.name) in files:
        number += 1
    return number


def maps_of_sample(files: Mapping[str, File], number: int) -> dict[str, File]:
    """The maps of sample 1, 2, ... of a result by their plain names.

    What the samples share, such as `photo`, is in each.

    Raises:
        KeyError: there is no such sample.
    """
    if not 1 <= number <= sample_count(files):
        raise KeyError(f"there is no sample {number}")
    shared = {name: file for name, file in files.items() if "/" not in name}
    prefix = sample_key(number, "")
    own = {name.removeprefix(prefix): file for name, file in files.items() if prefix and name.startswith(prefix)}
    return {**shared, **own}
