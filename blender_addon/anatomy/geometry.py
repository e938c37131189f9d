"""From a `HeadMesh` to the arrays that Blender builds: axes, finer eyeballs, texture coordinates of the small parts.

Pure numpy: this module knows nothing of Blender and is tested outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._shared import HeadMesh
from .correctives import with_correctives
from .eyelids.lash_layout import lash_uv
from .eyelids.lids import Ball, along_with, ball_under_lids, before_eyeballs
from .eyelids.waterlines import lid_edge, rim_of_lids
from .mouth.lips import before_teeth
from .mouth.mouth_floor import closed_over_floor, on_floor
from .mouth.teeth import Row, row_of_crowns
from .mouth.tongue_way import out_of_the_way
from .strips import connected_parts, grid_of_quads

# Rows are the Blender axes in head space: (x, y, z) -> (x, -z, y) (DESIGN section 3).
BLENDER_FROM_HEAD = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])

EYE_UV_MAX_ANGLE = np.radians(100.0)
# Up to here the eye's texture is drawn to scale; what lies behind, all of it white, is squeezed into what is left.
EYE_UV_TRUE_ANGLE = np.radians(90.0)
EYE_SUBDIVISIONS = 1


@dataclass(frozen=True)
class Eyeball:
    """A sphere fitted to an eye part, in Blender space.

    Args:
        centre: float64 [3], metres.
        radius: metres.
        iris_angle: half the angle that the iris spans seen from the centre, radians.
    """

    centre: np.ndarray
    radius: float
    iris_angle: float


@dataclass(frozen=True)
class HeadGeometry:
    """Everything that `mesh.build_head` needs, in Blender space (metres, z up, face along -y).

    Args:
        vertices: float32 [V, 3], neutral expression.
        quads: int32 [F, 4], counter-clockwise from outside; -1 in the last column marks a triangle.
        corner_uv: float32 [F, 4, 2], (0, 0) bottom-left; the last corner of a triangle is unused.
        face_part: uint8 [F], index into `part_names`.
        part_names: names of the parts.
        shape_offsets: float32 [K, V, 3], metres for a weight of 1.
        shape_names: K names.
        shape_weights: float32 [K].
        hm08_vertex_ids: int32 [V], -1 for vertices that were added here.
        eyes: fitted eyeballs by part name.
    """

    vertices: np.ndarray
    quads: np.ndarray
    corner_uv: np.ndarray
    face_part: np.ndarray
    part_names: tuple[str, ...]
    shape_offsets: np.ndarray
    shape_names: tuple[str, ...]
    shape_weights: np.ndarray
    hm08_vertex_ids: np.ndarray
    eyes: dict[str, Eyeball]


def to_blender(points: np.ndarray) -> np.ndarray:
    """Points or directions [..., 3] of head space in Blender space."""
    points = np.asarray(points)
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)


def head_geometry(mesh: HeadMesh) -> HeadGeometry:
    """Convert axes, complete shapes, refine eyeballs and teeth, lay out texture coordinates of all but the skin.

    The skin keeps its vertices, quads and texture coordinates untouched; refined parts append their new vertices at
    the end, so that vertex numbers of the head model stay valid.
    """
    mesh = with_correctives(mesh)
    geometry = HeadGeometry(
        vertices=to_blender(mesh.vertices).astype(np.float32),
        quads=np.asarray(mesh.quads, np.int32),
        corner_uv=np.asarray(mesh.uv, np.float32)[np.maximum(mesh.uv_quads, 0)],
        face_part=np.asarray(mesh.face_part, np.uint8),
        part_names=tuple(str(n) for n in mesh.part_names),
        shape_offsets=to_blender(mesh.expression_offsets).astype(np.float32),
        shape_names=tuple(str(n) for n in mesh.expression_names),
        shape_weights=np.asarray(mesh.expression_weights, np.float32),
        hm08_vertex_ids=np.asarray(mesh.hm08_vertex_ids, np.int32),
        eyes={},
    )
    iris = float(mesh.iris_radius_m)
    eyes = {n: fit_eyeball(geometry, n, iris) for n in ("eye_left", "eye_right") if n in geometry.part_names}
    geometry, eyes = _eyes_behind_lids(geometry, eyes)
    for name, eye in eyes.items():
        for _ in range(EYE_SUBDIVISIONS):
            geometry = _subdivide_eye(geometry, name, eye.centre)
        if "mouth" in geometry.part_names:
            geometry = _add_rim(geometry, eye)
    middle = np.mean([points[..., 2].mean() for *_, points in _rows_of_teeth(geometry)] or [0.0])
    crowns = []
    for _, grid, points in _rows_of_teeth(geometry):
        row = row_of_crowns(points, upper=bool(points[..., 2].mean() > middle))
        if not row.upper:
            row = on_floor(row, geometry.vertices, geometry.quads[part_faces(geometry, "mouth")])
            geometry = _closed_over_floor(geometry, row)
        geometry, numbers = _crown_teeth(geometry, grid, row)
        crowns.append((row, numbers))
    flesh = np.concatenate([part_faces(geometry, "skin"), part_faces(geometry, "mouth")])
    offsets = before_teeth(geometry.vertices, geometry.shape_offsets, geometry.quads[flesh], crowns)
    geometry = _tongue_over_lip(replace(geometry, shape_offsets=offsets), flesh)
    corner_uv = geometry.corner_uv.copy()
    for name, eye in eyes.items():
        faces = part_faces(geometry, name)
        corner_uv[faces] = eye_uv(geometry.vertices[geometry.quads[faces]], eye.centre)
    lashes, eye_centres = part_faces(geometry, "lashes"), np.array([eye.centre for eye in eyes.values()])
    if len(lashes) and len(eye_centres):
        corner_uv[lashes] = lash_uv(geometry.vertices, geometry.quads[lashes], corner_uv[lashes], eye_centres)
    return HeadGeometry(**{**geometry.__dict__, "corner_uv": corner_uv, "eyes": eyes})


def part_faces(geometry: HeadGeometry, name: str) -> np.ndarray:
    """Indices of the faces of a part; empty where the head has no such part."""
    if name not in geometry.part_names:
        return np.zeros(0, np.int64)
    return np.flatnonzero(geometry.face_part == geometry.part_names.index(name))


def fit_eyeball(geometry: HeadGeometry, name: str, iris_radius: float) -> Eyeball:
    """Least-squares sphere through the vertices of an eye part, with an iris of a radius in metres."""
    points = geometry.vertices[np.unique(geometry.quads[part_faces(geometry, name)])].astype(np.float64)
    solution = np.linalg.lstsq(np.c_[2 * points, np.ones(len(points))], (points**2).sum(1), rcond=None)[0]
    centre = solution[:3]
    radius = float(np.sqrt(solution[3] + centre @ centre))
    return Eyeball(centre, radius, float(np.arcsin(min(iris_radius / radius, 0.9))))


def eye_uv(points: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Azimuthal equidistant texture coordinates [..., 2] around the gaze (-y): the pupil lies at (0.5, 0.5).

    All of the eyeball lies in the unit square; its back is squeezed.
    """
    direction = points - centre
    direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    angle = np.arccos(np.clip(-direction[..., 1], -1, 1))
    across = direction[..., [0, 2]]
    across = across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-9)
    behind = np.maximum(angle - EYE_UV_TRUE_ANGLE, 0) / (np.pi - EYE_UV_TRUE_ANGLE)
    drawn = np.minimum(angle, EYE_UV_TRUE_ANGLE) + behind * (EYE_UV_MAX_ANGLE - EYE_UV_TRUE_ANGLE)
    return (0.5 + 0.5 * (drawn / EYE_UV_MAX_ANGLE)[..., None] * across).astype(np.float32)


