"""What is said of how sure a fit is: sentences for the user, and figures for `reconstruction.json`."""

from __future__ import annotations

from backend.head.confidence import (
    CAUSES,
    CLOSED_EYES,
    DOWN,
    OPEN_MOUTH,
    SMILE,
    TURNED,
    UNKNOWN_LENS,
    UP,
    part_shares,
    view_angles,
)
from backend.head.face_parts import PARTS
from backend.head.head_fit import FitConfidence, HeadFit, ViewFit
from backend.head.parameters import ConfidenceSettings

EYES_CLOSED = "The eyes are closed, so their colour and the edges of their lids are a guess."
BADLY_FOUND = (
    "The features of the face do not lie as a face's do, so its shape is a guess; see whether the fit is right."
)


def confidence_warnings(fit: HeadFit, settings: ConfidenceSettings = ConfidenceSettings()) -> tuple[str, ...]:
    """Sentences about a fit that is not sure, none where it is as sure as fits of one photo are.

    Args:
        fit: of one or several photos.
        settings: from where on.
    """
    found = fit.confidence
    if found is None:
        return ()
    told = []
    causes, parts = named_causes(found, settings), unsure_parts(found, settings)
    if causes and parts:
        why = " and ".join(_in_words(cause, fit.view) for cause in causes)
        because, which = why[0].upper() + why[1:], _listed(parts)
        told.append(
            f"{because}, so the shape of {which} is a guess. A calm face from the front, or a second photo, helps."
        )
    if found.causes[CLOSED_EYES] > settings.closed_eyes:
        told.append(EYES_CLOSED)
    if found.misfit > settings.most_misfit:
        told.append(BADLY_FOUND)
    return tuple(told)


def described_confidence(fit: HeadFit, settings: ConfidenceSettings = ConfidenceSettings()) -> dict | None:
    """What `reconstruction.json` says of how sure the photos make the shape, before any correction by hand."""
    found = fit.confidence
    if found is None:
        return None
    return {
        "expected_error_mm": {part: round(error, 2) for part, error in found.expected_mm.items()},
        "unsure": unsure_parts(found, settings),
        "causes": {cause: round(amount, 2) for cause, amount in found.causes.items()},
        "misfit": round(found.misfit, 2),
        "meaning": "expected_error_mm: mean distance to expect from the true surface, the face aligned as a whole; "
        "causes: how strongly each is there, 1 in full; misfit: of the landmarks, 1 on usual photos",
    }


def unsure_parts(found: FitConfidence, settings: ConfidenceSettings = ConfidenceSettings()) -> list[str]:
    """Parts of the face whose shape is a guess."""
    usual = zip(found.expected_mm.items(), settings.usual_mm, strict=True)
    return [part for (part, error), mm in usual if error > settings.unsure_times * mm]


def named_causes(found: FitConfidence, settings: ConfidenceSettings = ConfidenceSettings()) -> list[str]:
    """What makes these parts unsure, the strongest two; that a file does not tell its lens is no cause by itself."""
    unsure = [PARTS.index(part) for part in unsure_parts(found, settings)]
    strongest = {cause: max(share[unsure], default=0.0) for cause, share in part_shares(found, settings).items()}
    named = [c for c in CAUSES if c not in (UNKNOWN_LENS, CLOSED_EYES) and strongest[c] >= settings.told_share]
    return sorted(named, key=lambda cause: -strongest[cause])[:2]


def photographed_how(found: FitConfidence, settings: ConfidenceSettings = ConfidenceSettings()) -> str:
    """What is most unusual about how the person was photographed: the name of a cause, or `calm, from the front`."""
    enough = {CLOSED_EYES: settings.closed_eyes, UNKNOWN_LENS: float("inf")}
    strength = {cause: amount / enough.get(cause, 0.5) for cause, amount in found.causes.items()}
    strongest = max(strength, key=lambda cause: strength[cause])
    return strongest if strength[strongest] > 1 else "calm, from the front"


def _in_words(cause: str, view: ViewFit) -> str:
    pitch, yaw = view_angles(view)
    return {
        UP: f"the head looks up by about {-pitch:.0f} degrees",
        DOWN: f"the head looks down by about {pitch:.0f} degrees",
        TURNED: f"the head is turned by about {abs(yaw):.0f} degrees",
        OPEN_MOUTH: "the mouth is wide open",
        SMILE: "the smile is strong",
    }[cause]


def _listed(names: list[str]) -> str:
    sides = {"right cheek", "left cheek"}
    if sides <= set(names):
        names = [*(name for name in names if name not in sides), "cheeks"]
    return f"the {names[0]}" if len(names) == 1 else f"the {', '.join(names[:-1])} and {names[-1]}"
