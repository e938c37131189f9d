"""The reconstructed head as both sides exchange it (`mesh.npz` on disk, frames on the wire)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class HeadMesh:
    """A person's neutral head, its expression shapes, the photo's camera and the photo's light.

    Head space is metres, +y up, +z out of the face, +x the subject's left (DESIGN section 3).

    Args:
        vertices: float32 [V, 3], neutral expression, identity of the photo.
        quads: int32 [F, 4], counter-clockwise from outside; -1 in the last column marks a triangle.
        uv: float32 [W, 2], (0, 0) bottom-left.
        uv_quads: int32 [F, 4], indices into `uv`, corner by corner with `quads`.
        face_part: uint8 [F], index into `part_names`.
        part_names: str [P], see `backend.head.model.HeadModel`.
        expression_names: str [52], ARKit names.
        expression_offsets: float32 [52, V, 3], metres for a weight of 1.
        expression_weights: float32 [52], the photo's expression.
        hm08_vertex_ids: int32 [V], vertex numbers of the MakeHuman base mesh.
        iris_colour_srgb: float32 [2, 3], left and right iris, sRGB-encoded.
        iris_radius_m: float32 [], radius of the visible iris, metres.
        pupil_share: float32 [], the pupil's radius over the iris's.
        teeth_colour_srgb: float32 [3], shade of the upper front teeth, sRGB-encoded.
        camera_rotation: float64 [3, 3], head space to camera space (camera looks down -z, +y up).
        camera_translation: float64 [3], metres; x_camera = rotation @ x_head + translation.
        camera_focal_px: float64 [], focal length in pixels.
        camera_centre_px: float64 [2], principal point (x, y) in pixels, y down.
        image_size: int32 [2], width and height of the photo in pixels.
        environment: float32 [H, 2H, 3], linear radiance of the estimated light as an equirectangular image in the
            layout of Blender's worlds, after the head was turned from head space (x, y, z) to Blender's (x, -z, y);
            row 0 is the top.
    """

    vertices: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    uv_quads: np.ndarray
    face_part: np.ndarray
    part_names: np.ndarray
    expression_names: np.ndarray
    expression_offsets: np.ndarray
    expression_weights: np.ndarray
    hm08_vertex_ids: np.ndarray
    iris_colour_srgb: np.ndarray
    iris_radius_m: np.ndarray
    pupil_share: np.ndarray
    teeth_colour_srgb: np.ndarray
    camera_rotation: np.ndarray
    camera_translation: np.ndarray
    camera_focal_px: np.ndarray
    camera_centre_px: np.ndarray
    image_size: np.ndarray
    environment: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def save(self, path: Path) -> None:
        """Write as npz without pickles."""
        np.savez_compressed(path, allow_pickle=False, **self.arrays())

    @staticmethod
    def load(path: Path) -> HeadMesh:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: there is no such file.
            KeyError: an array is missing.
        """
        with np.load(path, allow_pickle=False) as data:
            return HeadMesh(**{f.name: data[f.name] for f in fields(HeadMesh)})
