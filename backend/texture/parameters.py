"""The chosen numbers of taking a photo into texture space."""

from __future__ import annotations

from dataclasses import dataclass

from backend.photo.parameters import NoiseSettings


@dataclass(frozen=True)
class EnlargingSettings:
    """A small photo enlarged.

    Args:
        enough_pixels: a texel from which on the face is large enough.
        largest: pixels of the enlarged photo at most.
        boldness: share by which the finest is exaggerated, since means of guesses are flat; 12 training portraits.
        bold_sigma: pixels of the small photo that part the finest from the rest; 12 training portraits.
        windows_at_once: for memory.
    """

    enough_pixels: float = 0.75
    largest: int = 4096**2
    boldness: float = 0.15
    bold_sigma: float = 0.6
    windows_at_once: int = 100_000


@dataclass(frozen=True)
class UnwrapParameters:
    """All of the stage's chosen numbers.

    Args:
        visibility_side: texels a side at which visibility is found at most: it varies slowly.
        edge_side_px: pixels of the mesh's rendering for its depth edges at most.
        facing: cosines to the camera from which on a texel is seen, and fully; assumed.
        silhouette_erosion: interocular distances kept from the silhouette, as the fit is a few pixels off; assumed.
        fold_erosion: the same from where skin hides skin; assumed.
        part_erosion: the same from eyes, teeth and mouth; assumed.
        depth_edge_m: jump in metres that is an edge; assumed.
        rows_per_band: for memory.
        large_side: texels a side from which on photos are unwrapped and delit one after the other, for their memory.
        enlarging: of small photos.
        noise: of cameras and files.
    """

    visibility_side: int = 1024
    edge_side_px: int = 900
    facing: tuple[float, float] = (0.2, 0.45)
    silhouette_erosion: float = 0.02
    fold_erosion: float = 0.004
    part_erosion: float = 0.006
    depth_edge_m: float = 0.003
    rows_per_band: int = 256
    large_side: int = 4096
    enlarging: EnlargingSettings = EnlargingSettings()
    noise: NoiseSettings = NoiseSettings()
