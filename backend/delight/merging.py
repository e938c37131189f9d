"""What several photos show of one person's skin, each delit under its own light, as one texture in the first's light,
without highlights.

Where two photos show the same skin, each texel is taken from the one that shows it better: with more pixels, which
counts angle and sharpness, trusted, and without a highlight. What is broad is averaged instead, so that a
photo whose light was not taken off quite leaves no seam (two bands of Burt and Adelson, "A multiresolution spline",
1983).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.delight.robust import robust_tone
from backend.imaging.colour import LUMINANCE, SMALLEST_LINEAR, linear_to_srgb, srgb_to_linear
from backend.imaging.filters import enlarge, masked_blur, smooth_step
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture
from backend.texture.regions import plain_skin
from backend.texture.registration import RegistrationSettings, flowed, skin_flow
from backend.texture.texel_points import pixels_per_texel


@dataclass(frozen=True)
class MergeSettings:
    """How photos' skin is merged; lengths are of Gaussians, mm on the cheeks; all assumed.

    Args:
        broad_mm: what is broader is averaged over photos, what is finer is taken from the best of them.
        feather_mm: over which one photo's broad colours give way to another's.
        choice_mm: over which it is judged which photo shows the skin best.
        change_mm: over which one photo's fine detail gives way to another's.
        shine: share by which a texel that is all highlight counts less.
        mark_mm: by how much a mark may lie elsewhere in another photo.
        even: variance of the log light on plain skin, of a light that is as good as even.
        least_common: texels of plain skin that two photos must share for their tones to be compared there.
        darkest: by how much less than plain skin gets the first photo's light may be cast on what others show, log;
            skin that gets less than twice that in a photo is not taken from it.
        registration: of photos onto each other.
    """

    broad_mm: float = 5.0
    feather_mm: float = 5.0
    choice_mm: float = 3.0
    change_mm: float = 0.8
    shine: float = 0.7
    mark_mm: float = 1.5
    even: float = 0.02
    least_common: int = 400
    darkest: float = 1.5
    registration: RegistrationSettings = RegistrationSettings()


@dataclass(frozen=True)
class _Layer:
    """One photo's skin in the first photo's light and tone, on the first photo's places.

    Args:
        log_albedo, log_marks: float32 [B, B, 3], as in `DelightedTexture`.
        weight, shine, pixels: float32 [B, B]; the last is how many pixels of the photo a texel is wide.
        quality: float32 [B, B], how well the photo shows the texel.
        relit: float32 [B, B, 3], what turns the photo's log colour into that of the first's light and tone, without
            highlights: they lie elsewhere in each photo.
        gain: float64 [3], the part of it that brings the tones together.
        flow: float32 [B, B, 2], see `skin_flow`; None for the first photo.
    """

    log_albedo: np.ndarray
    log_marks: np.ndarray
    weight: np.ndarray
    shine: np.ndarray
    pixels: np.ndarray
    quality: np.ndarray
    relit: np.ndarray
    gain: np.ndarray
    flow: np.ndarray | None


def merged(
    seen: Sequence[DelightedTexture], skin: FittedSkin, settings: MergeSettings = MergeSettings()
) -> DelightedTexture:
    """The skin that photos of one person show together, in the light of the first; of one photo, what it shows.

    Args:
        seen: each photo's skin, its own light taken off, on the same texels.
        skin: of the fit of all photos.
        settings: the chosen numbers.
    """
    first = seen[0]
    if len(seen) == 1:
        return first
    plain = plain_skin(first.skin.regions)
    light = _cast(first, plain, settings)
    layers: list[_Layer] = []
    for number in _most_common_first(seen, plain):
        layers.append(_layer(seen[number], layers, light, plain, settings))
    order = _most_common_first(seen, plain)
    layers = _agreed_marks(layers, settings, skin)
    broad, choice = _broad(layers, settings, skin), _choice(layers, settings, skin)
    partial, fine = _partial([seen[n].partial for n in order], layers, broad, choice)

    texture, _ = partial.reduced(len(light))
    weight = np.maximum.reduce([layer.weight for layer in layers])
    log_marks = _blend([layer.log_marks for layer in layers], choice)
    log_seen = np.log(np.maximum(texture, SMALLEST_LINEAR)) - log_marks
    log_albedo = (log_seen - light).astype(np.float32)
    tone, _ = robust_tone(log_albedo, weight * plain)
    guesses = [
        np.log(seen[n].mean_albedo) + tone - (seen[n].tone + layer.gain) for n, layer in zip(order, layers, strict=True)
    ]
    shares = [float((seen[n].weight * plain).sum()) * (1 - 0.9 * seen[n].two_coloured) for n in order]
    return replace(
        first,
        skin=skin,
        partial=replace(partial, pixels=fine),
        log_seen=log_seen.astype(np.float32),
        log_albedo=log_albedo,
        log_marks=log_marks,
        log_shading=light,
        weight=weight,
        shine=_blend([layer.shine for layer in layers], choice),
        tone=tone,
        mean_albedo=np.exp(np.average(guesses, axis=0, weights=np.maximum(shares, 1e-6))),
        shares=_shares(order, weight, choice),
        warnings=tuple(dict.fromkeys(warning for one in seen for warning in one.warnings)),
    )


def _most_common_first(seen: Sequence[DelightedTexture], plain: np.ndarray) -> list[int]:
    """The first photo, then the others, first that which shows most of the first's skin."""
    common = [float((np.minimum(one.weight, seen[0].weight) * plain).sum()) for one in seen]
    return [0, *sorted(range(1, len(seen)), key=lambda n: -common[n])]


