"""What every completion of the skin implements, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from backend.detail.options import DetailOptions
from backend.detail.stage import Place
from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.progress import Progress
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.sclera import WhiteCue
from backend.texture.uv_space import UVSpace


@dataclass(frozen=True)
class PriorContext:
    """What is known beside the partial texture.

    Args:
        model: the head model.
        fit: shape, camera and light of the photo.
        uv_space: texels of the skin, at the resolution of the partial texture and of the maps wanted.
        transfer: float32 [V, 9], self-shadowed light transfer of the fitted head, see `backend.texture.transfer`.
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