def _subdivide_eye(geometry: HeadGeometry, name: str, centre: np.ndarray) -> HeadGeometry:
    """Cut each quad of an eyeball into four and round it: 70 quads are too few to be round between lids."""
    faces = part_faces(geometry, name)
    quads = geometry.quads[faces]
    if (quads < 0).any():
        return geometry
    count = len(geometry.vertices)
    edges, edge_of_corner = np.unique(
        np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1), axis=-1).reshape(-1, 2),
        axis=0,
        return_inverse=True,
    )
    middle = count + edge_of_corner.reshape(quads.shape)
    inner = count + len(edges) + np.arange(len(quads))

    old = geometry.vertices.astype(np.float64)
    new = np.concatenate([_round(old[edges], centre), _round(old[quads], centre)])
    # Looking around turns the eyeball, so its offsets are affine in the position: exact for the new vertices too.
    ring = np.unique(quads)
    design = np.c_[old[ring], np.ones(len(ring))]
    affine = np.linalg.lstsq(
        design, geometry.shape_offsets[:, ring].transpose(1, 0, 2).reshape(len(ring), -1), rcond=None
    )[0]
    offsets = (np.c_[new, np.ones(len(new))] @ affine).reshape(len(new), -1, 3).transpose(1, 0, 2)

    small = np.stack([np.stack([quads[:, i], middle[:, i], inner, middle[:, i - 1]], axis=1) for i in range(4)], axis=1)
    keep = np.ones(len(geometry.quads), bool)
    keep[faces] = False
    added = 4 * len(faces)
    return HeadGeometry(
        vertices=np.concatenate([geometry.vertices, new]).astype(np.float32),
        quads=np.concatenate([geometry.quads[keep], small.reshape(-1, 4)]).astype(np.int32),
        corner_uv=np.concatenate([geometry.corner_uv[keep], np.zeros((added, 4, 2), np.float32)]),
        face_part=np.concatenate([geometry.face_part[keep], np.full(added, geometry.part_names.index(name), np.uint8)]),
        part_names=geometry.part_names,
        shape_offsets=np.concatenate([geometry.shape_offsets, offsets], axis=1).astype(np.float32),
        shape_names=geometry.shape_names,
        shape_weights=geometry.shape_weights,
        hm08_vertex_ids=np.concatenate([geometry.hm08_vertex_ids, np.full(len(new), -1, np.int32)]),
        eyes=geometry.eyes,
    )