def _cast(first: DelightedTexture, plain: np.ndarray, settings: MergeSettings) -> np.ndarray:
    """The first photo's light times mean albedo, log, no darker than detail survives: float32 [B, B, 3]."""
    return np.maximum(first.log_shading, _usual(first, plain) - settings.darkest).astype(np.float32)


def _evenness(one: DelightedTexture, plain: np.ndarray, settings: MergeSettings) -> float:
    """How far a photo's light is to be trusted to have been taken off: what is left of it grows with its contrast."""
    lit = one.weight * plain
    luminance = one.log_shading @ LUMINANCE
    mean = np.average(luminance, weights=lit + 1e-9)
    return 1 / (settings.even + float(np.average(np.square(luminance - mean), weights=lit + 1e-9)))


def _usual(one: DelightedTexture, plain: np.ndarray) -> np.ndarray:
    """Light times mean albedo, log, on most of a photo's plain skin: float [3]."""
    return robust_tone(one.log_shading, one.weight * plain)[0]


def _layer(
    one: DelightedTexture, layers: Sequence[_Layer], light: np.ndarray, plain: np.ndarray, settings: MergeSettings
) -> _Layer:
    """A photo brought onto those before it: in place, tone and light."""
    skin = one.skin
    gloss = one.log_seen - one.log_shading - one.log_albedo
    pixels = pixels_per_texel(skin.model, skin.fit, skin.working)
    lit = smooth_step((one.log_shading - _usual(one, plain)) @ LUMINANCE, -2 * settings.darkest, -settings.darkest)
    quality = one.weight * (1 - settings.shine * one.shine) * lit * np.square(one.partial.sharpness * pixels)
    quality = (quality * _evenness(one, plain, settings)).astype(np.float32)
    relit = light - one.log_shading - gloss
    layer = _Layer(one.log_albedo, one.log_marks, one.weight, one.shine, pixels, quality, relit, np.zeros(3), None)
    if not layers:
        return layer
    weights = np.stack([before.weight for before in layers])
    there = weights.max(0)
    best = np.argmax(np.stack([before.quality for before in layers]), axis=0)
    shown = [before.log_albedo + before.log_marks for before in layers]
    still = np.choose(best, [image @ LUMINANCE for image in shown]).astype(np.float32)
    moving = ((one.log_albedo + one.log_marks) @ LUMINANCE).astype(np.float32)
    flow = skin_flow(still, moving, there, one.weight, skin.regions.texels_per_mm, settings.registration)
    names = ("log_albedo", "log_marks", "weight", "shine", "pixels", "quality")
    layer = replace(layer, flow=flow, **{name: flowed(getattr(layer, name), flow) for name in names})
    gain = _gain(layers, layer, best, one.tone, plain, settings)
    return replace(
        layer,
        gain=gain,
        log_albedo=(layer.log_albedo + gain).astype(np.float32),
        relit=(flowed(relit, flow) + light - flowed(light, flow) + gain).astype(np.float32),
    )


