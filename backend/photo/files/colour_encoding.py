"""Colour spaces that files name by numbers instead of a profile, and their conversion to sRGB."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backend.imaging.colour import linear_to_srgb, srgb_to_linear

Chromaticities = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]

# White, red, green, blue.
SRGB: Chromaticities = ((0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_D65 = SRGB[0]
# Colour primaries of ITU-T H.273, table 2.
PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB,
    4: ((0.310, 0.316), (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: (_D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
# Transfer characteristics of ITU-T H.273, table 3. Pictures after BT.709 and its like are shown on the screens that
# sRGB's are, and are made to look right there.
TRANSFERS: dict[int, str | float] = {
    1: "srgb",
    4: 2.2,
    5: 2.8,
    6: "srgb",
    8: 1.0,
    13: "srgb",
    14: "srgb",
    15: "srgb",
    16: "pq",
    18: "hlg",
}


@dataclass(frozen=True)
class ColourEncoding:
    """How a file's values mean colours.

    Args:
        primaries: chromaticities of white and the three colours.
        transfer: ``srgb``, ``pq``, ``hlg``, or the exponent of a power law.
        white_nits: what paper white is where values know how bright a screen is, cd/m2 (ITU-R BT.2408, section 2.1).
    """

    primaries: Chromaticities = SRGB
    transfer: str | float = "srgb"
    white_nits: float = 203.0

    @property
    def is_srgb(self) -> bool:
        """Whether values can stay as they are: the same white and colours within a thousandth, and sRGB's curve."""
        near = np.abs(np.subtract(self.primaries, SRGB)).max() < 1e-3
        return bool(near) and self.transfer == "srgb"

    @property
    def beyond_white(self) -> bool:
        """Whether it has values for what is brighter than white."""
        return self.transfer in ("pq", "hlg")

    @cached_property
    def matrix(self) -> np.ndarray:
        """From its linear colours to sRGB's, float64 [3, 3]; the white is adapted (Bradford)."""
        cone = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
        seen, wanted = (cone @ _xyz(white) for white in (self.primaries[0], _D65))
        adaptation = np.linalg.inv(cone) @ np.diag(wanted / seen) @ cone
        return np.linalg.inv(_to_xyz(SRGB)) @ adaptation @ _to_xyz(self.primaries)

    def linear(self, values: np.ndarray) -> np.ndarray:
        """Values [..., 3] in [0, 1] as linear sRGB, 1 the white of paper; what is brighter goes beyond."""
        if self.transfer == "pq":
            light = pq_to_nits(values) / self.white_nits
        elif self.transfer == "hlg":
            light = self._hlg_to_nits(values) / self.white_nits
        elif self.transfer == "srgb":
            light = srgb_to_linear(values)
        else:
            light = np.power(values, float(self.transfer))
        return light @ self.matrix.T

    def tone_mapped(self, linear: np.ndarray, peak: float) -> np.ndarray:
        """Colours [..., 3], white at 1, with what is brighter pressed below white; nothing where `peak` is 1.

        The largest component goes along the curve of ITU-R BT.2390, section 5.4.1 (EETF: a straight line, then a
        Hermite spline, in perceptual units), and the others in proportion, so that hues stay.

        Args:
            linear: linear sRGB.
            peak: see `brightest`.
        """
        if peak <= 1:
            return linear
        top = nits_to_pq(np.array(peak * self.white_nits))
        most = float(nits_to_pq(np.array(self.white_nits)) / top)
        largest = np.maximum(linear.max(axis=-1), 1e-6)
        place = np.clip(nits_to_pq(largest * self.white_nits) / top, 0, 1)
        knee = 1.5 * most - 0.5
        t = np.clip((place - knee) / (1 - knee), 0, 1)
        spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee)
        spline += (-2 * t**3 + 3 * t**2) * most
        pressed = pq_to_nits(np.where(place < knee, place, spline) * top) / self.white_nits
        return linear * (pressed / largest)[..., None]

    def to_srgb(self, values: np.ndarray, peak: float = 1.0) -> np.ndarray:
        """Values [..., 3] in [0, 1] as uint8 sRGB; what lies outside of it is cut off, `peak` as for `tone_mapped`."""
        linear = self.tone_mapped(self.linear(values), peak)
        return np.round(linear_to_srgb(np.clip(linear, 0, 1)) * 255).astype(np.uint8)

    def brightest(self, values: np.ndarray) -> float:
        """The bright end of a picture's values [n, 3], linear with white at 1: what a thousandth of it exceeds; 1 for
        encodings that end at white."""
        if not self.beyond_white or not len(values):
            return 1.0
        return float(max(np.quantile(self.linear(values).max(axis=-1), 0.999), 1.0))

    def _hlg_to_nits(self, values: np.ndarray) -> np.ndarray:
        """Hybrid log-gamma on its reference display of 1000 cd/m2 (ITU-R BT.2100, table 5)."""
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(values <= 0.5, np.square(values) / 3, (np.exp((values - c) / a) + b) / 12)
        luminance = scene @ _to_xyz(self.primaries)[1]
        return 1000 * scene * np.power(np.maximum(luminance, 1e-6), 0.2)[..., None]


# Adobe RGB (1998), sections 4.3.1 and 4.3.4.
ADOBE_RGB = ColourEncoding((_D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 563 / 256)


def pq_to_nits(values: np.ndarray) -> np.ndarray:
    """Values in [0, 1] of the perceptual quantiser as cd/m2 (SMPTE ST 2084, eq. 4.1)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = np.power(np.clip(values, 0, 1), 1 / m2)
    return 10000 * np.power(np.maximum(root - c1, 0) / (c2 - c3 * root), 1 / m1)


def nits_to_pq(nits: np.ndarray) -> np.ndarray:
    """The inverse of `pq_to_nits` (SMPTE ST 2084, eq. 5.2)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = np.power(np.maximum(nits, 0) / 10000, m1)
    return np.power((c1 + c2 * root) / (1 + c3 * root), m2)


def _xyz(chromaticity: tuple[float, float]) -> np.ndarray:
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _to_xyz(primaries: Chromaticities) -> np.ndarray:
    """From linear colours to XYZ, float64 [3, 3]."""
    white, *colours = (_xyz(point) for point in primaries)
    columns = np.stack(colours, axis=1)
    return columns * np.linalg.solve(columns, white)
