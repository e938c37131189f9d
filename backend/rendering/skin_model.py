"""What is assumed of skin, by training and at run time alike. Every number here that is not measured says so.

Assets that ship were made with the numbers of `tests/backend/rendering/test_skin_model.py`; where those differ, that
test says by how much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SpecularLevels:
    """Specular albedo by region, linear, in units of F0 / 0.08. Assumed.

    Skin's F0 is near 0.028, which is 0.35; facial regions differ mildly, glossier in the T-zone and on the lips, as in
    Weyrich et al., "Analysis of human faces using a measurement-based skin reflectance model", 2006, from whose
    statistics the levels are not taken.

    Args:
        plain: skin of no region below.
        regions: names of `backend.texture.skin_regions` with their levels; a later one covers an earlier one.
        soft_mm: blur over the regions' borders.
        lowest, highest: what a texel may have at all.
    """

    plain: float = 0.33
    regions: tuple[tuple[str, float], ...] = (
        ("forehead", 0.40),
        ("nose", 0.44),
        ("nose_tip", 0.50),
        ("lips", 0.45),
        ("under_eyes", 0.34),
        ("lids", 0.37),
        ("chin", 0.37),
        ("ears", 0.29),
        ("neck", 0.27),
        ("scalp", 0.36),
    )
    soft_mm: float = 5.0
    lowest: float = 0.04
    highest: float = 0.95


@dataclass(frozen=True)
class ReliefOfDetail:
    """Relief read from the albedo's fine detail: darker lies deeper (Beeler et al. 2010). Assumed.

    Of the CG heads for training three have fine relief: as deep on average as 1 mm per density.

    Args:
        mm_per_density: depth for a darkening by one unit of optical density, mm.
        pore_mm, crease_mm: the band of detail that is relief; broader patches are pigment.
        density_limit: what is darker is hair or a mole.
        lashes: share of the detail around the eyes that is lashes; of the brows' all is hair.
        cavity_mm: blur of the surroundings that a cavity lies deep in.
        deepest_mm, highest_mm: a cavity counts up to that depth, what stands out up to that height.
        gloss_loss_per_mm: share of the specular albedo that a cavity loses, per mm of its depth.
    """

    mm_per_density: float = 0.55
    pore_mm: float = 0.35
    crease_mm: float = 2.2
    density_limit: float = 0.16
    lashes: float = 0.9
    cavity_mm: float = 1.5
    deepest_mm: float = 0.12
    highest_mm: float = 0.05
    gloss_loss_per_mm: float = 4.0


@dataclass(frozen=True)
class SurfaceReflection:
    """What skin reflects at its surface beside the highlights, as an albedo, linear.

    Two quantities: a camera sees the first on real skin, and a renderer adds the second to the albedo it is given.

    Args:
        of_skin: part of what photos and spectrophotometers see of skin, highlights apart. About F0; 24 Cycles pictures
            of dark training heads show 0.024 in the median.
        least_albedo: the diffuse albedo is at least this share of what a channel reflects in all; assumed.
        of_renders: what the Principled shader's gloss adds to the smooth light of a photo. Without it that light was
            too bright and too blue on dark skin; between Cycles renders with 0 and 0.025: 0.006 on the darkest of four
            faces, 0.01 on the next.
    """

    of_skin: float = 0.025
    least_albedo: float = 0.3
    of_renders: float = 0.006


@dataclass(frozen=True)
class BouncedLight:
    """Light that the head throws back where it hides the light from outside. Assumed.

    Args:
        of_hidden: a hidden direction counts with this share of the light that comes from there: skin about as bright
            as two fifths of its surroundings.
        of_albedo: where the skin's mean albedo is known, share of it that the hidden directions throw back of the
            average light; 0.7 times a fair skin's albedo is about `of_hidden`.
    """

    of_hidden: float = 0.4
    of_albedo: float = 0.7


@dataclass(frozen=True)
class Gloss:
    """Perceptual roughness of skin's gloss. Assumed; oily parts are glossier.

    Args:
        plain: skin of no region below.
        regions: names of `backend.texture.regions` with their levels.
        rougher_per_mm: how much rougher a cavity is, per mm of its depth.
        of_pictures, spread: mean over a face, and how people differ, in the training pictures.
        lobes: share of the gloss and factor on its roughness: oil over a rougher layer.
        faded: cosine between surface and camera from and up to which the training pictures have gloss. Where skin
            turns away photos show little, and what they do not show must not be learnt as wet.
    """

    plain: float = 0.48
    regions: tuple[tuple[str, float], ...] = (("forehead", 0.43), ("nose", 0.38), ("eyes", 0.46), ("lips", 0.36))
    rougher_per_mm: float = 2.5
    of_pictures: float = 0.42
    spread: float = 0.06
    lobes: tuple[tuple[float, float], ...] = ((0.7, 0.85), (0.3, 1.5))
    faded: tuple[float, float] = (0.1, 0.45)


@dataclass(frozen=True)
class UsualColour:
    """Usual colour of facial skin in CIE Lab, D65, as rows (L*, a*, b*) from dark to light, linear between them.

    With what the surface reflects, as spectrophotometers see it: the diffuse albedo alone is darker and of stronger
    colour. Assumed: smooth curves near what spectrophotometry of light and medium skin finds (Xiao et al.,
    "Characterising the variations in ethnic skin colours", 2017: Caucasian, Chinese, Kurdish, Thai); their dark ends
    were not measured there, and the numbers are in no table.

    Args:
        of_photos: what the split of a photo into light and skin expects; less saturated towards dark skin.
        of_people: the middle of the skins that training draws, within 2 units of the other. Yellowness peaks in light
            brown skin and falls towards both ends; redness falls in very light skin.
    """

    of_photos: tuple[tuple[float, float, float], ...] = (
        *((22, 7, 9), (30, 9, 13), (38, 11, 16), (46, 12.5, 18.5), (54, 13, 19.5), (62, 12.5, 18), (70, 11, 15.5)),
    )
    of_people: tuple[tuple[float, float, float], ...] = (
        *((25, 9.5, 9), (35, 11.5, 13.5), (45, 13, 17.5), (55, 13.5, 19), (65, 12.5, 18), (75, 10, 15), (85, 7, 11)),
    )


@dataclass(frozen=True)
class SkinModel:
    """All that is assumed of skin."""

    specular: SpecularLevels = SpecularLevels()
    relief: ReliefOfDetail = ReliefOfDetail()
    surface: SurfaceReflection = SurfaceReflection()
    bounce: BouncedLight = BouncedLight()
    gloss: Gloss = Gloss()
    colour: UsualColour = UsualColour()


SKIN = SkinModel()


def without_surface_reflection(reflectance: np.ndarray) -> np.ndarray:
    """The diffuse albedo [..., 3], linear, of skin that reflects so much in all, highlights apart."""
    return np.maximum(reflectance - SKIN.surface.of_skin, SKIN.surface.least_albedo * reflectance)


def lab_on_curve(rows: tuple[tuple[float, float, float], ...], lightness: float | np.ndarray) -> np.ndarray:
    """Lab float64 [..., 3] of a curve of `UsualColour` at a lightness, or at several [...]."""
    curve = np.array(rows)
    return np.stack([lightness, *(np.interp(lightness, curve[:, 0], curve[:, k]) for k in (1, 2))], axis=-1)
