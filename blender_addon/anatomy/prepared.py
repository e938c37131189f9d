"""What of a head can be made ahead of Blender, on a thread of its own: all that is numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

from .._shared import HeadMesh
from .geometry import HeadGeometry, head_geometry
from .painted import PaintedParts, PartsLook, paint_parts


@dataclass(frozen=True)
class PreparedHead:
    """A head that Blender has only to take over.

    Args:
        geometry: in Blender's space, with all parts.
        painted: images of eyes, teeth and lashes.
    """

    geometry: HeadGeometry
    painted: PaintedParts


def prepare_head(head_mesh: HeadMesh) -> PreparedHead:
    """Do the numpy half of an import; may be called from any thread."""
    geometry = head_geometry(head_mesh)
    look = PartsLook(head_mesh.iris_colour_srgb, head_mesh.teeth_colour_srgb, float(head_mesh.pupil_share))
    return PreparedHead(geometry, paint_parts(look, geometry.eyes))
