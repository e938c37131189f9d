"""The chosen numbers of the skin data; pairs are where a smooth step begins and ends. How found: skin_data.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SetDelightingSettings:
    """A set of portraits that share their light.

    Args:
        samples_per_photo: texels of a photo that the set's light is estimated from, at most.
        bearded: log luminance of chin and upper lip against the tone below which a beard grows; assumed.
        facing: cosines to the camera from and up to which shading and sharpness are trusted; assumed.
        sheen_mm: blur of sheen that is evened out; assumed.
        strand_mm: length of strands of hair; assumed.
        strand_zone_mm: from the outline, within which they lie; assumed.
        floor: linear level below which 8 bits hold no colour.
    """

    samples_per_photo: int = 1500
    bearded: float = -0.13
    facing: tuple[float, float] = (0.2, 0.45)
    sheen_mm: float = 5.0
    strand_mm: float = 9.0
    strand_zone_mm: float = 22.0
    floor: float = 0.004


@dataclass(frozen=True)
class EnlargerTraining:
    """Learning to enlarge photos.

    Args:
        densest: pixels a mm of the photos that are learnt from at most.
        eyes_mm: distance of the eyes, which the photos are scaled by.
        oval_mm, eye_mm: kept away from the face's outline and the eyes.
        kinds: of windows.
        flat: length of a window below which it counts as flat, sRGB values; assumed.
        pixel_noise: standard deviation of a pixel, sRGB values.
        searched: share of the windows among which kinds are looked for.
        rounds: of k-means.
        shrinkage: ridge of the guesses, in windows; assumed.
    """

    densest: float = 3.6
    eyes_mm: float = 63.0
    oval_mm: float = 4.0
    eye_mm: float = 3.0
    kinds: int = 48
    flat: float = 0.01
    pixel_noise: float = 0.7 / 255
    searched: float = 0.06
    rounds: int = 12
    shrinkage: float = 100.0


@dataclass(frozen=True)
class MeasureSettings:
    """What the skin data's report measures.

    Args:
        seen: trust from which a texel is seen.
        cheek_blur_mm: blur of the cheeks' tones.
        highlight_excess: L* above the surroundings that is a highlight; assumed.
        saturated: sRGB value from which on a texel is saturated.
    """

    seen: float = 0.5
    cheek_blur_mm: float = 4.0
    highlight_excess: float = 12.0
    saturated: float = 0.985


@dataclass(frozen=True)
class LandmarkUnwrapSettings:
    """Portraits unwrapped by their landmarks.

    Args:
        residual_sigma_m: metres over which residuals of landmarks are spread; assumed.
        cell_m: metres between the nodes of the field of residuals.
        facing: cosines to the camera from which on a texel is seen, and fully; assumed.
        largest_residual: distances of the eyes above which a landmark is wrong; assumed.
    """

    residual_sigma_m: float = 0.007
    cell_m: float = 0.002
    facing: tuple[float, float] = (0.12, 0.35)
    largest_residual: float = 0.08