def _gain(
    layers: Sequence[_Layer],
    layer: _Layer,
    best: np.ndarray,
    tone: np.ndarray,
    plain: np.ndarray,
    settings: MergeSettings,
) -> np.ndarray:
    """What brings a photo's exposure and white balance to those before it, log, float64 [3]: over common plain skin."""
    there = np.choose(best, [before.weight for before in layers])
    common = np.minimum(there, layer.weight) * plain
    albedo = np.stack([np.choose(best, [before.log_albedo[..., c] for before in layers]) for c in range(3)], axis=-1)
    if (common > 0.5).sum() >= settings.least_common:
        return robust_tone((albedo - layer.log_albedo).astype(np.float32), common)[0]
    return robust_tone(albedo.astype(np.float32), there * plain)[0] - tone


def _agreed_marks(layers: Sequence[_Layer], settings: MergeSettings, skin: FittedSkin) -> list[_Layer]:
    """The photos with marks only so strong as all of them show that trust the place: what one alone has is its light's.

    A mark may lie `settings.mark_mm` off in another photo.
    """
    scale = skin.regions.texels_per_mm
    reach = max(1, round(settings.mark_mm * scale))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    signed = [layer.log_marks @ LUMINANCE for layer in layers]
    known = [smooth_step(layer.weight, 0.1, settings.registration.common) for layer in layers]
    several = np.sort(known, axis=0)[-2]
    limits = []
    for sign in (1, -1):
        # Where a photo does not know the place, it allows anything.
        own = [np.asarray(cv2.dilate(np.maximum(sign * marks, 0).astype(np.float32), kernel)) for marks in signed]
        limits.append(np.minimum.reduce([most + 4 * (1 - there) for most, there in zip(own, known, strict=True)]))
    agreed = []
    for layer, marks in zip(layers, signed, strict=True):
        size = np.abs(marks).astype(np.float32)
        most = np.where(marks > 0, limits[0], limits[1])
        share = np.minimum(most / np.maximum(size, 1e-4), 1).astype(np.float32)
        # A mark that goes on to where only one photo shows it is there what it is beside.
        beside = masked_blur(share, size * several, settings.feather_mm * scale)
        judged = masked_blur(several, size, settings.feather_mm * scale)
        alone = 1 + smooth_step(judged, 0.05, 0.3) * (beside - 1)
        kept = (several * share + (1 - several) * alone)[..., None] * layer.log_marks
        agreed.append(replace(layer, log_marks=kept, relit=layer.relit + kept - layer.log_marks))
    return agreed


def _broad(layers: Sequence[_Layer], settings: MergeSettings, skin: FittedSkin) -> list[np.ndarray]:
    """By photo, what its broad colours lack to the mean of all that show the place: float32 [B, B, 3]."""
    scale = skin.regions.texels_per_mm
    low = [masked_blur(layer.log_albedo, layer.weight, settings.broad_mm * scale) for layer in layers]
    trust = [cv2.GaussianBlur(layer.quality, (0, 0), settings.feather_mm * scale) * layer.weight for layer in layers]
    total = np.maximum(np.sum(trust, axis=0), 1e-9)
    mean = np.sum([t[..., None] * image for t, image in zip(trust, low, strict=True)], axis=0) / total[..., None]
    lacking = []
    for image, layer in zip(low, layers, strict=True):
        known = (layer.weight > 0.05).astype(np.float32)
        lacking.append(masked_blur((mean - image).astype(np.float32), known, settings.change_mm * scale))
    return lacking


