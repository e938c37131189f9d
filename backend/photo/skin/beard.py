"""Which hair of a face is beard: it reaches the face's middle below the nose, and does not hang down from above."""

from __future__ import annotations

import cv2
import numpy as np


def beard(
    hair: np.ndarray, below_nose: np.ndarray, above_eyes: np.ndarray, inside: np.ndarray, middle: np.ndarray
) -> np.ndarray:
    """Hair around the mouth, all bool [h, w].

    Long hair beside the face does not reach its middle, and a lock that does comes down over an eye; a beard goes up to
    the temples along the face's sides alone.

    Args:
        hair: hair of any kind.
        below_nose: below the base of the nose.
        above_eyes: above the root of the nose.
        inside: the face without its sides.
        middle: what is near to the line from forehead to chin.
    """
    lower = hair & below_nose
    hanging = reaching(reaching(hair & inside, above_eyes), below_nose)
    found = reaching(lower, middle)
    return found & ~reaching(found, hanging)


def reaching(parts: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The connected parts that reach a place, bool [h, w]."""
    count, labels = cv2.connectedComponents(parts.astype(np.uint8), connectivity=4)
    labels = np.asarray(labels, np.int64)
    found = np.zeros(count, bool)
    found[np.unique(labels[place & parts])] = True
    found[0] = False
    return found[labels]
