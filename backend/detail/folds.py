"""Folds and creases in the colours of the completed maps: they are relief, and hold less light than the skin beside."""

from __future__ import annotations

from backend.detail.parameters import FoldSettings
from backend.imaging.arrays import Array, as_float32, gather, namespace
from backend.imaging.colour import luminance
from backend.imaging.filters import grown, masked_blur, smooth_step
from backend.imaging.octaves import reduce_to
from backend.imaging.parts import parts, texels_of_parts


def light_in_folds(
    log_albedo: Array,  # float32 [B, B, 3], natural logarithm of linear colour
    log_marks: Array,  # float32 [B, B, 3], what of it marks make
    lines: Array,  # float32 [r, r] in [0, 1], see `backend.detail.separation.creases`: of skin with its dark marks
    spots: Array,  # float32 [n, n] in [0, 1], moles, which are dark lines to such a filter as well
    island: Array,  # bool [B, B]
    texels_per_mm: float,
    in_albedo: float,  # share of relief's darkness that stays in the albedo
    settings: FoldSettings = FoldSettings(),
) -> Array:
    """By how much folds' light makes the log albedo lighter, float32 [B, B, 3]; to be taken off.

    In creases the same share of the darkness is left that fine relief leaves: the renderer lights the relief, and what
    no light reaches is dark in any light. Their hue nears that beside them. What was taken for a mark is part of a fold
    where the line goes on beyond it, and the lit lip of a fold where it is pale and runs along one.
    """
    xp, side = namespace(log_albedo), len(log_albedo)
    lines = xp.clip(reduce_to(lines, side), 0, 1)
    marks = luminance(log_marks)
    pale = as_float32(marks > settings.mark)
    dark = marked(marks, texels_per_mm, settings)
    crease = lines * _mostly_bare(lines, dark, settings.mostly_bare)
    reach = settings.lip_mm * texels_per_mm
    lip = pale * smooth_step(_share_of(pale, grown(as_float32(crease), round(reach)), reach), *settings.along)

    of_lips = lip[..., None] * log_marks
    values = log_albedo - of_lips
    flat = as_float32(island * (1 - crease) + 1e-3)
    own = values - masked_blur(values, flat, settings.beside_mm * texels_per_mm)
    rim = max(1, round(settings.spot_rim_mm * texels_per_mm))
    pigment = xp.clip(grown(as_float32(reduce_to(spots, side)), rim), 0, 1)
    darker = crease * (1 - pigment) * (luminance(own) < 0)
    return as_float32(of_lips + ((1 - in_albedo) * darker)[..., None] * own)


def marked(marks: Array, texels_per_mm: float, settings: FoldSettings = FoldSettings()) -> Array:
    """Where dark marks are, of log luminance [B, B], and the shoulders of lines of marks; float32, 1 or 0."""
    return grown(as_float32(-marks > settings.mark), round(settings.shoulder_mm * texels_per_mm))


def _mostly_bare(lines: Array, dark: Array, least: float) -> Array:
    """Lines of which at least that share is not marked, float32 [B, B]; 0 elsewhere.

    Args:
        lines: float32 [B, B] in [0, 1].
        dark: float32 [B, B], > 0.5 where there are marks.
        least: share of a line.
    """
    labels, count = parts(lines > 0.1)
    bare = texels_of_parts(labels * (dark < 0.5), count) >= least * texels_of_parts(labels, count)
    return gather(as_float32(bare), labels) * (labels > 0)


def _share_of(present: Array, kind: Array, sigma: float) -> Array:
    """About each texel, the share of what is present that is of a kind; float32 [B, B], 0 where there is none."""
    xp = namespace(present)
    everywhere = xp.ones_like(present)
    total = masked_blur(present, everywhere, sigma)
    return masked_blur(as_float32(present * kind), everywhere, sigma) / xp.maximum(total, 1e-3)