def _choice(layers: Sequence[_Layer], settings: MergeSettings, skin: FittedSkin) -> list[np.ndarray]:
    """By photo, the share of each texel's fine detail that comes from it: float32 [B, B], summing to 1 where seen."""
    scale = skin.regions.texels_per_mm
    judged = np.stack([cv2.GaussianBlur(layer.quality, (0, 0), settings.choice_mm * scale) for layer in layers])
    judged *= np.stack([layer.weight > 0.05 for layer in layers])
    best = np.argmax(judged, axis=0)
    change = settings.change_mm * scale
    shares = np.stack(
        [
            cv2.GaussianBlur((best == number).astype(np.float32), (0, 0), change) * layer.weight
            for number, layer in enumerate(layers)
        ]
    )
    return list(shares / np.maximum(shares.sum(0), 1e-9))


def _partial(
    partials: Sequence[PartialTexture], layers: Sequence[_Layer], broad: Sequence[np.ndarray], choice: list[np.ndarray]
) -> tuple[PartialTexture, np.ndarray]:
    """The photos' texels at full size in one light, and how many pixels a texel is wide, float32 [B, B]."""
    side = partials[0].visibility.shape[0]
    total = np.zeros((side, side, 3), np.float32)
    shares = np.zeros((side, side), np.float32)
    visibility = np.zeros((side, side), np.float32)
    for partial, layer, lacking, chosen in zip(partials, layers, broad, choice, strict=True):
        texture, shown = srgb_to_linear(partial.texture_srgb).astype(np.float32), partial.visibility
        if layer.flow is not None:
            # What was not seen is black, and must not run into what was.
            known = (shown > 0).astype(np.float32)
            texture, shown, known = flowed(texture, layer.flow), flowed(shown, layer.flow), flowed(known, layer.flow)
            texture /= np.maximum(known, 1e-3)[..., None]
            shown = shown * (known > 0.05)
        texture *= np.exp(np.clip(enlarge(layer.relit + lacking, side), -4, 4))
        # Where the best photo has no texel after all, the next best has it.
        share = np.clip(enlarge(chosen, side), 1e-4, 1) * np.minimum(shown * 4, 1)
        total += share[..., None] * texture
        shares += share
        np.maximum(visibility, shown, out=visibility)
    total /= np.maximum(shares, 1e-9)[..., None]
    texture_srgb = linear_to_srgb(np.clip(total, 0, 1)).astype(np.float32)
    texture_srgb[visibility <= 0] = 0
    sharpness = float(np.average([p.sharpness for p in partials], weights=[c.sum() + 1e-6 for c in choice]))
    pixels = _blend([layer.pixels for layer in layers], choice)
    return PartialTexture(texture_srgb, visibility, sharpness), pixels


def _shares(order: Sequence[int], weight: np.ndarray, choice: Sequence[np.ndarray]) -> tuple[float, ...]:
    """By photo, in the order in which they came, the part of the seen skin that comes from it."""
    seen = max(float(weight.sum()), 1e-6)
    of_photo = {number: float((chosen * weight).sum()) / seen for number, chosen in zip(order, choice, strict=True)}
    return tuple(of_photo[number] for number in sorted(of_photo))


def _blend(images: Sequence[np.ndarray], shares: Sequence[np.ndarray]) -> np.ndarray:
    """Images [B, B] or [B, B, C] weighed by shares [B, B] that sum to 1."""
    total = np.zeros_like(images[0])
    for image, share in zip(images, shares, strict=True):
        total += (share if image.ndim == 2 else share[..., None]) * image
    return total
