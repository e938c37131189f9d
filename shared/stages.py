"""Names of a job's stages: short ones on the wire and in timings, and what people read instead."""

from __future__ import annotations

STAGE_TEXTS = {
    "loading": "loading models",
    "photo": "reading the photo",
    "landmarks": "finding the face",
    "fit": "fitting the head",
    "skin": "finding the skin",
    "unwrap": "unwrapping",
    "light": "measuring the light",
    "prior": "completing the maps",
    "completion": "completing the maps",
    "detail": "adding detail",
    "encoding": "sending the maps",
    "writing": "writing files",
    "done": "done",
}


def stage_text(stage: str) -> str:
    """What to show for a stage; names that are not known are shown as they are."""
    return STAGE_TEXTS.get(stage, stage)
