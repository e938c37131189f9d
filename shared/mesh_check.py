"""Checks that a `HeadMesh` is what its docstring says, before anything trusts its shapes and indices."""

from __future__ import annotations

import numpy as np

from .errors import RelightifyError
from .head_mesh import HeadMesh

# dtype and shape of each array; equal letters are equal lengths. "text" is an array of strings.
MESH_LAYOUT: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "vertices": ("float32", ("V", 3)),
    "quads": ("int32", ("F", 4)),
    "uv": ("float32", ("W", 2)),
    "uv_quads": ("int32", ("F", 4)),
    "face_part": ("uint8", ("F",)),
    "part_names": ("text", ("P",)),
    "expression_names": ("text", ("E",)),
    "expression_offsets": ("float32", ("E", "V", 3)),
    "expression_weights": ("float32", ("E",)),
    "hm08_vertex_ids": ("int32", ("V",)),
    "iris_colour_srgb": ("float32", (2, 3)),
    "iris_radius_m": ("float32", ()),
    "pupil_share": ("float32", ()),
    "teeth_colour_srgb": ("float32", (3,)),
    "camera_rotation": ("float64", (3, 3)),
    "camera_translation": ("float64", (3,)),
    "camera_focal_px": ("float64", ()),
    "camera_centre_px": ("float64", (2,)),
    "image_size": ("int32", (2,)),
    "environment": ("float32", ("H", "2H", 3)),
}


def _wrong(message: str) -> RelightifyError:
    return RelightifyError("bad_mesh", message, "This is a fault in the backend; please report it.")


def check_mesh(mesh: HeadMesh) -> None:
    """Check dtypes, shapes, index ranges and finiteness of all arrays.

    Raises:
        RelightifyError: `bad_mesh`, the first thing that is not as `HeadMesh` says.
    """
    sizes: dict[str, int] = {}
    for name, (dtype, shape) in MESH_LAYOUT.items():
        array = getattr(mesh, name)
        if not isinstance(array, np.ndarray):
            raise _wrong(f"{name} of the head mesh is a {type(array).__name__}, not an array.")
        if (array.dtype.kind != "U") if dtype == "text" else (array.dtype != np.dtype(dtype)):
            raise _wrong(f"{name} of the head mesh is {array.dtype}, not {dtype}.")
        expected = tuple(
            length if isinstance(length, int) else sizes.setdefault(length, array.shape[axis])
            for axis, length in enumerate(shape[: array.ndim])
        )
        if array.ndim != len(shape) or array.shape != expected:
            raise _wrong(f"{name} of the head mesh has the shape {array.shape}, not {shape}.")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _wrong(f"{name} of the head mesh has values that are not finite.")
    if sizes["2H"] != 2 * sizes["H"]:
        raise _wrong("environment of the head mesh is not twice as wide as it is high.")
    _check_indices("quads", mesh.quads, sizes["V"])
    _check_indices("uv_quads", mesh.uv_quads, sizes["W"])
    if mesh.face_part.size and int(mesh.face_part.max()) >= sizes["P"]:
        raise _wrong("face_part of the head mesh names a part that is not in part_names.")


def check_environment(light: object) -> None:
    """Check that an image is one of a light, as `HeadMesh.environment` is.

    Raises:
        RelightifyError: `bad_mesh`.
    """
    if not isinstance(light, np.ndarray) or light.dtype != np.float32 or light.ndim != 3:
        raise _wrong("A photo's light is no float32 image.")
    height, width, channels = light.shape
    if not height or width != 2 * height or channels != 3 or not np.isfinite(light).all():
        raise _wrong("A photo's light is no image of finite colours that is twice as wide as it is high.")


def _check_indices(name: str, quads: np.ndarray, limit: int) -> None:
    """Corners must be in [0, limit); the fourth may be -1, which marks a triangle."""
    if not quads.size:
        return
    if int(quads.max()) >= limit or int(quads[:, :3].min()) < 0 or int(quads[:, 3].min()) < -1:
        raise _wrong(f"{name} of the head mesh points outside its {limit} points.")
