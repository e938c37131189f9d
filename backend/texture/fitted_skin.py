"""The skin of a fitted head in texture space: what every stage after the fit looks things up on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.photo.view import View
from backend.texture.maps import PartialTexture
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.uv_space import UVSpace, coarser

# The size at which light is taken off and maps are completed (paper, eq. 6); detail is added beyond it.
WORKING_RESOLUTION = 512


@dataclass(frozen=True)
class FittedSkin:
    """A fitted head's skin on the texels of the maps.

    Args:
        model: the head model.
        fit: shape, cameras and light of the photos.
        uv_space: texels of the skin at the size of the maps wanted, R x R.
        transfer: float32 [V, 9], self-shadowed light transfer of the fitted head, see
            `backend.rendering.light_transfer`.
        working_resolution: texels a side at which light is taken off and maps are completed, where R is not less.
    """

    model: HeadModel
    fit: HeadFit
    uv_space: UVSpace
    transfer: np.ndarray
    working_resolution: int = WORKING_RESOLUTION

    @cached_property
    def working(self) -> UVSpace:
        """The texels at the working size, B x B."""
        return coarser(self.uv_space, min(self.working_resolution, self.uv_space.resolution))

    @cached_property
    def regions(self) -> FaceRegions:
        """Parts of the face at the working size."""
        return face_regions(self.model, self.working)

    @cached_property
    def neutral(self) -> np.ndarray:
        """The head without expression, float32 [V, 3], metres."""
        return self.fit.neutral_vertices(self.model)


@dataclass(frozen=True)
class ShownSkin:
    """What one photo shows of a skin.

    Args:
        view: the photo and the face in it.
        skin: the head as it has it: with its expression, camera and light.
        partial: what it shows, R x R.
    """

    view: View
    skin: FittedSkin
    partial: PartialTexture
