"""The 52 ARKit shapes in the groups that an artist thinks in, and plausible random faces. Knows nothing of Blender."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Brows": ("browInnerUp", "browDown*", "browOuterUp*"),
    "Eyes": ("eyeBlink*", "eyeWide*", "eyeSquint*", "eyeLookUp*", "eyeLookDown*", "eyeLookIn*", "eyeLookOut*"),
    "Cheeks and Nose": ("cheekPuff", "cheekSquint*", "noseSneer*"),
    "Jaw": ("jawOpen", "jawForward", "jawLeft", "jawRight"),
    "Mouth": (
        "mouthSmile*",
        "mouthFrown*",
        "mouthDimple*",
        "mouthStretch*",
        "mouthPress*",
        "mouthUpperUp*",
        "mouthLowerDown*",
        "mouthClose",
        "mouthPucker",
        "mouthFunnel",
        "mouthLeft",
        "mouthRight",
        "mouthRollUpper",
        "mouthRollLower",
        "mouthShrugUpper",
        "mouthShrugLower",
    ),
    "Tongue": ("tongueOut",),
}

# What muscles do together, after the prototypes of basic emotions in the facial action coding system (Ekman, Friesen
# and Hager, "Facial Action Coding System: Investigator's Guide", 2002, table 10-1) put into ARKit's shapes.
MOODS: Mapping[str, Mapping[str, float]] = {
    "joy": {"mouthSmile*": 0.9, "cheekSquint*": 0.6, "eyeSquint*": 0.3, "mouthUpperUp*": 0.25, "jawOpen": 0.12},
    "quiet smile": {"mouthSmile*": 0.45, "mouthDimple*": 0.3, "cheekSquint*": 0.2, "mouthPress*": 0.15},
    "surprise": {"browInnerUp": 0.8, "browOuterUp*": 0.7, "eyeWide*": 0.6, "jawOpen": 0.35},
    "sorrow": {"browInnerUp": 0.7, "mouthFrown*": 0.6, "mouthShrugLower": 0.35, "eyeSquint*": 0.2, "eyeLookDown*": 0.3},
    "anger": {"browDown*": 0.85, "eyeSquint*": 0.3, "noseSneer*": 0.3, "mouthPress*": 0.5, "mouthRollLower": 0.15},
    "disgust": {"noseSneer*": 0.8, "mouthUpperUp*": 0.5, "browDown*": 0.4, "cheekSquint*": 0.4, "mouthFrown*": 0.3},
    "fear": {"browInnerUp": 0.7, "browDown*": 0.25, "eyeWide*": 0.7, "mouthStretch*": 0.6, "jawOpen": 0.15},
    "thought": {"browDown*": 0.35, "mouthPucker": 0.35, "eyeSquint*": 0.25},
    "kiss": {"mouthPucker": 0.85, "mouthFunnel": 0.15, "eyeSquint*": 0.15},
    "speech": {"jawOpen": 0.28, "mouthFunnel": 0.35, "mouthUpperUp*": 0.12, "mouthLowerDown*": 0.2},
}
SIDES = ("Left", "Right")
# What its name does not say: mouthClose shuts the lips of an open jaw, and alone drives them through each other.
NOTES = {"mouthClose": "with Jaw Open"}
ASYMMETRY = 0.2


def sides(pattern: str) -> tuple[str, ...]:
    """The shapes of an entry of `GROUPS` or `MOODS`: left and right where it ends in a star."""
    return tuple(pattern[:-1] + side for side in SIDES) if pattern.endswith("*") else (pattern,)


def group_shapes(group: str) -> tuple[str, ...]:
    """All shapes of a group.

    Raises:
        KeyError: there is no such group.
    """
    return tuple(name for pattern in GROUPS[group] for name in sides(pattern))


def label(pattern: str) -> str:
    """How a shape is called in its group: ``eyeLookUp*`` is *Look Up*, ``mouthLeft`` is *Left*."""
    plain = pattern.removesuffix("*")
    start = next((i for i, letter in enumerate(plain) if letter.isupper()), 0)
    words = "".join(f" {c}" if c.isupper() else c for c in plain[start:]).strip()
    prefix = {"cheek": "Cheek ", "nose": "Nose ", "tongue": "Tongue "}.get(plain[:start], "")
    note = f" ({NOTES[plain]})" if plain in NOTES else ""
    return f"{prefix}{words}{note}"


def random_expression(rng: np.random.Generator, strength: float = 1.0) -> dict[str, float]:
    """A face that a person could make: one or two moods, nearly the same on both sides, and a glance.

    Args:
        rng: where chance comes from.
        strength: factor on all weights but the glance's, in [0, 1].

    Returns:
        weights in [0, 1] of the shapes that are not at rest.
    """
    main, other = rng.choice(list(MOODS), size=2, replace=False)
    weights: dict[str, float] = {}
    for mood, amount in ((main, rng.uniform(0.75, 1.1)), (other, rng.choice([0.0, rng.uniform(0.1, 0.35)]))):
        for pattern, value in MOODS[mood].items():
            level = value * amount * rng.uniform(0.75, 1.15)
            for name in sides(pattern):
                tilt = 1 + rng.uniform(-ASYMMETRY, ASYMMETRY) if pattern.endswith("*") else 1.0
                weights[name] = max(weights.get(name, 0.0), strength * level * tilt)
    weights |= _glance(rng)
    # Lips cannot be pressed together in an open mouth.
    openness = min(1.0, 2 * weights.get("jawOpen", 0.0))
    for name in sides("mouthPress*"):
        weights[name] = weights.get(name, 0.0) * (1 - openness)
    return {name: float(min(value, 1.0)) for name, value in weights.items() if value > 0.01}


def _glance(rng: np.random.Generator) -> dict[str, float]:
    """Both eyes looking the same way, mostly close to straight ahead."""
    across, up = rng.normal(0, 0.18), rng.normal(0, 0.12)
    left, right = ("Out", "In") if across > 0 else ("In", "Out")
    way = "Up" if up > 0 else "Down"
    return {
        f"eyeLook{left}Left": abs(across),
        f"eyeLook{right}Right": abs(across),
        f"eyeLook{way}Left": abs(up),
        f"eyeLook{way}Right": abs(up),
    }
