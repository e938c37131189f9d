"""The chosen numbers of completing the maps, but for how the diffusion prior samples (`diffusion/presets.py`).

Lengths are mm on the skin; logarithms are natural, of linear colour; pairs are where a smooth step begins and ends.
How the numbers were found: docs/research/coarse_prior.md and docs/research/ablation.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.delight.mark_parameters import SpotSettings
from backend.delight.parameters import LocalLightSettings, ResidualShadingSettings


@dataclass(frozen=True)
class ConditioningSettings:
    """Conditioning a Gaussian on what was seen.

    Args:
        student_degrees: of freedom of robust noise, whose outliers have heavy tails; assumed.
        rounds: of reweighting.
        scale_rounds: where a common scale is found too: expectation maximisation creeps.
    """

    student_degrees: float = 4.0
    rounds: int = 6
    scale_rounds: int = 12


@dataclass(frozen=True)
class EstimateSettings:
    """The linear prior's conditional mean. Deviations are standard deviations of logarithms.

    Args:
        even_sides: whether sides are expected to look alike; may be left out.
        side: texels a side at which the system is solved.
        least_weight: trust from which a texel counts; assumed.
        texture_effective, albedo_effective: independent texels that all are worth; pictures of training people.
        texture_noise: what the prior does not know of other cameras; pictures of training people.
        albedo_noise: what it does not know of errors of the light; pictures of training people.
        exposure_deviation: of the exposure against the training's photographs; pictures of training people.
        usual_light: log ratios of red, green and blue to the luminance that light of the training's photographs has at
            most.
        gain_deviation: of the albedo's gain against the split of light and skin; pictures of training people.
        asymmetry: of the antisymmetric latents in photographs, against the training's; pictures of training people.
        asymmetry_degrees: of freedom of Student's distribution of these; pictures of training people.
        colour_side: texels a side of the colours expected of a photo without colour, which vary slowly.
        darkest: linear luminance below which colour is not told.
        conditioning: how it is found.
    """

    even_sides: bool = True
    side: int = 64
    least_weight: float = 0.05
    texture_effective: float = 300.0
    albedo_effective: float = 50.0
    texture_noise: float = 0.15
    albedo_noise: float = 0.06
    exposure_deviation: float = 0.4
    usual_light: float = 0.3
    gain_deviation: float = 0.05
    asymmetry: float = 0.15
    asymmetry_degrees: float = 5.0
    colour_side: int = 256
    darkest: float = 1e-3
    conditioning: ConditioningSettings = ConditioningSettings()


@dataclass(frozen=True)
class FillSettings:
    """What the photo does not show, continued.

    Args:
        mirrored: whether the other side is laid over the continuation; may be left out.
        spots_left_out: whether moles are not mirrored; may be left out.
        feather_mm: over which the mirrored side fades in; assumed.
        mesh_decay_m: metres on which the end of the seen colours what is behind it; assumed.
        border_decay_mm: on which the join at the border fades; assumed.
        firm: trust from and up to which what is beyond follows the seen; assumed.
        known_weight: of the seen in the membrane, against its smoothness; assumed.
        spot_surroundings_mm: blur of what takes the place of a mole; assumed.
        shading_decay_mm: on which what the light does not explain fades (the classical prior); assumed.
        spots: how moles are found.
    """

    mirrored: bool = True
    spots_left_out: bool = True
    feather_mm: float = 5.0
    mesh_decay_m: float = 0.035
    border_decay_mm: float = 12.0
    firm: tuple[float, float] = (0.15, 0.8)
    known_weight: float = 40.0
    spot_surroundings_mm: float = 2.5
    shading_decay_mm: float = 30.0
    spots: SpotSettings = SpotSettings()


@dataclass(frozen=True)
class JoiningSettings:
    """The expectation joined to what was seen.

    Args:
        fine_mm: what is finer than this is detail; assumed.
        mirrored_detail: share of mirrored detail that is kept, since pores of both sides differ; 1 leaves this out.
        well_seen: trust from which all of the photo's detail tells of the relief; assumed.
        brow_ends_mm: from hair or another border of the seen, up to and from which it matters that a brow does not run
            out over it; assumed.
        fill: how the difference is continued.
    """

    fine_mm: float = 1.2
    brow_ends_mm: tuple[float, float] = (10.0, 18.0)
    mirrored_detail: float = 0.4
    well_seen: float = 0.4
    fill: FillSettings = FillSettings()


@dataclass(frozen=True)
class RingSettings:
    """Faint rings of the expectation around the face: where the training's photos ended, and waves of the cosines.

    Args:
        removed: whether they are taken out; may be left out.
        within_mm: blur of what they are measured against; assumed.
        contrast: log contrast of rings, and of shapes such as the ears'; assumed.
    """

    removed: bool = True
    within_mm: float = 5.0
    contrast: tuple[float, float] = (0.03, 0.08)


@dataclass(frozen=True)
class NostrilSettings:
    """Nostrils.

    Args:
        darkened: whether hidden ones are made dark; may be left out.
        open_share: open sky of a texel, of the most open ones', within a nostril and outside of it; the mean head.
        rim_mm: blur of the border, in which edges of the mesh are not to show.
        darkness: log of red, green and blue against the skin's; mean of the skins of the training CG heads.
    """

    darkened: bool = True
    open_share: tuple[float, float] = (0.55, 0.78)
    rim_mm: float = 0.7
    darkness: tuple[float, float, float] = (-2.1, -2.5, -2.7)


@dataclass(frozen=True)
class PriorParameters:
    """All of the stage's chosen numbers.

    Args:
        estimate, rings, joining, nostrils: of its steps.
        local_light: see `backend.delight.local_light`.
        residual_shading: see `backend.delight.residual_shading`.
    """

    local_light: LocalLightSettings = LocalLightSettings()
    estimate: EstimateSettings = EstimateSettings()
    rings: RingSettings = RingSettings()
    joining: JoiningSettings = JoiningSettings()
    nostrils: NostrilSettings = NostrilSettings()
    residual_shading: ResidualShadingSettings = ResidualShadingSettings()
