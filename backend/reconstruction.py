"""What a job gives: the head, its maps and everything that is known of how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from backend.head.head_fit import HeadFit
from backend.photo.face_detector import Face
from backend.texture.maps import SkinMaps
from shared.corrections import Corrections
from shared.head_mesh import HeadMesh
from shared.options import JobOptions


@dataclass(frozen=True)
class FurtherSample:
    """Another completion of the same photo.

    Args:
        seed: the seed that gives it as a job of its own.
        files: its maps as PNG files by name; encoded, since several at 4096 would not fit into memory.
        light: [9, 3], as `HeadFit.light`, the one under which its albedo looks like the photo.
    """

    seed: int
    files: Mapping[str, bytes]
    light: np.ndarray


@dataclass(frozen=True)
class Reconstruction:
    """Everything that the photos gave.

    Args:
        mesh: the head as the add-on builds it, with camera, light and iris colours.
        maps: the skin's maps.
        fit: the head model's parameters; its light is the one under which the albedo looks like the photo.
        faces: the detected face of each photo, in the order of the fit's views.
        options: what was asked for.
        warnings: sentences for the user about what may have spoilt the result.
        timings: seconds by stage of the method (`shared.stages.METHOD`), in order.
        peak_memory_bytes: largest resident memory of the process during the job, None where unknown.
        further: samples 2, 3, ... where more than one was asked for.
        shares: by photo, the part of the skin that was seen which comes from it.
        corrections: what a hand has corrected of the fit.
        processor_timings: as `timings`, seconds of processor, of all threads together.
    """

    mesh: HeadMesh
    maps: SkinMaps
    fit: HeadFit
    faces: tuple[Face, ...]
    options: JobOptions
    warnings: tuple[str, ...]
    timings: dict[str, float]
    peak_memory_bytes: int | None
    further: tuple[FurtherSample, ...] = ()
    shares: tuple[float, ...] = (1.0,)
    corrections: Corrections = Corrections()
    processor_timings: dict[str, float] = field(default_factory=dict)

    @property
    def face(self) -> Face:
        """The first photo's."""
        return self.faces[0]
