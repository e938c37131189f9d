"""Tones of all sets brought to one scale: cameras and exposures differ, people of one group do not."""

from __future__ import annotations

import numpy as np

from backend.imaging.colour import lab_to_linear, linear_to_lab
from backend.rendering.skin_model import without_surface_reflection
from backend.training.skin.portraits import Person

# Mean facial skin of young white adults, CIE Lab, D65, the one group that every set of portraits has many people of:
# all that it reflects, as spectrophotometers see it.
# Assumed, near published spectrophotometry (for example Xiao et al., "Characterising the variations in ethnic skin
# colours", 2017), from no one table; all absolute tones hang on it.
REFERENCE_LAB = (65.5, 11.5, 15.5)
REFERENCE_GROUP, OLDEST = "white", 40
# Standard deviation of log albedo among people of one group, about 4 L*; assumed.
USUAL_SPREAD = 0.16


def of_reference_group(person: Person) -> bool:
    """Whether the person is of the group whose mean tone is known: young white adults."""
    return person.ethnicity == REFERENCE_GROUP and (person.age is None or person.age <= OLDEST)


def set_gains(people: list[Person], tones: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Log gain [3] of each set that takes its reference group's mean log albedo to the reference tone.

    Args:
        tones: log albedo [3] of each person, by identifier, before calibration.

    Raises:
        ValueError: a set has nobody of the reference group.
    """
    reference = np.log(lab_to_linear(np.array(REFERENCE_LAB)))
    gains = {}
    for group in sorted({p.group for p in people}):
        members = [
            tones[p.identifier] for p in people if p.group == group and of_reference_group(p) and p.identifier in tones
        ]
        if not members:
            raise ValueError(f"the set {group} has nobody of the reference group")
        gains[group] = reference - np.median(np.stack(members), axis=0)
    return gains


def photo_gains(people: list[Person], tones: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Log gain [3] of each person: that of the set, and a small one of the photo.

    Exposure and white balance vary from photo to photo as well. Where the reference group of a set differs among
    itself by more than people do, its deviations from the group are scaled down to what people differ by.
    """
    gains = set_gains(people, tones)
    result = {p.identifier: gains[p.group] for p in people}
    reference = np.log(lab_to_linear(np.array(REFERENCE_LAB)))
    for group, gain in gains.items():
        members = [p for p in people if p.group == group and p.ethnicity == REFERENCE_GROUP]
        deviations = {p.identifier: tones[p.identifier] + gain - reference for p in members}
        spread = np.sqrt(np.mean([np.square(d.mean()) for d in deviations.values()]))
        kept = min(1.0, USUAL_SPREAD / max(float(spread), 1e-6))
        for name, deviation in deviations.items():
            result[name] = gain + (kept - 1) * deviation
    return result


def diffuse_gain(tone: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """The log gain [3] that takes a log tone [3] to diffuse albedo; `gain` [3] takes it to all that skin reflects.

    Photos and spectrophotometers see what skin reflects at its surface as well. A gain and not a difference by texel,
    as in `backend.delight.skin_tone`: that would enlarge what is left of shading.
    """
    reflectance = np.exp(tone + gain)
    return gain + np.log(without_surface_reflection(reflectance) / reflectance)


def tone_lab(log_tone: np.ndarray) -> np.ndarray:
    """CIE Lab [..., 3] of log albedo tones [..., 3]."""
    return linear_to_lab(np.exp(log_tone))
