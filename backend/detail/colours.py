"""Detail laid over the colours of the completed maps: what of it is relief leaves the albedo in part."""

from __future__ import annotations

from dataclasses import dataclass

from backend.detail.parameters import ReliefSettings
from backend.detail.photo_detail import PhotoDetail, made_colour
from backend.detail.separation import pigment_share
from backend.detail.unseen import Made
from backend.imaging.arrays import Array, empty, like, namespace
from backend.imaging.colour import linear_to_srgb, luminance
from backend.imaging.rows import Enlarged, Rows, in_bands
from backend.prior.interface import CompletedMaps
from backend.texture.regions import FaceRegions


@dataclass(frozen=True)
class Coloured:
    """The colours with their detail, and the part of the detail that is relief.

    Args:
        texture_srgb: float32 [R, R, 3].
        albedo: float32 [R, R, 3], linear, as it was seen: with the light that hair's surface reflects.
        relief: float32 [R, R], log luminance.
    """

    texture_srgb: Array
    albedo: Array
    relief: Array


def coloured(
    grown: CompletedMaps,
    photo: PhotoDetail,
    made: Made,
    hairs: Array,
    regions: FaceRegions,
    settings: ReliefSettings = ReliefSettings(),
) -> Coloured:
    """Texture and albedo with the photo's detail and with what was made.

    Args:
        grown: completed maps, B x B, continued over everything outside the island.
        photo: the photo's detail; its memory becomes that of the texture.
        made: what the photo does not show.
        hairs: float32 [B, B], share of the detail that is the hairline's.
        regions: parts of the face, B x B.
        settings: of relief.
    """
    xp, side, kept = namespace(hairs), photo.side, settings.in_albedo
    texture, albedo = (Enlarged(image, side) for image in (grown.log_texture, grown.log_albedo))
    eyes, lips, hanging, share = (
        Enlarged(image, side, (0, 1)) for image in (regions.eyes, regions.lips, hairs, photo.hair.share)
    )
    tint, surely = like(made_colour(photo), hairs), photo.covered
    result = Coloured(photo.detail, empty((side, side, 3), hairs), empty((side, side), hairs))

    def lay(rows: slice) -> None:
        detail, matte = photo.detail[rows], photo.matte[rows]
        pigment = pigment_share(photo.spot[rows], hanging[rows], eyes[rows], lips[rows])
        fine, coarse, hairy, covered = made.fine[rows], made.coarse[rows], share[rows], surely[rows]
        added = fine + coarse
        result.relief[rows] = luminance(detail) * matte * (1 - xp.maximum(pigment, hairy)) + added * (1 - hairy)
        pigment = xp.maximum(pigment, covered)
        log_albedo = detail * (matte * (pigment + (1 - pigment) * kept))[..., None]
        log_albedo += albedo[rows]
        log_albedo += ((covered + (1 - covered) * kept) * fine + coarse)[..., None] * tint
        xp.exp(log_albedo, out=result.albedo[rows])
        log_texture = texture[rows] + detail
        log_texture += (added * (1 - photo.strength[rows]))[..., None] * tint
        result.texture_srgb[rows] = linear_to_srgb(xp.exp(log_texture, out=log_texture))

    in_bands(lay, side, hairs)
    return result


def encode(albedo: Rows, into: Array) -> None:
    """Write a linear albedo [R, R, 3], pressed into what skin and hair can have, sRGB-encoded; it may lie there."""

    def write(rows: slice) -> None:
        into[rows] = linear_to_srgb(_soft_range(albedo[rows]))

    in_bands(write, len(into), into)


def _soft_range(albedo: Array) -> Array:
    """Albedo pressed softly into what skin and hair can have: 0.008 to 0.85."""
    xp, high = namespace(albedo), 0.6
    over = xp.maximum(albedo - high, 0)
    pressed = xp.minimum(albedo, high) + 0.25 * (1 - xp.exp(-over / 0.25))
    return xp.maximum(pressed, 0.008)
