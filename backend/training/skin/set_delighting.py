"""Shaded portraits to albedo: the light of each set, shared by its people, divided out, and highlights taken off.

One photo cannot tell light from skin. A set can: its light stands still in the studio while heads of many shapes and
colours sit in it. What is common to all people of a set and differs between sets, or between left and right, is light.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from backend.delight.highlights import highlights
from backend.delight.light import estimate_light
from backend.head.model import HeadModel
from backend.imaging.colour import LUMINANCE, srgb_bytes_to_linear
from backend.imaging.filters import masked_blur, smooth_step
from backend.rendering.light_transfer import shading
from backend.rendering.spherical_harmonics import rotation_matrix
from backend.texture.regions import FaceRegions
from backend.texture.uv_space import UVSpace, mirror
from backend.training.skin.parameters import SetDelightingSettings
from backend.training.skin.portraits import UnwrappedPortrait
from backend.training.stream.region_masks import RegionMasks

# Blurs in mm whose lightness is evened out, and the share of it that is kept (as the symmetric part of skin).
EVENING = ((16.0, 0.35), (7.0, 0.6), (3.5, 0.85))


@dataclass(frozen=True)
class ShadedSkin:
    """A portrait at working resolution, ready to be delit.

    Args:
        linear: float32 [R, R, 3].
        visibility: float32 [R, R].
        transfer: float32 [R, R, 9], self-shadowed light transfer in the camera's frame: the studio stands still, heads
            turn.
        clipped: float32 [R, R], 1 where a channel of the photo is saturated.
    """

    linear: np.ndarray
    visibility: np.ndarray
    transfer: np.ndarray
    clipped: np.ndarray


def shaded_skin(
    portrait: UnwrappedPortrait,
    model: HeadModel,
    space: UVSpace,
    settings: SetDelightingSettings = SetDelightingSettings(),
) -> ShadedSkin:
    """Bring a portrait to the resolution of `space` and trace its shadows."""
    side = space.resolution
    full, weight = srgb_bytes_to_linear(portrait.texture_srgb), portrait.visibility.astype(np.float32) / 255
    size = (side, side)
    visibility = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(full * weight[..., None], size, interpolation=cv2.INTER_AREA)
    linear = total / np.maximum(visibility, 1e-4)[..., None]
    saturated = (portrait.texture_srgb.max(-1) >= 253).astype(np.float32)
    vertices = model.shape(portrait.identity, portrait.expression)
    towards = portrait.camera.position - space.positions(vertices)
    towards /= np.maximum(np.linalg.norm(towards, axis=-1, keepdims=True), 1e-9)
    facing = np.einsum("hwk,hwk->hw", space.normals(vertices), towards)
    visibility = visibility * smooth_step(facing, *settings.facing)
    transfer = space.interpolate(camera_transfer(model, vertices, portrait.camera.rotation))
    return ShadedSkin(
        np.maximum(linear, settings.floor).astype(np.float32),
        visibility * (visibility > 0.05),
        transfer,
        cv2.resize(saturated, size, interpolation=cv2.INTER_AREA),
    )


def camera_transfer(model: HeadModel, vertices: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """As `HeadModel.radiance_transfer`, float32 [V, 9], for light given in the frame of a camera of that rotation."""
    return (model.radiance_transfer(vertices) @ rotation_matrix(rotation)).astype(np.float32)


def set_light(
    photos: list[ShadedSkin],
    masks: RegionMasks,
    seed: int = 0,
    settings: SetDelightingSettings = SetDelightingSettings(),
) -> np.ndarray:
    """The one light float64 [9, 3] of a set, from plain skin of all its photos; unit mean on the face.

    Every person's own tone is divided out first; then all people's skin is one material, and robust least squares on
    all of it (`estimate_light`) finds the light.
    """
    rng = np.random.default_rng(seed)
    plain = (masks.plain * (1 - 0.7 * masks.beard)).numpy()
    colours, transfers, weights = [], [], []
    for photo in photos:
        weight = plain * photo.visibility * (photo.clipped < 0.01)
        candidates = np.flatnonzero(weight > 0.3)
        if len(candidates) < 500:
            continue
        smooth = masked_blur(photo.linear, weight, 1.0 * masks.texels_per_mm).reshape(-1, 3)
        picked = rng.choice(candidates, min(settings.samples_per_photo, len(candidates)), replace=False)
        tone = np.exp(np.median(np.log(np.maximum(smooth[picked], settings.floor)), axis=0))
        colours.append(smooth[picked] / tone)
        transfers.append(photo.transfer.reshape(-1, 9)[picked])
        weights.append(weight.reshape(-1)[picked])
    light = estimate_light(np.concatenate(colours), np.concatenate(transfers), np.concatenate(weights))
    mean = np.concatenate(transfers).mean(0) @ light
    return light / mean


def divide_light(
    photo: ShadedSkin, light: np.ndarray, settings: SetDelightingSettings = SetDelightingSettings()
) -> np.ndarray:
    """Log albedo float32 [R, R, 3] of the photo under the light, up to a gain."""
    return np.log(np.maximum(photo.linear / shading(photo.transfer, light), settings.floor)).astype(np.float32)


@dataclass(frozen=True)
class DelitSkin:
    """What one photo says of the albedo.

    Args:
        log_albedo: float32 [R, R, 3], natural logarithm of the linear albedo, up to a gain per person.
        weight: float32 [R, R], trust in [0, 1]: 0 where unseen, hair, or burnt out.
    """

    log_albedo: np.ndarray
    weight: np.ndarray


def delit_skin(
    photo: ShadedSkin,
    light: np.ndarray,
    masks: RegionMasks,
    regions: FaceRegions,
    settings: SetDelightingSettings = SetDelightingSettings(),
) -> DelitSkin:
    """Divide the light out, subtract highlights, find hair, and even out what shading is left."""
    shade = shading(photo.transfer, light)
    first = divide_light(photo, light, settings)
    weight = photo.visibility * (1 - not_skin(first, photo.visibility, masks))
    weight = (
        weight * (1 - border_shadow(first, weight, masks, settings)) * (1 - strands(first, weight, masks, settings))
    )
    tone = plain_tone(first, weight, masks)
    predicted = np.exp(tone).astype(np.float32) * shade
    specular = highlights(photo.linear, predicted, weight, regions)
    # Little is known of the colour under a highlight that outshines the skin.
    outshone = specular / np.maximum(predicted @ LUMINANCE, 0.02)
    burnt = smooth_step(outshone, 0.35, 0.8) + smooth_step(photo.clipped, 0.05, 0.3)
    diffuse = np.maximum(photo.linear - specular[..., None], 0.25 * photo.linear)
    log_albedo = np.log(np.maximum(diffuse / shade, settings.floor)).astype(np.float32)
    weight = weight * (1 - np.clip(cv2.GaussianBlur(burnt, (0, 0), 1.0), 0, 1))
    evened = even_out(log_albedo, weight, masks)
    return DelitSkin(without_veil(evened, weight, masks, settings), weight.astype(np.float32))


def without_veil(
    log_albedo: np.ndarray,
    weight: np.ndarray,
    masks: RegionMasks,
    settings: SetDelightingSettings = SetDelightingSettings(),
) -> np.ndarray:
    """Log albedo without the broad bluish veil that diffuse sheen leaves on forehead, nose and cheeks.

    White light on top of skin lifts blue most in the logarithm, then green. Blue of the skin itself lies around eyes
    and in beards, which are left alone.
    """
    bare = torch.maximum(torch.maximum(masks.forehead, masks.nose), masks.cheeks)
    where = (bare * (1 - torch.maximum(masks.beard, masks.under_eyes))).numpy()
    tone = plain_tone(log_albedo, weight, masks)
    veil = (log_albedo[..., 2] - log_albedo[..., 0]) - np.float32(tone[2] - tone[0])
    broad = masked_blur(veil, weight * where + 1e-5, settings.sheen_mm * masks.texels_per_mm)
    removed = 0.75 * np.maximum(broad, 0) * where * smooth_step(weight, 0, 0.3)
    return log_albedo - removed[..., None] * np.array([0.0, 0.4, 1.0], np.float32)


def plain_tone(log_albedo: np.ndarray, weight: np.ndarray, masks: RegionMasks) -> np.ndarray:
    """Median log albedo float64 [3] of plain skin."""
    inside = weight * (masks.plain * (1 - 0.7 * masks.beard)).numpy() > 0.3
    if inside.sum() < 200:
        inside = weight > 0.3
    return np.median(log_albedo[inside].astype(np.float64), axis=0)


def not_skin(log_albedo: np.ndarray, visibility: np.ndarray, masks: RegionMasks) -> np.ndarray:
    """1 on hair that hangs into the face, float32 [R, R]: far darker than the skin where no brow or beard grows."""
    tone = plain_tone(log_albedo, visibility, masks)
    luminance = (log_albedo - tone.astype(np.float32)) @ LUMINANCE
    smooth = masked_blur(luminance, visibility, 1.2 * masks.texels_per_mm)
    centre = torch.stack([masks.brows, masks.beard, masks.lips, masks.eyes, masks.lids, masks.nose, masks.under_eyes])
    hairy = centre.amax(0).numpy()
    around_eyes = cv2.dilate(masks.eyes.numpy(), np.ones((3, 3)), iterations=round(7 * masks.texels_per_mm))
    hairy = np.maximum(hairy, cv2.GaussianBlur(around_eyes, (0, 0), 2 * masks.texels_per_mm))
    dark = smooth_step(-smooth, 0.28, 0.5) * (1 - hairy)
    reach = max(1, round(2.5 * masks.texels_per_mm))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    # A mole is dark too: only patches of some size count.
    patch = cv2.morphologyEx(dark, cv2.MORPH_OPEN, kernel[::2, ::2] if reach > 2 else kernel)
    return cv2.GaussianBlur(cv2.dilate(patch, kernel), (0, 0), 0.5 * reach) * (1 - hairy)


def border_shadow(
    log_albedo: np.ndarray,
    weight: np.ndarray,
    masks: RegionMasks,
    settings: SetDelightingSettings = SetDelightingSettings(),
) -> np.ndarray:
    """1 where the seen skin darkens towards its outer border, float32 [R, R]: side hair, sideburns, shadow of the jaw.

    Beards darken the border too and are to stay; a chin and upper lip darker than the cheeks give them away.
    """
    tone = plain_tone(log_albedo, weight, masks)
    luminance = (log_albedo - tone.astype(np.float32)) @ LUMINANCE
    smooth = masked_blur(luminance, weight, 2.5 * masks.texels_per_mm)
    distance = _from_outline(weight) / masks.texels_per_mm
    bearded = _is_bearded(luminance, weight, masks, settings)
    allowed = 0.16 + (0.6 * masks.beard.numpy() if bearded else 0) + 2 * masks.brows.numpy()
    dark = smooth_step(-smooth - allowed, 0.0, 0.15) * (1 - smooth_step(distance, 8, 15))
    reach = max(1, round(1.5 * masks.texels_per_mm))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(dark, kernel)


def _is_bearded(luminance: np.ndarray, weight: np.ndarray, masks: RegionMasks, settings: SetDelightingSettings) -> bool:
    """Whether chin and upper lip are darker than the skin, whose log luminance [R, R] is 0."""
    whiskers = (torch.maximum(masks.moustache, masks.chin) * masks.beard).numpy() * weight
    return bool((luminance * whiskers).sum() / max(whiskers.sum(), 1e-3) < settings.bearded)


def _from_outline(weight: np.ndarray) -> np.ndarray:
    """Distance in texels, float32 [R, R], to the outer border of what is seen; holes inside do not count."""
    outline = np.zeros(weight.shape, np.uint8)
    contours, _ = cv2.findContours((weight > 0.3).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(outline, contours, -1, 1, cv2.FILLED)
    return cv2.distanceTransform(np.pad(outline, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]


def strands(
    log_albedo: np.ndarray,
    weight: np.ndarray,
    masks: RegionMasks,
    settings: SetDelightingSettings = SetDelightingSettings(),
) -> np.ndarray:
    """1 on single strands of hair over the sides of the face, float32 [R, R]: long, thin and dark, unlike moles."""
    luminance = (log_albedo @ LUMINANCE * (weight > 0.1)).astype(np.float32)
    width = max(3, round(3 * masks.texels_per_mm)) | 1
    hollow = cv2.morphologyEx(
        luminance, cv2.MORPH_BLACKHAT, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    )
    tone = plain_tone(log_albedo, weight, masks)
    own_hair = torch.stack([masks.brows, masks.lips, masks.eyes, masks.lids]).amax(0).numpy()
    if _is_bearded((log_albedo - tone.astype(np.float32)) @ LUMINANCE, weight, masks, settings):
        own_hair = np.maximum(own_hair, masks.beard.numpy())
    sides = (_from_outline(weight) < settings.strand_zone_mm * masks.texels_per_mm) & (weight > 0.3) & (own_hair < 0.3)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(
        ((hollow > 0.14) & sides).astype(np.uint8), connectivity=8
    )
    extent = np.hypot(statistics[:, cv2.CC_STAT_WIDTH], statistics[:, cv2.CC_STAT_HEIGHT])
    long = extent > settings.strand_mm * masks.texels_per_mm
    long[0] = False
    found = cv2.dilate(long[np.asarray(labels, np.int32)].astype(np.float32), np.ones((width, width), np.uint8))
    return cv2.GaussianBlur(found, (0, 0), 0.7)


def even_out(log_albedo: np.ndarray, weight: np.ndarray, masks: RegionMasks) -> np.ndarray:
    """Log albedo without the broad differences in lightness that order-2 light and a fitted shape leave behind.

    Skin of one face varies by a few L* over centimetres, and alike on both sides; what shading leaves does neither.
    Colour is kept: redness of cheeks and nose is skin.
    """
    features = torch.stack([masks.lips, masks.brows, masks.eyes]).amax(0)
    level = weight * ((1 - features) * (1 - 0.8 * masks.beard)).numpy()
    tone = plain_tone(log_albedo, weight, masks)
    luminance = (log_albedo - tone.astype(np.float32)) @ LUMINANCE
    correction = np.zeros_like(luminance)
    for sigma_mm, kept in EVENING:
        sigma = sigma_mm * masks.texels_per_mm
        robust = level / np.square(1 + np.square((luminance + correction) / 0.15))
        broad = masked_blur(luminance + correction, robust + 1e-4 * level, sigma)
        support = masked_blur(level, np.ones_like(level), sigma)
        both = support + mirror(support)
        symmetric = (broad * support + mirror(broad * support)) / np.maximum(both, 1e-4)
        correction += np.where(support > 1e-3, kept * symmetric - broad, 0).astype(np.float32)
    return log_albedo + correction[..., None]
