"""The skin of a fitted head in texture space: what every stage after the fit looks things up on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.imaging.arrays import on_device, on_host
from backend.photo.view import View
from backend.texture.maps import PartialTexture
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.uv_space import UVSpace, coarser

# The size at which light is taken off and maps are completed (paper, eq. 6); detail is added beyond it.
WORKING_RESOLUTION = 512
# What of texels and regions are images.
_OF_TEXELS = "triangle", "barycentric"
_OF_REGIONS = "lips", "nose", "forehead", "brows", "eyes", "beard", "face"


@dataclass(frozen=True)
class SkinTexels:
    """Texels of a size of maps, and what is the same of them for every head.

    Args:
        model: the head model.
        uv_space: texels of the skin at the size of the maps wanted, R x R.
        working_resolution: texels a side at which light is taken off and maps are completed, where R is not less.
        known_regions: the parts of the face where they are known; None has them drawn when they are asked for.
    """

    model: HeadModel
    uv_space: UVSpace
    working_resolution: int = WORKING_RESOLUTION
    known_regions: FaceRegions | None = None
    _elsewhere: dict[str, SkinTexels] = field(default_factory=dict, init=False, repr=False, compare=False)

    def on_device(self, device: str) -> SkinTexels:
        """The same texels with their images on a device, where they are kept; the mesh stays on the host."""
        if device not in self._elsewhere:
            uv_space, regions = on_device(self.uv_space, device, *_OF_TEXELS), self.regions
            there = replace(self, uv_space=uv_space, known_regions=on_device(regions, device, *_OF_REGIONS))
            self._elsewhere[device] = there
        return self._elsewhere[device]

    def on_host(self) -> SkinTexels:
        """The same texels with their images as NumPy's."""
        uv_space = on_host(self.uv_space, *_OF_TEXELS)
        return replace(self, uv_space=uv_space, known_regions=on_host(self.regions, *_OF_REGIONS))

    @cached_property
    def working(self) -> UVSpace:
        """The texels at the working size, B x B."""
        return coarser(self.uv_space, min(self.working_resolution, self.uv_space.resolution))

    @cached_property
    def regions(self) -> FaceRegions:
        """Parts of the face at the working size."""
        return self.known_regions or face_regions(self.model, self.working)

    def of(self, fit: HeadFit, transfer: np.ndarray) -> FittedSkin:
        """The skin of a fitted head on these texels; see there."""
        return FittedSkin(self.model, fit, self.uv_space, transfer, self.working_resolution, self)


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
        kept: of these texels, where it is kept from head to head.
    """

    model: HeadModel
    fit: HeadFit
    uv_space: UVSpace
    transfer: np.ndarray
    working_resolution: int = WORKING_RESOLUTION
    kept: SkinTexels | None = None

    @cached_property
    def texels(self) -> SkinTexels:
        """What is the same for every head."""
        return self.kept or SkinTexels(self.model, self.uv_space, self.working_resolution)

    def on_device(self, device: str) -> FittedSkin:
        """The same skin with the images of its texels on a device; meshes, fit and light stay on the host."""
        texels = self.texels.on_device(device)
        return replace(self, uv_space=texels.uv_space, kept=texels)

    def on_host(self) -> FittedSkin:
        """The same skin with the images of its texels as NumPy's."""
        texels = self.texels.on_host()
        return replace(self, uv_space=texels.uv_space, kept=texels)

    @property
    def working(self) -> UVSpace:
        """The texels at the working size, B x B."""
        return self.texels.working

    @property
    def regions(self) -> FaceRegions:
        """Parts of the face at the working size."""
        return self.texels.regions

    def at_working_size(self) -> FittedSkin:
        """The same skin on the texels of the working size alone."""
        texels = SkinTexels(self.model, self.working, self.working_resolution, self.regions)
        return replace(self, uv_space=self.working, kept=texels)

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
