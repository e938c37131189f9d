"""How well people are recognised by cosines between embeddings: rank-1, AUC and d'."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Recognition:
    """Pictures of known people compared with a gallery of photographs.

    Args:
        first: share of the pictures whose own person is the most alike of the gallery (rank-1).
        area: share of (own, other) pairs of cosines that stand in the right order (AUC).
        distance: d', from the mean of others to the mean of own, over the root of the mean of their variances.
        own, others: mean cosines.
        pictures: how many that had a photograph of their person in the gallery.
    """

    first: float
    area: float
    distance: float
    own: float
    others: float
    pictures: int


def recognition(
    likeness: np.ndarray,  # [pictures, gallery], cosines
    people: list[str],  # of the pictures
    gallery: list[str],  # of the photographs, each person once
) -> Recognition:
    """What the cosines say of who is who; pictures of people who are not in the gallery count nowhere.

    Source of d' and AUC: Green and Swets, "Signal detection theory and psychophysics", 1966.

    Raises:
        ValueError: nobody is in the gallery, or only one person.
    """
    same = np.array(people)[:, None] == np.array(gallery)[None]
    known = same.any(1)
    likeness, same = likeness[known], same[known]
    if len(gallery) < 2 or not len(likeness):
        raise ValueError("there is nobody to be told from another")
    own, others = likeness[same], likeness[~same]
    first = same[np.arange(len(likeness)), likeness.argmax(1)].mean()
    area = ((own[:, None] > others[None]) + 0.5 * (own[:, None] == others[None])).mean()
    spread = np.sqrt((own.var() + others.var()) / 2)
    distance = (own.mean() - others.mean()) / max(float(spread), 1e-9)
    return Recognition(
        float(first), float(area), float(distance), float(own.mean()), float(others.mean()), len(likeness)
    )
