"""What is told about the detail of a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DetailReport:
    """Where the detail of the maps comes from: shares of the face that add up to 1.

    Detail is counted by octaves of wavelength, the finest that the maps hold to 6 mm; each octave counts the
    same.

    Args:
        seen: taken from the photo.
        continued: statistics and samples of this person's seen skin, where the photo does not show the skin.
        made: statistics of people's skin, where the photo is too small to show it.
        strength: of continued and made detail, as asked for.
        photo_px_per_mm: median size of the photo on the seen face; what is finer than two pixels was not seen.
        texels_per_mm: size of the maps on the cheeks.
        octaves_mm: wavelength of each octave, mm, and its shares [seen, continued, made].
    """

    seen: float
    continued: float
    made: float
    strength: float
    photo_px_per_mm: float
    texels_per_mm: float
    octaves_mm: tuple[tuple[float, float, float, float], ...] = ()
