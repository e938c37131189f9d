"""The stages of a job, named once: on the wire, in timings and in progress, with what people read instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One stage of a job.

    Args:
        name: on the wire and in timings.
        text: what people read while it runs.
        share: of a job's time, as the progress bar has it; 0 for what is no part of the method.
    """

    name: str
    text: str
    share: float = 0.0


# The method, in order (DESIGN section 2): each stage hands a value to the next.
METHOD: tuple[Stage, ...] = (
    Stage("photo", "finding the face", 0.15),
    Stage("fit", "fitting the head", 0.30),
    Stage("unwrap", "unwrapping the skin", 0.20),
    Stage("delight", "taking the light off the skin", 0.08),
    Stage("complete", "completing the maps", 0.12),
    Stage("detail", "adding detail", 0.13),
    Stage("light", "matching the photo's light", 0.02),
)
# What happens around it: models are loaded, results are encoded, sent and written.
AROUND: tuple[Stage, ...] = (
    Stage("loading", "loading models"),
    Stage("encoding", "sending the maps"),
    Stage("writing", "writing files"),
    Stage("done", "done"),
)
STAGE_TEXTS: dict[str, str] = {stage.name: stage.text for stage in (*METHOD, *AROUND)}


def stage_span(name: str) -> tuple[float, float]:
    """Where a stage of the method begins and ends on the progress bar, fractions in [0, 1].

    Raises:
        KeyError: the method has no such stage.
    """
    begin = 0.0
    for stage in METHOD:
        if stage.name == name:
            return begin, min(1.0, begin + stage.share)
        begin += stage.share
    raise KeyError(name)


def stage_text(stage: str) -> str:
    """What to show for a stage; names that are not known are shown as they are."""
    return STAGE_TEXTS.get(stage, stage)
