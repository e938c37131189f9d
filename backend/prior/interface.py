"""What every completion of the skin implements, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from backend.detail.options import DetailOptions
from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.photo.white_cue import WhiteCue
from backend.progress import Progress
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.uv_space import UVSpace, filled, nearest_inside


@dataclass(frozen=True)
class PriorContext:
    """What is known beside the partial texture.

    Args:
        model: the head model.
        fit: shape, camera and light of the photo.
        uv_space: texels of the skin, at the resolution of the partial texture and of the maps wanted.
        transfer: float32 [V, 9], self-shadowed light transfer of the fitted head, see
            `backend.rendering.light_transfer`.
        white: how bright the light is by the white of the eyes, None where they do not tell.
        detail: what was asked of the detail.
        tone_stops: by how many stops the skin is to be lighter than estimated.
    """

    model: HeadModel
    fit: HeadFit
    uv_space: UVSpace
    transfer: np.ndarray
    white: WhiteCue | None = None
    detail: DetailOptions = field(default_factory=DetailOptions)
    tone_stops: float = 0.0

    @property
    def place(self) -> Place:
        """Where the maps lie, for the detail stage."""
        return Place(self.model, self.fit, self.uv_space)


class Prior(Protocol):
    """Completes a partial texture to all maps of the skin."""

    def complete(self, partial: PartialTexture, context: PriorContext, seed: int, progress: Progress) -> SkinMaps:
        """All maps at the resolution of `partial`, dilated beyond the island, without holes.

        Args:
            partial: what the photo shows.
            context: the fit and the texture space.
            seed: seed of everything random; same seed, device and versions give the same maps.
            progress: told about progress in [0, 1]; raises when the user cancels.

        Raises:
            RelightifyError: ``too_little_skin`` where next to nothing of the face was seen.
            JobCancelled: the user asked to stop.
        """
        ...


@dataclass(frozen=True)
class WorkingMaps:
    """Maps at a prior's working size B x B, and what the photo showed of them.

    Args:
        log_texture: float32 [B, B, 3], natural logarithm of the linear, still shaded colour, complete.
        log_albedo: float32 [B, B, 3], natural logarithm of the linear diffuse albedo, complete.
        specular_albedo: float32 [B, B], linear, F0 / 0.08, without the loss in cavities, which is read from the relief.
        log_seen: float32 [B, B, 3], the partial texture before any change, logarithm of linear colour; counts where
            `weight` > 0.
        log_relief: float32 [B, B, 3], the log albedo of which relief is read: with what was taken out of `log_albedo`
            as light that was left in it, since the shade in creases tells where they are.
        weight: float32 [B, B] in [0, 1], trust: 1 = seen and skin.
        shine: float32 [B, B] in [0, 1], share of the seen light that was specular.
    """

    log_texture: np.ndarray
    log_albedo: np.ndarray
    specular_albedo: np.ndarray
    log_seen: np.ndarray
    log_relief: np.ndarray
    weight: np.ndarray
    shine: np.ndarray

    @property
    def side(self) -> int:
        return self.weight.shape[0]

    def dilated(self, island: np.ndarray) -> WorkingMaps:
        """Maps continued over everything outside the island, bool [B, B], so that enlarging finds no border."""
        names = ("log_texture", "log_albedo", "log_relief", "specular_albedo")
        margin = nearest_inside(island, self.side)
        return replace(self, **{name: filled(getattr(self, name), *margin) for name in names})


@dataclass(frozen=True)
class Place:
    """Where the maps lie.

    Args:
        model: the head model.
        fit: shape and camera of the photo; the camera tells how large the photo shows the skin.
        uv_space: texels of the skin at the size wanted, R x R, R a multiple of the working size.
    """

    model: HeadModel
    fit: HeadFit
    uv_space: UVSpace
