"""ICC profiles: what they do to colours, by LittleCMS."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

log = logging.getLogger(__name__)

# A profile that moves no colour by more than this is sRGB's; rounding alone moves them by one.
SAME_COLOUR_LEVELS = 2
UNUSABLE_PROFILE = "The photo's colour profile cannot be used, so its colours may be a little off."
_MODES = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}


@dataclass(frozen=True)
class ProfileConversion:
    """From a profile's colours to sRGB.

    Args:
        transform: None where nothing is to be done.
        mode: of the images that it takes.
        usable: False where the profile is broken or of another kind of picture.
    """

    transform: ImageCms.ImageCmsTransform | None
    mode: str
    usable: bool = True

    def __call__(self, image: Image.Image) -> Image.Image:
        """An image L, RGB or CMYK as sRGB RGB."""
        if self.transform is None:
            return image.convert("RGB")
        return ImageCms.applyTransform(image.convert(self.mode), self.transform) or image.convert("RGB")


@lru_cache(maxsize=2)  # for the bands of one photo
def profile_conversion(profile: bytes, mode: str) -> ProfileConversion:
    """What to do to images of a mode (L, RGB or CMYK) with an ICC profile.

    What counts is what the profile does to colours, which is its curves and primaries: its name may say anything.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = _inside(source).xcolor_space
        taken = _MODES.get(space, "")
        # A picture in grey may carry the profile of the colours that it was made from.
        if taken != mode and (mode, taken) != ("L", "RGB"):
            raise ValueError(f"a profile for {space} in a picture {mode}")
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), taken, "RGB")
        if taken != "RGB":
            return ProfileConversion(transform, taken)
        levels = np.arange(0, 256, 15, dtype=np.uint8)
        colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
        converted = np.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform))
        same = np.abs(converted.astype(int) - colours).max() <= SAME_COLOUR_LEVELS
        return ProfileConversion(None if same else transform, taken)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        log.warning("The photo's colour profile cannot be used (%s); its colours are taken as sRGB.", error)
        return ProfileConversion(None, mode, usable=False)


def _inside(profile: ImageCms.ImageCmsProfile) -> Any:
    """The profile itself, whose type Pillow does not declare rightly."""
    return profile.profile


def lab_to_srgb(image: Image.Image) -> Image.Image:
    """An image LAB as sRGB RGB."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image.convert("RGB")


def linear_matrix(profile: bytes) -> np.ndarray | None:
    """From the linear colours of an RGB profile made of curves and primaries to linear sRGB, float64 [3, 3]; None
    for any other."""

    def colorants(of: ImageCms.ImageCmsProfile) -> np.ndarray:
        found = _inside(of)
        return np.array([c[0] for c in (found.red_colorant, found.green_colorant, found.blue_colorant)]).T

    try:
        own = colorants(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        return np.linalg.solve(colorants(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))), own)
    except (ImageCms.PyCMSError, OSError, TypeError, np.linalg.LinAlgError) as error:
        log.warning("The photo's colour profile cannot be used (%s); its colours are taken as sRGB's.", error)
        return None
