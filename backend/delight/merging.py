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
from functools import reduce

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.delight.robust import robust_tone
from backend.imaging.arrays import (
    Array,
    as_float32,
    as_int32,
    average,
    count,
    filled_with,
    is_tensor,
    largest_of,
    like,
    namespace,
    to_host,
)
from backend.imaging.colour import SMALLEST_LINEAR, linear_to_srgb, srgb_to_linear
from backend.imaging.colour import luminance as luminance_of
from backend.imaging.filters import enlarge, gaussian_blur, grown, masked_blur, smooth_step
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

    log_albedo: Array
    log_marks: Array
    weight: Array
    shine: Array
    pixels: Array
    quality: Array
    relit: Array
    gain: np.ndarray
    flow: Array | None


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
    xp = namespace(light)
    if is_tensor(light):  # the first photo's texels are there already
        skin = replace(skin, uv_space=first.skin.uv_space, kept=first.skin.kept)
    layers: list[_Layer] = []
    for number in _most_common_first(seen, plain):
        layers.append(_layer(seen[number], layers, light, plain, settings))
    order = _most_common_first(seen, plain)
    layers = _agreed_marks(layers, settings, skin)
    broad, choice = _broad(layers, settings, skin), _choice(layers, settings, skin)
    partial, fine = _partial([seen[n].partial for n in order], layers, broad, choice)

    texture, _ = partial.reduced(len(light))
    weight = largest_of(*(layer.weight for layer in layers))
    log_marks = _blend([layer.log_marks for layer in layers], choice)
    log_seen = xp.log(xp.maximum(texture, SMALLEST_LINEAR)) - log_marks
    log_albedo = as_float32(log_seen - light)
    tone, _ = robust_tone(log_albedo, weight * plain)
    guesses = [
        np.log(seen[n].mean_albedo) + tone - (seen[n].tone + layer.gain) for n, layer in zip(order, layers, strict=True)
    ]
    shares = [float((seen[n].weight * plain).sum()) * (1 - 0.9 * seen[n].two_coloured) for n in order]
    return replace(
        first,
        skin=skin,
        partial=replace(partial, pixels=fine),
        log_seen=as_float32(log_seen),
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


def _most_common_first(seen: Sequence[DelightedTexture], plain: Array) -> list[int]:
    """The first photo, then the others, first that which shows most of the first's skin."""
    common = [float((namespace(plain).minimum(one.weight, seen[0].weight) * plain).sum()) for one in seen]
    return [0, *sorted(range(1, len(seen)), key=lambda n: -common[n])]


def _cast(first: DelightedTexture, plain: Array, settings: MergeSettings) -> Array:
    """The first photo's light times mean albedo, log, no darker than detail survives: float32 [B, B, 3]."""
    least = like(_usual(first, plain) - settings.darkest, plain)
    return as_float32(namespace(plain).maximum(first.log_shading, least))


def _evenness(one: DelightedTexture, plain: Array, settings: MergeSettings) -> float:
    """How far a photo's light is to be trusted to have been taken off: what is left of it grows with its contrast."""
    lit = one.weight * plain
    luminance, weights = luminance_of(one.log_shading).reshape(-1), (lit + 1e-9).reshape(-1)
    away = luminance - float(average(luminance, weights))
    return 1 / (settings.even + float(average(namespace(away).square(away), weights)))


def _usual(one: DelightedTexture, plain: Array) -> np.ndarray:
    """Light times mean albedo, log, on most of a photo's plain skin: float [3]."""
    return robust_tone(one.log_shading, one.weight * plain)[0]


def _layer(
    one: DelightedTexture, layers: Sequence[_Layer], light: Array, plain: Array, settings: MergeSettings
) -> _Layer:
    """A photo brought onto those before it: in place, tone and light."""
    xp, skin = namespace(light), one.skin
    gloss = one.log_seen - one.log_shading - one.log_albedo
    pixels = pixels_per_texel(skin.model, skin.fit, skin.working)
    lit = smooth_step(
        luminance_of(one.log_shading - like(_usual(one, plain), plain)), -2 * settings.darkest, -settings.darkest
    )
    quality = one.weight * (1 - settings.shine * one.shine) * lit * xp.square(one.partial.sharpness * pixels)
    quality = as_float32(quality * _evenness(one, plain, settings))
    relit = light - one.log_shading - gloss
    layer = _Layer(one.log_albedo, one.log_marks, one.weight, one.shine, pixels, quality, relit, np.zeros(3), None)
    if not layers:
        return layer
    there = largest_of(*(before.weight for before in layers))
    best = _best([before.quality for before in layers])
    shown = [luminance_of(before.log_albedo + before.log_marks) for before in layers]
    still, moving = as_float32(_of(best, shown)), as_float32(luminance_of(one.log_albedo + one.log_marks))
    flow = skin_flow(still, moving, there, one.weight, skin.regions.texels_per_mm, settings.registration)
    names = ("log_albedo", "log_marks", "weight", "shine", "pixels", "quality")
    layer = replace(layer, flow=flow, **{name: flowed(getattr(layer, name), flow) for name in names})
    gain = _gain(layers, layer, best, one.tone, plain, settings)
    return replace(
        layer,
        gain=gain,
        log_albedo=as_float32(layer.log_albedo + like(gain, light)),
        relit=as_float32(flowed(relit, flow) + light - flowed(light, flow) + like(gain, light)),
    )


def _gain(
    layers: Sequence[_Layer],
    layer: _Layer,
    best: Array,
    tone: np.ndarray,
    plain: Array,
    settings: MergeSettings,
) -> np.ndarray:
    """What brings a photo's exposure and white balance to those before it, log, float64 [3]: over common plain skin."""
    there = _of(best, [before.weight for before in layers])
    common = namespace(there).minimum(there, layer.weight) * plain
    albedo = _of(best[..., None], [before.log_albedo for before in layers])
    if count(common > 0.5) >= settings.least_common:
        return robust_tone(as_float32(albedo - layer.log_albedo), common)[0]
    return robust_tone(as_float32(albedo), there * plain)[0] - tone


def _best(images: Sequence[Array]) -> Array:
    """Which of images [B, B] is the largest, the first of those that are: int [B, B]."""
    xp, most = namespace(images[0]), images[0]
    best = xp.zeros_like(as_int32(most))
    for number, image in enumerate(images[1:], 1):
        best, most = xp.where(image > most, number, best), xp.maximum(most, image)
    return best


def _of(number: Array, images: Sequence[Array]) -> Array:
    """Of each texel the value of the image with its number."""
    found = images[0]
    for k, image in enumerate(images[1:], 1):
        found = namespace(image).where(number == k, image, found)
    return found


def _agreed_marks(layers: Sequence[_Layer], settings: MergeSettings, skin: FittedSkin) -> list[_Layer]:
    """The photos with marks only so strong as all of them show that trust the place: what one alone has is its light's.

    A mark may lie `settings.mark_mm` off in another photo.
    """
    scale = skin.regions.texels_per_mm
    reach = max(1, round(settings.mark_mm * scale))
    signed = [luminance_of(layer.log_marks) for layer in layers]
    xp = namespace(signed[0])
    known = [smooth_step(layer.weight, 0.1, settings.registration.common) for layer in layers]
    most, several = xp.maximum(*known[:2]), xp.minimum(*known[:2])  # the second largest is what two know
    for one in known[2:]:
        most, several = xp.maximum(most, one), xp.maximum(several, xp.minimum(most, one))
    limits = []
    for sign in (1, -1):
        # Where a photo does not know the place, it allows anything.
        own = [grown(as_float32(xp.maximum(sign * marks, 0)), reach) for marks in signed]
        allowed = [most + 4 * (1 - there) for most, there in zip(own, known, strict=True)]
        limits.append(reduce(xp.minimum, allowed))
    agreed = []
    for layer, marks in zip(layers, signed, strict=True):
        size = as_float32(xp.abs(marks))
        most = xp.where(marks > 0, limits[0], limits[1])
        share = as_float32(xp.minimum(most / xp.maximum(size, 1e-4), 1))
        # A mark that goes on to where only one photo shows it is there what it is beside.
        beside = masked_blur(share, size * several, settings.feather_mm * scale)
        judged = masked_blur(several, size, settings.feather_mm * scale)
        alone = 1 + smooth_step(judged, 0.05, 0.3) * (beside - 1)
        kept = (several * share + (1 - several) * alone)[..., None] * layer.log_marks
        agreed.append(replace(layer, log_marks=kept, relit=layer.relit + kept - layer.log_marks))
    return agreed


def _broad(layers: Sequence[_Layer], settings: MergeSettings, skin: FittedSkin) -> list[Array]:
    """By photo, what its broad colours lack to the mean of all that show the place: float32 [B, B, 3]."""
    scale = skin.regions.texels_per_mm
    low = [masked_blur(layer.log_albedo, layer.weight, settings.broad_mm * scale) for layer in layers]
    trust = [gaussian_blur(layer.quality, settings.feather_mm * scale) * layer.weight for layer in layers]
    total = namespace(trust[0]).maximum(sum(trust), 1e-9)
    mean = sum(t[..., None] * image for t, image in zip(trust, low, strict=True)) / total[..., None]
    lacking = []
    for image, layer in zip(low, layers, strict=True):
        known = as_float32(layer.weight > 0.05)
        lacking.append(masked_blur(as_float32(mean - image), known, settings.change_mm * scale))
    return lacking


def _choice(layers: Sequence[_Layer], settings: MergeSettings, skin: FittedSkin) -> list[Array]:
    """By photo, the share of each texel's fine detail that comes from it: float32 [B, B], summing to 1 where seen."""
    scale = skin.regions.texels_per_mm
    blur = settings.choice_mm * scale
    best = _best([gaussian_blur(layer.quality, blur) * (layer.weight > 0.05) for layer in layers])
    change = settings.change_mm * scale
    shares = namespace(best).stack(
        [gaussian_blur(as_float32(best == number), change) * layer.weight for number, layer in enumerate(layers)]
    )
    return list(shares / namespace(best).maximum(shares.sum(0), 1e-9))


def _partial(
    partials: Sequence[PartialTexture], layers: Sequence[_Layer], broad: Sequence[Array], choice: list[Array]
) -> tuple[PartialTexture, Array]:
    """The photos' texels at full size in one light, and how many pixels a texel is wide, float32 [B, B]."""
    side, kind = partials[0].visibility.shape[0], choice[0]
    xp, total = namespace(kind), filled_with(0, (side, side, 3), kind)
    shares, visibility = filled_with(0, (side, side), kind), filled_with(0, (side, side), kind)
    for partial, layer, lacking, chosen in zip(partials, layers, broad, choice, strict=True):
        texture, shown = as_float32(srgb_to_linear(partial.texture_srgb)), like(partial.visibility, kind)
        if layer.flow is not None:
            # What was not seen is black, and must not run into what was.
            known = as_float32(shown > 0)
            texture, shown, known = flowed(texture, layer.flow), flowed(shown, layer.flow), flowed(known, layer.flow)
            texture /= xp.maximum(known, 1e-3)[..., None]
            shown = shown * (known > 0.05)
        texture *= xp.exp(xp.clip(enlarge(layer.relit + lacking, side), -4, 4))
        # Where the best photo has no texel after all, the next best has it.
        share = xp.clip(enlarge(chosen, side), 1e-4, 1) * xp.minimum(shown * 4, 1)
        total += share[..., None] * texture
        shares += share
        visibility = xp.maximum(visibility, shown)
    total /= xp.maximum(shares, 1e-9)[..., None]
    texture_srgb = as_float32(linear_to_srgb(xp.clip(total, 0, 1)))
    texture_srgb[visibility <= 0] = 0
    sharpness = float(np.average([p.sharpness for p in partials], weights=[float(c.sum()) + 1e-6 for c in choice]))
    pixels = _blend([layer.pixels for layer in layers], choice)
    return PartialTexture(texture_srgb, to_host(visibility), sharpness), pixels


def _shares(order: Sequence[int], weight: Array, choice: Sequence[Array]) -> tuple[float, ...]:
    """By photo, in the order in which they came, the part of the seen skin that comes from it."""
    seen = max(float(weight.sum()), 1e-6)
    of_photo = {number: float((chosen * weight).sum()) / seen for number, chosen in zip(order, choice, strict=True)}
    return tuple(of_photo[number] for number in sorted(of_photo))


def _blend(images: Sequence[Array], shares: Sequence[Array]) -> Array:
    """Images [B, B] or [B, B, C] weighed by shares [B, B] that sum to 1."""
    total = namespace(images[0]).zeros_like(images[0])
    for image, share in zip(images, shares, strict=True):
        total += (share if image.ndim == 2 else share[..., None]) * image
    return total
