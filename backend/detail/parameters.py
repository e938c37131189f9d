"""The chosen numbers of the detail stage.

Lengths are mm on the skin; contrasts are of natural log luminance; pairs are where a smooth step begins and ends.
How the numbers were found: docs/research/detail.md and docs/research/ablation.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.delight.mark_parameters import SpotSettings


@dataclass(frozen=True)
class SeenSettings:
    """The detail that the photo shows.

    Args:
        pixels: of the photo per wave at which it begins to show detail, and shows all of it; sampling theorem.
        trusted: trust from which on the photo's detail is taken, and at which all of it is; assumed.
        shine: share of specular light from which on a texel shines, and shines fully; assumed.
    """

    pixels: tuple[float, float] = (1.6, 2.6)
    trusted: tuple[float, float] = (0.35, 0.8)
    shine: tuple[float, float] = (0.05, 0.5)


@dataclass(frozen=True)
class CreaseSettings:
    """Creases, which are relief at every size.

    Args:
        found: whether they are looked for; may be left out.
        side: texels a side at which they are looked for.
        width_mm, length_mm: of the profile across and along; assumed.
        directions: looked in, over half a turn.
        strength: robust deviations of what grain gives by which a line must stand out; assumed.
        about_mm: blur over which hair gives the same, where it may grow; assumed.
        contrast: by which it must be darker; assumed.
    """

    found: bool = True
    side: int = 512
    width_mm: float = 0.8
    length_mm: float = 3.0
    directions: int = 8
    strength: tuple[float, float] = (3.0, 6.0)
    about_mm: float = 8.0
    contrast: tuple[float, float] = (0.015, 0.03)


@dataclass(frozen=True)
class HairSettings:
    """Hair that the skin mask takes for skin; it is colour and no relief.

    Args:
        hairline, grown: heuristics that may be left out; the second is hair of brows and beard.
        near_mm: from the outer border of the seen, where hair hangs into temples and forehead, outer value first.
        over_mm: blur over which roughness is measured; assumed.
        rough: roughness against the plain skin; assumed.
        grown_mm: what is found is grown by that; assumed.
        side: texels a side at which hair of brows and beard is looked for: 0.9 mm is the finest detail there.
        coarsest_octave: of the detail that is looked at; coarser is shade and blotches.
        grown_over_mm: blur over which its variance is measured; assumed.
        fewest_texels: of bare skin, to compare with; assumed.
        bare_varies: how much bare skin's deviation differs from place to place, 1 is not at all; assumed.
        covered: share of the variance that is hair from which on hair grows there, and surely does; assumed.
        around_brows_mm: hair of brows may stand so far around their region; assumed.
        skin_around_mm: blur over which the bare skin about hair is averaged; assumed.
        fewest_around: share of bare skin in it that counts as much as the person's tone does; assumed.
    """

    hairline: bool = True
    grown: bool = True
    near_mm: tuple[float, float] = (16.0, 9.0)
    over_mm: float = 2.0
    rough: tuple[float, float] = (1.5, 2.2)
    grown_mm: float = 2.0
    side: int = 1024
    coarsest_octave: int = 3
    grown_over_mm: float = 1.5
    fewest_texels: int = 200
    bare_varies: float = 1.1
    covered: tuple[float, float] = (0.15, 0.5)
    around_brows_mm: float = 3.0
    skin_around_mm: float = 6.0
    fewest_around: float = 0.05


@dataclass(frozen=True)
class ReliefSettings:
    """Relief that is read from dark detail.

    Args:
        spots: whether moles are kept out of the relief; may be left out.
        gloss: whether small highlights are kept out of albedo and relief; may be left out.
        in_albedo: share of relief that stays in the albedo, as pores and folds hold less light from any side; assumed.
        depth_per_wave: mm of depth a unit of log luminance and mm of wavelength; the training data's at 1.9 mm.
        grain_mm: wavelength at which half of the variation is relief, finer is more; assumed.
        steepest: slope; assumed.
        coarse_wave_mm: in the middle of the relief that is read from maps of the working size.
        roughness_side: texels a side at which the roughness of parts of the face is drawn at most; their borders are
            millimetres wide.
    """

    spots: bool = True
    gloss: bool = True
    in_albedo: float = 0.5
    depth_per_wave: float = 0.29
    grain_mm: float = 1.3
    steepest: float = 1.2
    coarse_wave_mm: float = 2.0
    roughness_side: int = 1024


@dataclass(frozen=True)
class FoldSettings:
    """What of folds is light in the albedo.

    Args:
        beside_mm: blur of the skin that folds are darker than; assumed.
        spot_rim_mm: about a mole, where the dark is its own as well; assumed.
        mark: log luminance from which on there is a mark; assumed.
        shoulder_mm: about a dark mark, where lines are its own; assumed.
        mostly_bare: share of a line that is no mark, for its marks to be a fold's; assumed.
        lip_mm: how far from a fold its lit lip reaches; assumed.
        along: share of a pale mark that lies so near to a fold from which on it is the lip, and surely; assumed.
    """

    beside_mm: float = 2.0
    spot_rim_mm: float = 1.0
    mark: float = 0.03
    shoulder_mm: float = 2.0
    mostly_bare: float = 0.4
    lip_mm: float = 3.0
    along: tuple[float, float] = (0.5, 0.8)


@dataclass(frozen=True)
class ContrastSettings:
    """How strong skin's detail is.

    Args:
        fewest_texels: of a part of the face, to measure it.
        side: texels a side at which a median is taken at most.
        measured_spread: standard deviation of a measured log contrast; assumed.
        age_spread: the same of the age that a user states, years; assumed.
        slopes: log contrast per octave towards the finer, steepest and flattest; assumed.
        rest_of_cheeks: contrast of neck, ears and scalp against the cheeks'; assumed.
        eyes_of_cheeks, lips_of_cheeks: the same at most, since lids and lips have borders and lashes; assumed.
        most_over_usual: times what people of that age have, in octaves that the photo cannot show; assumed.
    """

    fewest_texels: int = 120
    side: int = 1024
    measured_spread: float = 0.08
    age_spread: float = 3.0
    slopes: tuple[float, float] = (-0.9, -0.35)
    rest_of_cheeks: float = 0.85
    eyes_of_cheeks: float = 0.8
    lips_of_cheeks: float = 1.3
    most_over_usual: float = 1.3


@dataclass(frozen=True)
class PatchSettings:
    """Texture without end from a sample.

    Args:
        patch_mm, overlap_mm: of patches, much larger than the grain (Efros and Freeman 2001).
        normalised_over_mm: blur over which the variance is made even; assumed.
        scale_limit: times a patch is enlarged or reduced at most; assumed.
        fewest_places: of a sort of skin, to take patches of it.
        large_side: texels a side from which on textures are painted one after the other, for their memory.
    """

    patch_mm: float = 9.0
    overlap_mm: float = 3.0
    normalised_over_mm: float = 6.0
    scale_limit: float = 1.4
    fewest_places: int = 40
    large_side: int = 4096


@dataclass(frozen=True)
class SeamSettings:
    """Where detail is solid noise: at the seam, and where texels are much longer than wide.

    Args:
        from_seam_mm: within which there is only solid noise, and beyond which there is none, outer value first.
        stretched: length over width of texels from which on there is some, and only solid noise.
        smooth_texels: blur of that ratio.
        side: texels a side at which the share of solid noise is known at most.
    """

    from_seam_mm: tuple[float, float] = (10.0, 3.0)
    stretched: tuple[float, float] = (1.5, 2.2)
    smooth_texels: float = 4.0
    side: int = 1024


@dataclass(frozen=True)
class MicroreliefSettings:
    """Drawn skin. Sizes as in Igarashi, Nishino and Nayar, "The appearance of human skin", 2007, section 3.

    Args:
        tile_mm: side of the tile.
        furrows: of each sort the distance of the cells' middles in mm, depth, and width as a share of the cell.
        pore_distance_mm, pore_radius_mm, pore_depth: of pores; depths are relative.
    """

    tile_mm: float = 40.0
    furrows: tuple[tuple[float, float, float], ...] = ((0.95, 0.6, 0.16), (0.5, 1.0, 0.2), (0.26, 0.5, 0.22))
    pore_distance_mm: float = 1.3
    pore_radius_mm: float = 0.13
    pore_depth: float = 1.6


@dataclass(frozen=True)
class UnseenSettings:
    """Detail that the photo does not show.

    Args:
        contrast_over_mm: blur over which contrast is measured; assumed.
        coarse_share: of the missing strength in octaves that the prior's maps hold already; assumed.
        resolved: share of an octave that a photo must show to serve as a sample of it; assumed.
        region_side: texels a side of what varies slowly.
        sample_border_mm: from the border of clear skin, where samples begin; assumed.
        patches, seam, microrelief: of its parts.
    """

    contrast_over_mm: float = 8.0
    coarse_share: float = 0.85
    resolved: float = 0.5
    region_side: int = 512
    sample_border_mm: float = 3.0
    patches: PatchSettings = PatchSettings()
    seam: SeamSettings = SeamSettings()
    microrelief: MicroreliefSettings = MicroreliefSettings()


@dataclass(frozen=True)
class DetailParameters:
    """All of the stage's chosen numbers.

    Args:
        seen, spots, creases, hair, relief, folds, contrast, unseen: of its steps.
    """

    seen: SeenSettings = SeenSettings()
    spots: SpotSettings = SpotSettings()
    creases: CreaseSettings = CreaseSettings()
    hair: HairSettings = HairSettings()
    relief: ReliefSettings = ReliefSettings()
    folds: FoldSettings = FoldSettings()
    contrast: ContrastSettings = ContrastSettings()
    unseen: UnseenSettings = UnseenSettings()
