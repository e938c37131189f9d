"""The mouth shapes of speech as mixtures of the 52 ARKit shapes. Knows nothing of Blender.

The fifteen are those of Oculus Lipsync: silence, nine groups of consonants, five vowels. Which articulators a sound
moves is after Ladefoged and Johnson, "A Course in Phonetics", chapters 1 and 9; by how much was chosen by eye on the
mean head.
"""

from __future__ import annotations

from collections.abc import Mapping

from .shapes import sides

_MIXTURES: Mapping[str, Mapping[str, float]] = {
    "sil": {},
    # p, b, m: both lips closed and pressed.
    "PP": {"mouthRollUpper": 0.25, "mouthRollLower": 0.3, "mouthPress*": 0.3},
    # f, v: the lower lip at the upper teeth.
    "FF": {"mouthRollLower": 0.6, "mouthUpperUp*": 0.3, "mouthShrugLower": 0.15, "jawOpen": 0.04},
    # th: the tip of the tongue between the teeth.
    "TH": {"jawOpen": 0.2, "tongueOut": 0.3, "mouthUpperUp*": 0.1, "mouthLowerDown*": 0.2},
    # t, d: the tongue behind the upper teeth.
    "DD": {"jawOpen": 0.12, "mouthUpperUp*": 0.15, "mouthLowerDown*": 0.25, "mouthStretch*": 0.1},
    # k, g: the back of the tongue at the palate.
    "kk": {"jawOpen": 0.2, "mouthUpperUp*": 0.12, "mouthLowerDown*": 0.2},
    # ch, j, sh: lips pushed forward, teeth nearly closed.
    "CH": {"mouthFunnel": 0.45, "mouthPucker": 0.25, "jawOpen": 0.03, "mouthUpperUp*": 0.08, "mouthLowerDown*": 0.1},
    # s, z: teeth together, lips spread.
    "SS": {"mouthStretch*": 0.3, "mouthSmile*": 0.2, "mouthUpperUp*": 0.2, "mouthLowerDown*": 0.35},
    # n, l: as t, a little looser.
    "nn": {"jawOpen": 0.12, "mouthUpperUp*": 0.1, "mouthLowerDown*": 0.2},
    # r: lips a little rounded.
    "RR": {"mouthFunnel": 0.35, "mouthPucker": 0.25, "jawOpen": 0.1},
    # a as in car: the jaw open, lips at rest.
    "aa": {"jawOpen": 0.55, "mouthLowerDown*": 0.1},
    # e as in bed: half open, a little spread.
    "E": {"jawOpen": 0.25, "mouthSmile*": 0.2, "mouthStretch*": 0.2, "mouthUpperUp*": 0.12, "mouthLowerDown*": 0.2},
    # ih as in tip: nearly closed, spread.
    "I": {"jawOpen": 0.12, "mouthSmile*": 0.35, "mouthStretch*": 0.25, "mouthUpperUp*": 0.1, "mouthLowerDown*": 0.2},
    # oh as in toe: open and round.
    "O": {"jawOpen": 0.24, "mouthFunnel": 0.5, "mouthPucker": 0.3},
    # ou as in book: a small round opening.
    "U": {"jawOpen": 0.1, "mouthPucker": 0.75, "mouthFunnel": 0.35},
}

VISEMES: Mapping[str, Mapping[str, float]] = {
    f"viseme_{sound}": {name: value for pattern, value in mixture.items() for name in sides(pattern)}
    for sound, mixture in _MIXTURES.items()
}