def _round(corners: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Mean of corners [n, k, 3], pushed out to their mean distance from the centre."""
    relative = corners - centre
    mean = relative.mean(axis=1)
    radius = np.linalg.norm(relative, axis=-1).mean(axis=1)
    return centre + mean * (radius / np.linalg.norm(mean, axis=-1))[:, None]


def biting_edges(geometry: HeadGeometry) -> np.ndarray:
    """Edges int32 [n, 2] of vertices along the biting edges of both rows of teeth; none where the head has no teeth.

    Subdivision would round them off.
    """
    edges = [np.zeros((0, 2), np.int64)]
    for _, grid, points in _rows_of_teeth(geometry):
        # The fold lies at the other end from the gum: lowest in the upper row, highest in the lower one.
        height = points[..., 2].mean(axis=1)
        folded = grid[np.argmax(np.abs(height - height[0]))]
        edges.append(np.stack([folded[:-1], folded[1:]], axis=1))
    return np.concatenate(edges).astype(np.int32)


def _rows_of_teeth(geometry: HeadGeometry) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Faces, grid of vertices [R, C] and its points [R, C, 3] of each row; R from the front's gum to the back."""
    faces = part_faces(geometry, "teeth")
    rows = []
    for part in connected_parts(geometry.quads[faces]) if len(faces) else ():
        grid = grid_of_quads(geometry.quads[faces[part]])
        if grid is None:
            continue
        if grid.shape[0] > grid.shape[1]:
            grid = grid.T
        points = geometry.vertices[grid].astype(np.float64)
        # The front of the arch lies further out than its back (-y at the incisors).
        centre_column = points[:, points.shape[1] // 2]
        if centre_column[0, 1] > centre_column[-1, 1]:
            grid, points = grid[::-1], points[::-1]
        rows.append((faces[part], grid, points))
    return rows


def _eyes_behind_lids(geometry: HeadGeometry, eyes: dict[str, Eyeball]) -> tuple[HeadGeometry, dict[str, Eyeball]]:
    """Eyeballs that fit under their lids at rest, and lids and lashes that no shape drives into them."""
    if not eyes:
        return geometry, eyes
    skin = geometry.quads[part_faces(geometry, "skin")]
    vertices, offsets = geometry.vertices.copy(), geometry.shape_offsets.copy()
    fitting: dict[str, Eyeball] = {}
    for name, eye in eyes.items():
        ball = ball_under_lids(Ball(eye.centre, eye.radius), geometry.vertices, skin)
        share = ball.radius / eye.radius
        numbers = np.unique(geometry.quads[part_faces(geometry, name)])
        vertices[numbers] = eye.centre + share * (vertices[numbers] - eye.centre)
        # Shapes turn eyeballs about their centres.
        offsets[:, numbers] *= np.float32(share)
        iris_radius = np.sin(eye.iris_angle) * eye.radius
        fitting[name] = Eyeball(eye.centre, ball.radius, float(np.arcsin(iris_radius / ball.radius)))
    balls = [Ball(eye.centre, eye.radius) for eye in fitting.values()]
    cleared = before_eyeballs(vertices, offsets, skin, balls)
    if "lashes" in geometry.part_names:
        lashes = np.unique(geometry.quads[part_faces(geometry, "lashes")])
        lids = np.flatnonzero(np.abs(cleared - offsets).max(axis=(0, 2)) > 0)
        if len(lids):
            pushes = cleared[:, lids] - offsets[:, lids]
            cleared[:, lashes] += along_with(vertices[lashes], vertices[lids], pushes)
    return replace(geometry, vertices=vertices, shape_offsets=cleared), fitting


def _closed_over_floor(geometry: HeadGeometry, row: Row) -> HeadGeometry:
    if "mouthClose" not in geometry.shape_names:
        return geometry
    shape = geometry.shape_names.index("mouthClose")
    lining = np.setdiff1d(geometry.quads[part_faces(geometry, "mouth")], geometry.quads[part_faces(geometry, "skin")])
    # The lining of the sockets is the same part.
    lining = lining[(lining >= 0) & (geometry.vertices[lining, 2] < row.points[..., 2].max())]
    offsets = geometry.shape_offsets.copy()
    offsets[shape] = closed_over_floor(geometry.vertices, offsets[shape], lining, row)
    return replace(geometry, shape_offsets=offsets)


def _tongue_over_lip(geometry: HeadGeometry, flesh: np.ndarray) -> HeadGeometry:
    """Let lips make way for the tongue, where the head has all that takes; `flesh` numbers faces of skin and lining."""
    shapes = dict(zip(geometry.shape_names, range(len(geometry.shape_names)), strict=True))
    tongue = geometry.quads[part_faces(geometry, "tongue")]
    lips = ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")
    if not len(tongue) or not {"tongueOut", *lips} <= shapes.keys():
        return geometry
    up, down = (
        np.linalg.norm(geometry.shape_offsets[[shapes[n] for n in pair]].sum(axis=0), axis=1)
        for pair in (lips[:2], lips[2:])
    )
    offsets = geometry.shape_offsets.copy()
    out = shapes["tongueOut"]
    offsets[out] = out_of_the_way(geometry.vertices, offsets[out], geometry.quads[flesh], tongue, up > down)
    return replace(geometry, shape_offsets=offsets)


def _add_rim(geometry: HeadGeometry, eye: Eyeball) -> HeadGeometry:
    """Give an eye's lids their wet rims, as faces of the mouth's lining, which is behind the lids too."""
    skin, lining = part_faces(geometry, "skin"), part_faces(geometry, "mouth")
    border = np.intersect1d(geometry.quads[skin], geometry.quads[lining])
    edge = lid_edge(border, eye.centre, eye.radius, geometry.vertices)
    if len(edge) < 3:
        return geometry
    rim = rim_of_lids(
        geometry.vertices[edge].astype(np.float64),
        geometry.shape_offsets[:, edge].astype(np.float64),
        eye.centre,
        eye.radius,
    )
    rows, columns = rim.points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    after = np.roll(index, -1, axis=1)
    # The edge runs counter-clockwise seen from the front and the rows run inwards.
    corners = np.stack([index[:-1], after[:-1], after[1:], index[1:]], axis=-1).reshape(-1, 4)
    # Nothing is painted on the lining: a point of its own part of the texture will do.
    uv = geometry.corner_uv[lining[0], 0]
    count = len(geometry.shape_names)
    return replace(
        geometry,
        vertices=np.concatenate([geometry.vertices, rim.points.reshape(-1, 3)]).astype(np.float32),
        quads=np.concatenate([geometry.quads, len(geometry.vertices) + corners]).astype(np.int32),
        corner_uv=np.concatenate([geometry.corner_uv, np.broadcast_to(uv, (len(corners), 4, 2))]),
        face_part=np.concatenate(
            [geometry.face_part, np.full(len(corners), geometry.part_names.index("mouth"), np.uint8)]
        ),
        shape_offsets=np.concatenate([geometry.shape_offsets, rim.offsets.reshape(count, -1, 3)], axis=1).astype(
            np.float32
        ),
        hm08_vertex_ids=np.concatenate([geometry.hm08_vertex_ids, np.full(index.size, -1, np.int32)]),
    )


def _crown_teeth(geometry: HeadGeometry, grid: np.ndarray, row: Row) -> tuple[HeadGeometry, np.ndarray]:
    """Put a row of crowns in the place of a strip of teeth whose vertices are `grid` [R, C]; and the crowns' vertices.

    u runs along the arch, v from the front's gum over the edge to the back; upper teeth in v > 0.5.
    """
    rows, columns = row.points.shape[:2]
    kept_rows, kept_columns = (
        np.rint(np.linspace(0, new - 1, old)).astype(int) for old, new in zip(grid.shape, (rows, columns), strict=True)
    )
    numbers = np.full((rows, columns), -1, np.int32)
    numbers[np.ix_(kept_rows, kept_columns)] = grid
    added = numbers < 0
    numbers[added] = len(geometry.vertices) + np.arange(added.sum())

    # Jaws move as one, so what is known of the strip holds for the crowns.
    old = geometry.vertices[grid].reshape(-1, 3).astype(np.float64)
    known = geometry.shape_offsets[:, grid].reshape(len(geometry.shape_names), -1, 3).transpose(1, 0, 2)
    affine = np.linalg.lstsq(np.c_[old, np.ones(len(old))], known.reshape(len(old), -1), rcond=None)[0]
    points = row.points.reshape(-1, 3)
    offsets = (np.c_[points, np.ones(len(points))] @ affine).reshape(len(points), -1, 3).transpose(1, 0, 2)

    total = len(geometry.vertices) + int(added.sum())
    vertices, moved = np.zeros((total, 3), np.float32), np.zeros((len(geometry.shape_names), total, 3), np.float32)
    vertices[: len(geometry.vertices)] = geometry.vertices
    moved[:, : len(geometry.vertices)] = geometry.shape_offsets
    vertices[numbers.ravel()], moved[:, numbers.ravel()] = points, offsets

    index = np.arange(rows * columns).reshape(rows, columns)
    corners = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1).reshape(-1, 4)
    front = points[corners[(columns - 1) // 2]]
    if np.cross(front[1] - front[0], front[3] - front[0])[1] > 0:
        corners = corners[:, ::-1]
    v = (0.51 if row.upper else 0.01) + 0.48 * row.t
    uv = np.stack(np.broadcast_arrays(row.u[None], v[:, None]), axis=-1).reshape(-1, 2)
    keep = ~np.isin(geometry.quads, grid).all(axis=1)
    part = geometry.part_names.index("teeth")
    built = replace(
        geometry,
        vertices=vertices,
        quads=np.concatenate([geometry.quads[keep], numbers.ravel()[corners]]).astype(np.int32),
        corner_uv=np.concatenate([geometry.corner_uv[keep], uv[corners].astype(np.float32)]),
        face_part=np.concatenate([geometry.face_part[keep], np.full(len(corners), part, np.uint8)]),
        shape_offsets=moved,
        hm08_vertex_ids=np.concatenate([geometry.hm08_vertex_ids, np.full(int(added.sum()), -1, np.int32)]),
    )
    return built, numbers
