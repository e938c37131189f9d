"""The linear head model, equation 8 of the paper: S(p_s, p_e) = m + U_s p_s + U_e p_e."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from backend.asset_files import ASSETS, verified
from backend.rendering.light_transfer import radiance_transfer

ASSET = ASSETS / "head_model.npz"


@dataclass(frozen=True)
class HeadModel:
    """A linear head with quads, skin UV, parts and landmarks. Arrays are read-only by convention.

    Args:
        mean: float32 [V, 3], metres, head space (DESIGN section 3).
        identity_basis: float32 [100, V, 3], metres for a coefficient of 1; p_s ~ N(0, I).
        expression_basis: float32 [52, V, 3], metres for a weight of 1; p_e in [0, 1].
        expression_names: the 52 ARKit names, such as ``jawOpen``, in the order of the basis.
        quads: int32 [F, 4], counter-clockwise from outside; -1 in the last column marks a triangle.
        uv: float32 [W, 2], (0, 0) bottom-left; skin in one island, the other parts in their own layouts.
        uv_quads: int32 [F, 4], indices into `uv`, corner by corner with `quads`.
        face_part: uint8 [F], index into `part_names`.
        part_names: ``skin``, ``mouth``, ``eye_left``, ``eye_right``, ``teeth``, ``tongue``, ``lashes``; `left` is the
            subject's left (+x).
        hm08_vertex_ids: int32 [V], the vertex numbers of the MakeHuman base mesh.
        mirror: int32 [V], the vertex on the other side.
        landmark_triangles: int32 [478, 3], vertex indices.
        landmark_barycentric: float32 [478, 3].
        metadata: how the model was built, with sources and licences.
    """

    mean: np.ndarray
    identity_basis: np.ndarray
    expression_basis: np.ndarray
    expression_names: tuple[str, ...]
    quads: np.ndarray
    uv: np.ndarray
    uv_quads: np.ndarray
    face_part: np.ndarray
    part_names: tuple[str, ...]
    hm08_vertex_ids: np.ndarray
    mirror: np.ndarray
    landmark_triangles: np.ndarray
    landmark_barycentric: np.ndarray
    metadata: dict

    def shape(self, identity: np.ndarray | None = None, expression: np.ndarray | None = None) -> np.ndarray:
        """Vertices float32 [V, 3] in metres for p_s [<=100] and p_e [52] (eq. 8); None stands for zero."""
        vertices = self.mean.astype(np.float32)
        if identity is not None:
            k = len(identity)
            vertices = vertices + np.tensordot(np.asarray(identity, np.float32), self.identity_basis[:k], 1)
        if expression is not None:
            vertices = vertices + np.tensordot(np.asarray(expression, np.float32), self.expression_basis, 1)
        return vertices

    def part_faces(self, *names: str) -> np.ndarray:
        """Indices [n] into `quads` of the faces that belong to the named parts."""
        wanted = [self.part_names.index(n) for n in names]
        return np.flatnonzero(np.isin(self.face_part, wanted))

    def triangles(self, *names: str) -> np.ndarray:
        """Triangles int32 [n, 3] of the named parts (all where none is named), each quad cut along corners 0-2."""
        return _triangulate(self.quads[self.part_faces(*names)] if names else self.quads)

    def uv_triangles(self, *names: str) -> np.ndarray:
        """Indices into `uv`, int32 [n, 3], aligned with `triangles(*names)`."""
        faces = self.part_faces(*names) if names else np.arange(len(self.quads))
        # The vertex quads decide which faces are triangles, so that both lists stay aligned.
        is_triangle = self.quads[faces, 3] < 0
        uv_quads = np.where(is_triangle[:, None] & (np.arange(4) == 3), -1, self.uv_quads[faces])
        return _triangulate(uv_quads)

    def solid_triangles(self) -> np.ndarray:
        """Triangles int32 [n, 3] of what stops light and sight: all parts but the lashes.

        Those are strips of polygons with a transparent texture; as occluders they would cut the lids out.
        """
        return self.triangles(*(name for name in self.part_names if name != "lashes"))

    def landmarks(self, vertices: np.ndarray) -> np.ndarray:
        """The 478 MediaPipe landmarks [478, 3] on a shape [V, 3]."""
        return np.einsum("lk,lkd->ld", self.landmark_barycentric, vertices[self.landmark_triangles])

    def radiance_transfer(self, vertices: np.ndarray, rays: int = 128) -> np.ndarray:
        """How order-2 light reaches the skin of a shape [V, 3] past the head itself, float32 [V, 9].

        Lashes let light through. See `backend.rendering.light_transfer.radiance_transfer`.
        """
        return radiance_transfer(vertices, self.triangles(), self.triangles("skin"), self.solid_triangles(), rays)

    @cached_property
    def part_of_vertex(self) -> np.ndarray:
        """uint8 [V], the part of each vertex; skin wins where parts share vertices."""
        part = np.full(len(self.mean), 255, np.uint8)
        for index in reversed(range(len(self.part_names))):
            part[np.unique(self.triangles(self.part_names[index]))] = index
        return part


def _triangulate(quads: np.ndarray) -> np.ndarray:
    """Quads int [F, 4] (last column -1: triangle) to triangles int32 [n, 3], in face order."""
    pairs = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    return pairs[(pairs >= 0).all(axis=1)].astype(np.int32)


def in_steps_mm(basis: np.ndarray, step: float = 1 / 1024) -> np.ndarray:
    """Displacements in metres as they are stored: float16 in millimetres.

    They are multiples of `step` millimetres: no fit can tell finer ones, and without them files pack a quarter smaller.
    """
    return (np.rint(basis * 1000 / step) * step).astype(np.float16)


def save_head_model(model: HeadModel, path: Path) -> None:
    """Write a head model as npz; the bases are as `in_steps_mm` gives them."""
    arrays = {
        "mean": model.mean.astype(np.float32),
        "identity_basis_mm": in_steps_mm(model.identity_basis),
        "expression_basis_mm": in_steps_mm(model.expression_basis),
        "expression_names": np.array(model.expression_names),
        "quads": model.quads.astype(np.int32),
        "uv": model.uv.astype(np.float32),
        "uv_quads": model.uv_quads.astype(np.int32),
        "face_part": model.face_part.astype(np.uint8),
        "part_names": np.array(model.part_names),
        "hm08_vertex_ids": model.hm08_vertex_ids.astype(np.int32),
        "mirror": model.mirror.astype(np.int32),
        "landmark_triangles": model.landmark_triangles.astype(np.int32),
        "landmark_barycentric": model.landmark_barycentric.astype(np.float32),
        "metadata": np.array(json.dumps(model.metadata)),
    }
    np.savez_compressed(path, allow_pickle=False, **arrays)


def load_head_model(path: Path = ASSET) -> HeadModel:
    """Read a head model from npz (no pickles).

    Raises:
        FileNotFoundError: there is no such file.
        RelightifyError: ``asset_missing``, ``asset_corrupt``, where it is to be the one that ships.
    """
    with np.load(verified(path), allow_pickle=False) as data:
        return HeadModel(
            mean=data["mean"],
            identity_basis=data["identity_basis_mm"].astype(np.float32) / 1000,
            expression_basis=data["expression_basis_mm"].astype(np.float32) / 1000,
            expression_names=tuple(data["expression_names"].tolist()),
            quads=data["quads"],
            uv=data["uv"],
            uv_quads=data["uv_quads"],
            face_part=data["face_part"],
            part_names=tuple(data["part_names"].tolist()),
            hm08_vertex_ids=data["hm08_vertex_ids"],
            mirror=data["mirror"],
            landmark_triangles=data["landmark_triangles"],
            landmark_barycentric=data["landmark_barycentric"],
            metadata=json.loads(str(data["metadata"])),
        )
