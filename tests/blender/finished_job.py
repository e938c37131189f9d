"""A finished job made of numpy alone: the model's mean head, plain maps, a known camera and a soft light."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blender_addon.anatomy.paint import srgb_from_linear
from blender_addon.anatomy.png import encode_png
from shared.head_mesh import HeadMesh
from shared.refit_messages import Refit, Refitted

ROOT = Path(__file__).resolve().parents[2]
ASSET = ROOT / "backend" / "assets" / "head_model.npz"
IMAGE_SIZE = (480, 600)


def head_mesh(turn_degrees: float = 12.0) -> HeadMesh:
    """The mean head with a smile, seen by a camera 0.6 m away, turned and off centre."""
    with np.load(ASSET, allow_pickle=False) as data:
        model = {k: data[k] for k in data.files}
    angle = np.radians(turn_degrees)
    tilt = np.radians(5.0)
    around_y = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    around_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    names = [str(n) for n in model["expression_names"]]
    weights = np.zeros(len(names), np.float32)
    weights[[names.index("mouthSmileLeft"), names.index("mouthSmileRight")]] = 0.35
    return HeadMesh(
        vertices=model["mean"],
        quads=model["quads"],
        uv=model["uv"],
        uv_quads=model["uv_quads"],
        face_part=model["face_part"],
        part_names=model["part_names"],
        expression_names=model["expression_names"],
        expression_offsets=model["expression_basis_mm"].astype(np.float32) / 1000,
        expression_weights=weights,
        hm08_vertex_ids=model["hm08_vertex_ids"],
        iris_colour_srgb=np.array([[0.36, 0.26, 0.17], [0.36, 0.26, 0.17]], np.float32),
        iris_radius_m=np.array(0.00585, np.float32),
        pupil_share=np.array(0.36, np.float32),
        teeth_colour_srgb=np.array([0.83, 0.78, 0.66], np.float32),
        camera_rotation=around_x @ around_y,
        camera_translation=np.array([0.01, 0.015, -0.62]),
        camera_focal_px=np.array(950.0),
        camera_centre_px=np.array([251.0, 288.5]),
        image_size=np.array(IMAGE_SIZE, np.int32),
        environment=environment(),
    )


def info(used: Sequence[int] = (1,)) -> dict[str, Any]:
    """What the result says of its fit: that of `head_mesh`, with nobody's coefficients.

    Args:
        used: numbers of the photos that were; each sees the head from 30 degrees further to the left.
    """
    photos = [
        {
            "number": number,
            "camera": camera(head_mesh(12.0 - 30.0 * index)),
            "expression": expression(head_mesh()) if index == 0 else {"jawOpen": 0.1 * number},
        }
        for index, number in enumerate(used)
    ]
    said = {"identity": [0.0] * 4, "corrections": [], "uncorrected": None, "photos": photos}
    return {**said, "expression": photos[0]["expression"], "camera": photos[0]["camera"]}


def camera(mesh: HeadMesh) -> dict[str, Any]:
    """The camera of a mesh as `reconstruction.json` has it."""
    return {
        "rotation": mesh.camera_rotation.tolist(),
        "translation_m": mesh.camera_translation.tolist(),
        "focal_px": float(mesh.camera_focal_px),
        "centre_px": mesh.camera_centre_px.tolist(),
        "width_px": int(mesh.image_size[0]),
        "height_px": int(mesh.image_size[1]),
    }


def expression(mesh: HeadMesh) -> dict[str, float]:
    """The expression of a mesh as `reconstruction.json` has it."""
    return dict(zip(mesh.expression_names.tolist(), mesh.expression_weights.tolist(), strict=True))


def further_lights(used: Sequence[int]) -> dict[str, np.ndarray]:
    """A light for each photo that was used after the first, brighter the higher its number."""
    return {str(number): environment() * np.float32(number) for number in used[1:]}


def refitted(request: Refit) -> Refitted:
    """The mean head, 4 mm lower for each correction, with a camera that has come nearer by as much."""
    mesh = head_mesh()
    lower = np.float32(0.004 * len(request.corrections.points))
    with np.load(ASSET, allow_pickle=False) as data:
        triangles, weights = data["landmark_triangles"], data["landmark_barycentric"]
    landmarks = [152, 1, 33]
    return Refitted(
        job_id=request.job_id,
        vertices=mesh.vertices - lower * np.array([0, 1, 0], np.float32),
        hm08_vertex_ids=mesh.hm08_vertex_ids,
        expression=mesh.expression_weights,
        camera_rotation=mesh.camera_rotation,
        camera_translation=mesh.camera_translation + np.array([0, 0, float(lower)]),
        handle_names=np.array(["chin", "nose tip", "eye outer corner right"]),
        handle_vertices=triangles[landmarks].astype(np.int32),
        handle_weights=weights[landmarks].astype(np.float32),
        handle_seen=np.array([1, 1, 0], np.uint8),
    )


def environment(height: int = 32) -> np.ndarray:
    """A soft light from the front, the upper left, over a dim room; linear [height, 2 height, 3], Blender's layout."""
    elevation = (0.5 - (np.arange(height) + 0.5) / height) * np.pi
    # In the middle of a row one looks along +x, at three quarters along -y, that is, where the face looks to.
    azimuth = ((np.arange(2 * height) + 0.5) / (2 * height) - 0.75) * 2 * np.pi
    key = np.exp(-(((azimuth[None] + 0.7) / 0.5) ** 2) - ((elevation[:, None] - 0.6) / 0.5) ** 2)
    return (0.25 + 9.0 * key[..., None] * np.array([1.0, 0.95, 0.88])).astype(np.float32)


def maps(size: int = 256, seed: int = 0) -> dict[str, bytes]:
    """PNG bytes of a blotchy light skin, constant gloss and finely bumped normals."""
    rng = np.random.default_rng(seed)
    fine = rng.normal(size=(size, size))
    broad = np.kron(rng.normal(size=(size // 16, size // 16)), np.ones((16, 16)))
    tone = np.array([0.52, 0.29, 0.20]) * (1 + 0.04 * fine + 0.03 * broad)[..., None]
    slope_y, slope_x = np.gradient(fine * 0.10)
    normal = np.stack([-slope_x, slope_y, np.ones_like(fine)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return {
        "texture": encode_png(srgb_from_linear(tone)),
        "diffuse_albedo": encode_png(srgb_from_linear(tone)),
        "specular_albedo": encode_png(np.full((size, size, 1), 0.35), bits=16),
        "normal": encode_png(0.5 + 0.5 * normal, bits=16),
        "visibility": encode_png(np.ones((size, size, 1))),
    }


def photo(size: tuple[int, int] = IMAGE_SIZE) -> bytes:
    """PNG bytes of a plain photo."""
    width, height = size
    ramp = np.linspace(0.2, 0.7, height)[:, None, None] * np.ones((height, width, 3))
    return encode_png(ramp)


def write_photos(folder: Path, names: Sequence[str]) -> list[str]:
    """Files of photos by those names, which differ."""
    paths = [folder / f"{name}.png" for name in names]
    for number, path in enumerate(paths):
        # What follows the end of a PNG is not read.
        path.write_bytes(photo() + bytes([number]))
    return [str(path) for path in paths]
