"""Rasterisation by nvdiffrast on CUDA, where it is installed: optional, for its licence allows no commercial use.

Source: Laine et al., "Modular primitives for high-performance differentiable rendering", SIGGRAPH Asia 2020. Its
conventions, as the kernel has them (csrc/common/rasterize.cu, release 0.3.3 and later):

* row r of the output lies at clip-space y / w = (2 r + 1) / height - 1, column c at x / w = (2 c + 1) / width - 1;
* the first two outputs weigh the triangle's corners 0 and 1, perspective-correct; corner 2 has the rest;
* the third is z / w, of which the smallest within [-1, 1] is nearest; the fourth the triangle's number + 1, 0 for none;
* both sides of a triangle are drawn.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from backend.rendering.camera import Camera
from backend.rendering.rasteriser import EmbreeRasteriser, Fragments, Rasteriser
from shared.errors import RelightifyError

_log = logging.getLogger(__name__)

NEAREST_M = 0.01


def choose_rasteriser(device: str) -> Rasteriser:
    """nvdiffrast for ``cuda`` where it can be used, else Embree.

    Args:
        device: ``cpu`` or ``cuda``, as PyTorch calls them; ``cuda:1`` picks a GPU.
    """
    if device.startswith("cuda"):
        try:
            return NvdiffrastRasteriser(device)
        except RelightifyError as error:
            _log.info("Rasterising on the CPU: %s", error)
    return EmbreeRasteriser()


class NvdiffrastRasteriser:
    """`Rasteriser` on an NVIDIA GPU."""

    def __init__(self, device: str = "cuda") -> None:
        """Load nvdiffrast and make its context.

        Raises:
            RelightifyError: ``no_cuda`` or ``no_nvdiffrast``.
        """
        import torch

        if not torch.cuda.is_available():
            raise RelightifyError(
                "no_cuda",
                "PyTorch finds no usable NVIDIA GPU.",
                "The CPU rasteriser works everywhere: use --device cpu.",
            )
        try:
            import nvdiffrast.torch as nvdiffrast

            self._context: Any = nvdiffrast.RasterizeCudaContext(device=torch.device(device))
        except (ImportError, RuntimeError, OSError) as error:
            raise RelightifyError(
                "no_nvdiffrast",
                f"nvdiffrast cannot be used ({error}).",
                "It is optional: without it Embree rasterises on the CPU. See its own pages for how to install it.",
            ) from error
        self._rasterize: Any = nvdiffrast.rasterize
        self._device = torch.device(device)

    def rasterise(self, vertices: np.ndarray, triangles: np.ndarray, camera: Camera) -> Fragments:
        """See `Rasteriser.rasterise`."""
        import torch

        clip = torch.from_numpy(clip_coordinates(vertices, camera)).to(self._device)
        faces = torch.from_numpy(np.ascontiguousarray(triangles, np.int32)).to(self._device)
        with torch.no_grad():
            output, _ = self._rasterize(
                self._context, clip[None], faces, resolution=[camera.height, camera.width], grad_db=False
            )
        return fragments_from_output(output[0].cpu().numpy(), clip[:, 3].cpu().numpy(), triangles)


def clip_coordinates(vertices: np.ndarray, camera: Camera) -> np.ndarray:
    """Homogeneous clip coordinates float32 [V, 4] of vertices [V, 3] in head space.

    With row 0 at y / w = -1 and our y down, no image needs to be turned over. w is the depth in metres; z is such that
    the mesh's nearest and farthest depths (from `NEAREST_M` in front of the camera) come to lie within [-1, 1].
    """
    points = camera.to_camera(np.asarray(vertices, np.float64))
    depth = -points[:, 2]
    near = max(0.9 * float(depth.min()), NEAREST_M)
    far = max(1.1 * float(depth.max()), 2 * near)
    centre_x, centre_y = camera.centre_px
    x = 2 * (centre_x * depth + camera.focal_px * points[:, 0]) / camera.width - depth
    y = 2 * (centre_y * depth - camera.focal_px * points[:, 1]) / camera.height - depth
    z = ((far + near) * depth - 2 * far * near) / (far - near)
    return np.stack([x, y, z, depth], axis=-1).astype(np.float32)


def fragments_from_output(output: np.ndarray, vertex_depth: np.ndarray, triangles: np.ndarray) -> Fragments:
    """nvdiffrast's output [H, W, 4] as `Fragments`; depths [V] in metres, triangles [F, 3]."""
    triangle = np.round(output[..., 3]).astype(np.int32) - 1
    hit = triangle >= 0
    u, v = output[..., 0], output[..., 1]
    barycentric = np.stack([u, v, 1 - u - v], axis=-1) * hit[..., None]
    corners = vertex_depth[triangles[np.maximum(triangle, 0)]]
    depth = np.where(hit, np.einsum("hwk,hwk->hw", barycentric, corners), np.inf)
    return Fragments(triangle, barycentric.astype(np.float32), depth.astype(np.float32))
