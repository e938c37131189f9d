"""From what photos show of a person's albedo to a whole skin: other photo, mirror image, then the library's skin.

Everything is in log albedo, where light and tone add. A donor is never pasted: the smooth difference between it and
what is known is carried on into the hole, so that colours meet at the border.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import inner_distance, masked_blur, smooth_step
from backend.texture.uv_space import dilate, mirror
from backend.training.skin.set_delighting import DelitSkin, even_out, plain_tone
from backend.training.skin.valid_skins import ValidSkin
from backend.training.stream.region_masks import RegionMasks

BORDER_MM = 3.0  # over which a donor takes over
FAR_MM = 15.0
_SCALES_MM = (120.0, 50.0, 22.0, 10.0, 5.0)


def extended(
    field: np.ndarray,  # float32 [R, R, C]
    near_weight: np.ndarray,  # float32 [R, R], what counts nearby
    far_weight: np.ndarray,  # float32 [R, R], what counts from afar
    texels_per_mm: float,
) -> np.ndarray:
    """The smooth part of a field, carried on to where nothing is known: from coarse to fine, as far as data reach."""
    level = (field * far_weight[..., None]).sum((0, 1)) / max(float(far_weight.sum()), 1e-6)
    result = np.broadcast_to(level, field.shape).astype(np.float32)
    for scale in _SCALES_MM:
        sigma = scale * texels_per_mm
        weight = far_weight if scale > FAR_MM else near_weight
        support = masked_blur(weight, np.ones_like(weight), sigma)
        near = smooth_step(support, 0.0, 0.12)[..., None]
        result += near * (masked_blur(field, weight + 1e-7, sigma) - result)
    return result


def graft(known: DelitSkin, donor: DelitSkin, masks: RegionMasks) -> DelitSkin:
    """Fill what is not known from a donor whose colours are led to meet the known ones."""
    both = known.weight * donor.weight
    if both.sum() < 50:
        return known
    difference = known.log_albedo - donor.log_albedo
    # Features differ for reasons that end with them; what is carried on is the difference of plain skin.
    usual = np.median(difference[both > 0.5 * both.max()], axis=0).astype(np.float32)
    strange = np.square((difference - usual) @ LUMINANCE / 0.2)
    alike = both / np.square(1 + strange)
    # Whiskers end at the throat: from afar, only bare skin counts.
    bare = alike * (1 - 0.9 * torch.maximum(masks.beard, masks.lips).numpy())
    offset = extended(difference, alike, bare, masks.texels_per_mm)
    keep = smooth_step(inner_distance(known.weight > 0.5), 0, BORDER_MM * masks.texels_per_mm)
    # Where there is no donor nothing is gained by fading out.
    keep = np.maximum(keep, known.weight * (1 - donor.weight))[..., None]
    combined = (donor.log_albedo + offset) * (1 - keep) + known.log_albedo * keep
    return DelitSkin(combined.astype(np.float32), np.maximum(known.weight, donor.weight))


def mirrored(skin: DelitSkin) -> DelitSkin:
    return DelitSkin(mirror(skin.log_albedo), mirror(skin.weight))


def library_skin(valid: ValidSkin, masks: RegionMasks) -> DelitSkin:
    """A VALID skin in log albedo at a tone of 0, its painted shading evened out, hair and holes without weight."""
    island = masks.island.numpy() > 0.5
    weight = valid.weight * island
    if not valid.bald:
        scalp = cv2.dilate(masks.scalp.numpy(), np.ones((9, 9), np.uint8))
        weight = weight * (1 - scalp)
    log_albedo = np.log(np.maximum(valid.linear, 0.004)).astype(np.float32)
    tone = plain_tone(log_albedo, weight, masks).astype(np.float32)
    # Painted nostrils, ear hollows and hair are far darker than any skin.
    luminance = (log_albedo - tone) @ LUMINANCE
    features = torch.stack([masks.brows, masks.lips, masks.eyes, masks.lids]).amax(0).numpy()
    weight = weight * (1 - smooth_step(-luminance, 0.7, 1.1) * (1 - features))
    evened = even_out(log_albedo - tone, weight, masks)
    # Painted light is coloured as well.
    broad = masked_blur(evened, weight * (1 - features) + 1e-4, 14 * masks.texels_per_mm)
    evened = evened - (0.6 * broad * (1 - features)[..., None]).astype(np.float32)
    return _without_holes(DelitSkin(evened, weight.astype(np.float32)), masks)


def _without_holes(skin: DelitSkin, masks: RegionMasks) -> DelitSkin:
    """Narrow gaps (seams, collars) filled smoothly; what is far from any data keeps weight 0."""
    smooth = extended(skin.log_albedo, skin.weight, skin.weight, masks.texels_per_mm)
    seam = masked_blur(skin.log_albedo, skin.weight + 1e-6, 1.5 * masks.texels_per_mm)
    close = smooth_step(masked_blur(skin.weight, np.ones_like(skin.weight), 1.5 * masks.texels_per_mm), 0.05, 0.3)
    filled = smooth + (seam - smooth) * close[..., None]
    known = skin.weight[..., None]
    return DelitSkin((skin.log_albedo * known + filled * (1 - known)).astype(np.float32), skin.weight)


def whole_library(skins: list[DelitSkin], masks: RegionMasks) -> list[DelitSkin]:
    """Every library skin completed by the mean of all, so that each covers the island."""
    total = sum((s.log_albedo * s.weight[..., None] for s in skins), np.zeros_like(skins[0].log_albedo))
    weight = np.sum([s.weight for s in skins], axis=0)
    mean_weight = np.clip(weight / 2, 0, 1).astype(np.float32)
    mean = DelitSkin((total / np.maximum(weight, 1e-4)[..., None]).astype(np.float32), mean_weight)
    mean = _without_holes(graft(mean, mirrored(mean), masks), masks)
    mean = DelitSkin(mean.log_albedo, np.ones_like(mean.weight))
    return [graft(skin, mean, masks) for skin in skins]


def complete_person(photos: list[DelitSkin], library: DelitSkin, masks: RegionMasks) -> DelitSkin:
    """One skin from a person's photos, the best first. Its weight says what was seen, mirrored counting half.

    Args:
        photos: delit photos of one person; the others only fill what the first does not show.
        library: a whole skin for everything else.
    """
    first = photos[0]
    tone = plain_tone(first.log_albedo, first.weight, masks).astype(np.float32)
    whole = first
    for other in photos[1:]:
        shift = tone - plain_tone(other.log_albedo, other.weight, masks).astype(np.float32)
        whole = graft(whole, DelitSkin(other.log_albedo + shift, 0.9 * other.weight), masks)
    seen = whole.weight
    whole = graft(whole, mirrored(whole), masks)
    certain = np.maximum(seen, 0.5 * whole.weight)
    whole = graft(whole, DelitSkin(library.log_albedo + tone, library.weight), masks)
    island = masks.island.numpy() > 0.5
    return DelitSkin(dilate(whole.log_albedo, island, 4 * masks.resolution), certain.astype(np.float32))
