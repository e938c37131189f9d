"""Light and skin of what the photos show taken apart, the same for every prior (DESIGN section 6).

The light is of order 2 on the fitted head, with its own shadows; highlights are taken off. What varies over the face of
the light beyond that is found against what the prior expects: `local_light`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backend.delight.bright_patches import limit_bright, soften_bright
from backend.delight.highlights import highlights
from backend.delight.light import estimate_light
from backend.delight.light_faults import LightFaults, light_faults
from backend.delight.mark_layer import mark_layer
from backend.delight.parameters import DelightParameters, LightSettings
from backend.delight.robust import robust_tone
from backend.delight.skin_tone import plausible_tone, turned
from backend.delight.trust import trusted
from backend.imaging.arrays import Array, as_float32, is_tensor, like, namespace, on_device, on_host, places, to_host
from backend.imaging.channels import largest
from backend.imaging.colour import LUMINANCE, SMALLEST_LINEAR
from backend.imaging.colour import luminance as luminance_of
from backend.imaging.filters import smooth_step
from backend.photo.white_cue import WhiteCue
from backend.rendering.light_transfer import shading
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture
from backend.texture.regions import FaceRegions, plain_skin
from shared.errors import RelightifyError


@dataclass(frozen=True)
class SkinChoices:
    """What the user chose about the skin.

    Args:
        tone_stops: by how many stops it is to be lighter than estimated.
        keep_marks: 0 leaves out all marks, 0.5 keeps those that no light explains, 1 all that differs.
        hue: by how much it is to be redder, or yellower if negative; 1 is as far as skins reach.
    """

    tone_stops: float = 0.0
    keep_marks: float = 0.5
    hue: float = 0.0


@dataclass(frozen=True)
class DelightedTexture:
    """What was seen of the skin, with and without its light.

    Args:
        skin: whose skin, on which texels: R x R of the maps, B x B at the working size.
        partial: what the photos show, R x R.
        log_seen: float32 [B, B, 3], the texture without marks, natural logarithm of linear colour; counts where
            `weight` > 0.
        log_albedo: float32 [B, B, 3], natural logarithm of the linear diffuse albedo without marks, up to a gain.
        log_marks: float32 [B, B, 3], what marks of the skin change of both, 0 elsewhere.
        log_shading: float32 [B, B, 3], light times mean albedo everywhere on the skin, up to the same gain.
        weight: float32 [B, B] in [0, 1], trust: 1 = seen and skin.
        shine: float32 [B, B] in [0, 1], share of the seen light that was specular.
        tone: float64 [3], median of `log_albedo` on plain skin.
        mean_albedo: float64 [3], linear, what that tone probably is: the split of what was seen into light and skin,
            which one photo leaves open.
        marks_kept: share of the marks that the albedo gets.
        two_coloured: 0 for usual light, 1 where the sides of the face are lit in other colours.
        warnings: sentences for the user about the light.
        shares: by photo, the part of the skin that was seen which comes from it; they sum to 1.
    """

    skin: FittedSkin
    partial: PartialTexture
    log_seen: Array
    log_albedo: Array
    log_marks: Array
    log_shading: Array
    weight: Array
    shine: Array
    tone: np.ndarray
    mean_albedo: np.ndarray
    marks_kept: float = 1.0
    two_coloured: float = 0.0
    warnings: tuple[str, ...] = ()
    shares: tuple[float, ...] = (1.0,)

    def on_device(self, device: str) -> DelightedTexture:
        """The same with its images of the working size on a device; `cpu` is the host. What the photos show at the size
        of the maps stays where it is."""
        images = "log_seen", "log_albedo", "log_marks", "log_shading", "weight", "shine"
        if device != "cpu":
            return replace(on_device(self, device, *images), skin=self.skin.at_working_size().on_device(device))
        return replace(on_host(self, *images), skin=self.skin.on_host()) if is_tensor(self.log_seen) else self


def delight(
    partial: PartialTexture,
    skin: FittedSkin,
    white: WhiteCue | None = None,
    choices: SkinChoices = SkinChoices(),
    parameters: DelightParameters = DelightParameters(),
    device: str = "cpu",
) -> DelightedTexture:
    """The albedo of what was seen: one light and highlights taken out.

    Args:
        partial: what the photos show, R x R texels of `skin`.
        skin: the fitted head's skin, on the host.
        white: how bright the light is by the white of the eyes, None where they do not tell.
        choices: what the user knows better, and wants kept.
        parameters: the stage's chosen numbers.
        device: where light is taken off, and where the images that are returned are, those of the skin included; `cpu`
            is the host.

    Raises:
        RelightifyError: ``too_little_skin`` where next to nothing of the face was seen.
    """
    host = skin
    if device != "cpu":
        partial, skin = on_device(partial, device, "texture_srgb"), skin.on_device(device)
    regions = skin.regions
    texture, visibility = partial.reduced(skin.working.resolution)
    _check_seen(visibility, regions, parameters.least_seen)
    transfer = skin.working.interpolate(skin.transfer)
    xp, plain = namespace(texture), plain_skin(regions)
    shiny = parameters.highlights

    faults = light_faults(texture, visibility, regions, white, parameters.light_faults)
    visibility = visibility * faults.lit
    parameters = _for_light(parameters, faults, choices.keep_marks)

    paint = faults.paint.astype(np.float32)
    texture = texture * like(np.exp(-paint), texture)
    marks, shaded = _marks(texture, transfer, visibility, host, choices.keep_marks, parameters)
    texture = as_float32(texture * xp.exp(-marks))  # from here on: skin without marks
    log_seen = xp.log(xp.maximum(texture, SMALLEST_LINEAR))
    weight = trusted(log_seen - xp.log(shaded), visibility, regions, parameters.trust)
    light = _robust_light(texture, transfer, weight * plain, parameters.light)  # light x mean albedo
    shaded = shading(transfer, light)

    specular = highlights(texture, shaded, weight, regions, shiny)
    if not shiny.removed:
        specular = xp.zeros_like(specular)
    diffuse = xp.maximum(texture - shiny.share * specular[..., None], shiny.least_left * texture)
    log_albedo = xp.log(xp.maximum(diffuse, SMALLEST_LINEAR)) - xp.log(shaded)
    shine = xp.clip(specular / xp.maximum(luminance_of(texture), SMALLEST_LINEAR), 0, 1)
    if shiny.soften_bright:
        log_albedo = soften_bright(log_albedo, weight, regions, shiny)
    if shiny.limit_bright:
        log_albedo = limit_bright(log_albedo, weight, regions, shiny)

    tone, _ = robust_tone(log_albedo, weight * plain)
    # Split light and skin; what is albedo now was relative to the mean.
    log_shading = xp.log(shaded)
    plain_level, _ = robust_tone(log_shading, weight * plain)
    if not parameters.skin_tone.white_cue:
        white = None
    split = parameters.skin_tone
    if faults.paint.any():  # eyes in paint are no white, and of the hue beneath nothing is told
        split = replace(split, most_strayed=0.0)
    mean_albedo = plausible_tone(np.exp(tone + plain_level), white, choices.tone_stops, split)
    mean_albedo = turned(mean_albedo, choices.hue, parameters.skin_tone)
    marks *= smooth_step(weight, 0, parameters.marks.trusted)[..., None]
    marks = marks + like(paint, marks)  # all that is seen of the face has it, so what is not seen has it too
    kept = min(2 * choices.keep_marks, 1.0)
    return DelightedTexture(
        skin=skin,
        partial=partial,
        log_seen=log_seen,
        log_albedo=log_albedo,
        log_marks=marks,
        log_shading=log_shading,
        weight=weight,
        shine=shine,
        tone=tone,
        mean_albedo=mean_albedo,
        marks_kept=kept,
        two_coloured=faults.two_coloured,
        warnings=faults.warnings,
    )


def _for_light(parameters: DelightParameters, faults: LightFaults, keep_marks: float) -> DelightParameters:
    """The parameters where something is wrong with the light.

    Where both sides of a face are lit in other colours, directed light may have any colour, and what hue it leaves in
    the albedo is not the skin's, whose own is the usual one. No hue tells marks from such light either, so none are
    looked for, but where the user wants more kept than usual. Where one side has no light, what is paler than the rest
    may just be what is lit.
    """
    coloured = faults.two_coloured
    if faults.unlit_side:
        closed = parameters.marks.closed
        closed = replace(closed, kinds=tuple(kind for kind in closed.kinds if not kind.bright))
        parameters = replace(parameters, marks=replace(parameters.marks, pale_needs=np.inf, closed=closed))
    if coloured == 0:
        return parameters
    left = 1 + coloured * (parameters.light_faults.evened - 1)
    zero, first, second = parameters.light.colour_ridge
    return replace(
        parameters,
        light=replace(parameters.light, colour_ridge=(zero, left * first, left * second)),
        skin_tone=replace(
            parameters.skin_tone,
            coloured_share=parameters.skin_tone.coloured_share
            + coloured * (0.99 - parameters.skin_tone.neon_share - parameters.skin_tone.coloured_share),
            coloured_spread=(1 + coloured) * parameters.skin_tone.coloured_spread,
            most_strayed=(1 - coloured) * parameters.skin_tone.most_strayed,
        ),
        marks=replace(
            parameters.marks,
            found=parameters.marks.found and (coloured < 0.5 or keep_marks > 0.5),
            strayed=parameters.marks.strayed * (1 + coloured),
        ),
    )


def _marks(
    texture: Array,
    transfer: Array,
    visibility: Array,
    skin: FittedSkin,
    keep: float,
    parameters: DelightParameters,
) -> tuple[Array, Array]:
    """The marks, log colour float32 [H, W, 3], and skin of even tone under the light, float32 [H, W, 3], linear.

    Marks are looked for on the host, wherever the images are: they are connected patches, each measured by itself and
    sorted by what it measures. Colour and visibility go there, one layer and the light's 27 numbers come back. `skin`
    is the host's.
    """
    if not is_tensor(texture):
        return _marks_on_host(texture, transfer, visibility, skin.regions, keep, parameters)[:2]
    images = to_host(texture), skin.working.interpolate(skin.transfer), to_host(visibility)
    marks, _, light = _marks_on_host(*images, skin.regions, keep, parameters)
    return like(marks, texture), shading(transfer, light)


def _marks_on_host(
    texture: np.ndarray,
    transfer: np.ndarray,
    visibility: np.ndarray,
    regions: FaceRegions,
    keep: float,
    parameters: DelightParameters,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Marks and skin of even tone as `_marks`, and the light on it, [9, 3].

    A large mark would be taken for light of its colour from its side, so those are first told by light of one colour.
    """
    plain, settings = plain_skin(regions), parameters.marks
    light = _robust_light(texture, transfer, visibility * plain, parameters.light)
    shaded = shading(transfer, light)
    if not settings.found:
        return np.zeros_like(texture), shaded, light
    log_seen = np.log(np.maximum(texture, SMALLEST_LINEAR))
    # Of the skin that is seen: over all directions, light of a face may be fitted by none at all, or less.
    mean = np.average(shaded.reshape(-1, 3), axis=0, weights=(visibility * plain).reshape(-1))
    of_one_colour = (shaded @ LUMINANCE)[..., None] * (mean / (mean @ LUMINANCE)).astype(np.float32)
    broad = replace(settings, closed=replace(settings.closed, kinds=()))
    first = mark_layer(log_seen - np.log(of_one_colour), texture, of_one_colour, visibility, regions, broad)
    unmarked = visibility * plain * np.exp(-settings.distrust * largest(np.abs(first)))
    light = _robust_light((texture * np.exp(-first)).astype(np.float32), transfer, unmarked, parameters.light)
    shaded, least = shading(transfer, light), max(2 * keep - 1, 0.0)
    marks = mark_layer(log_seen - np.log(shaded), texture, shaded, visibility, regions, settings, least)
    return marks, shaded, light


def _robust_light(texture: Array, transfer: Array, weight: Array, settings: LightSettings) -> np.ndarray:
    """`estimate_light` on a regular sample of the weighted texels."""
    inside = places(weight > 0.3)
    picked = inside[:: max(1, len(inside) // settings.samples)]
    return estimate_light(
        texture.reshape(-1, 3)[picked], transfer.reshape(-1, 9)[picked], weight.reshape(-1)[picked], settings
    )


def _check_seen(visibility: Array, regions: FaceRegions, least: float) -> None:
    plain = plain_skin(regions)
    if float((visibility * plain).sum()) < least * float(plain.sum()):
        raise RelightifyError(
            "too_little_skin",
            "The photo shows too little of the face's skin.",
            "Use a photo in which hair, hands or glasses cover less of the face.",
        )
