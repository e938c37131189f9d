"""Held-out CG heads with known maps: the truth in our texture space, and photographs of them made by Cycles."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.evaluation.subjects import heldout_records
from backend.head.model import ASSET, HeadModel
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.imaging.filters import masked_blur
from backend.rendering.camera import Camera
from backend.texture.maps import SkinMaps
from backend.texture.uv_space import UVSpace
from backend.training.skin.valid_skins import ValidCorrespondence, register_valid
from backend.training.stream.reflectance import regional_specular
from backend.training.stream.region_masks import region_masks
from shared.errors import RelightifyError
from shared.paths import cache_folder

log = logging.getLogger(__name__)

SCRIPT = Path(__file__).parent / "blender_scripts" / "render_heads.py"
BLENDER_PYTHON_VARIABLE = "RELIGHTIFY_BLENDER_PYTHON"
SIDE_PX = 640
VIEWS = (
    {"name": "studio", "light": "studio", "turn": 90, "yaw": 0, "pitch": 0, "distance": 0.9},
    {"name": "courtyard", "light": "courtyard", "turn": 90, "yaw": 20, "pitch": 3, "distance": 0.7},
    {"name": "area", "light": "area", "turn": 0, "yaw": -15, "pitch": -3, "distance": 1.2},
)
SPECULAR_SIDE = 672
SKIN_LABELS = (1, 2, 3)  # of islands.png: head and neck, ears
FARTHEST_M = 0.006  # from our surface to theirs, where both show the same skin


@dataclass(frozen=True)
class Pictures:
    """How heads are photographed.

    Args:
        views: of `VIEWS`.
        samples: rays a pixel; the pictures are denoised.
        side_px: of the square pictures.
    """

    views: tuple[dict, ...] = VIEWS
    samples: int = 48
    side_px: int = SIDE_PX


# The heads turned, under the studio light: for what a fit makes of the side that it does not see.
TURNED = Pictures(
    views=tuple(
        {"name": f"yaw_{yaw}", "light": "studio", "turn": 90, "yaw": yaw, "pitch": 0, "distance": 0.9}
        for yaw in (30, 60)
    ),
    samples=12,
    side_px=512,
)

# What the table `views` gives: three sides under one light, and the front under another.
AROUND = Pictures(
    views=(
        *(
            {"name": f"around_{yaw}", "light": "studio", "turn": 90, "yaw": yaw, "pitch": 0, "distance": 0.9}
            for yaw in (0, 45, 90)
        ),
        {"name": "other_light", "light": "courtyard", "turn": 90, "yaw": 10, "pitch": 2, "distance": 0.9},
    ),
    samples=12,
    side_px=512,
)


@dataclass(frozen=True)
class CgHead:
    """A held-out CG head.

    Args:
        name: of the individual.
        truth: its maps in our texture space, R x R; `visibility` is 1 where they are known and are skin.
        pictures: its renderings by view.
    """

    name: str
    truth: SkinMaps
    pictures: dict[str, Path]


# As `blender_scripts/render_heads.py` places its camera: what it looks at, in head space, and its lens.
_LOOKED_AT = np.array([0.0, -0.03, -0.03])
_FOCAL_OF_WIDTH = 85.0 / 36.0


def pictured_from(view: dict, side_px: int) -> Camera:
    """The camera of a rendering, in the space of the head's own mesh.

    Args:
        view: of `Pictures`.
        side_px: of the square picture.
    """
    yaw, pitch = np.radians(view["yaw"]), np.radians(view["pitch"])
    away = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    rotation = np.stack([right, np.cross(away, right), away])
    position = _LOOKED_AT + view["distance"] * away
    centre = (side_px / 2, side_px / 2)
    return Camera(rotation, -rotation @ position, _FOCAL_OF_WIDTH * side_px, centre, side_px, side_px)


def blender_python(named: Path | None) -> Path:
    """The Python with Blender's `bpy` that renders.

    Raises:
        RelightifyError: `no_blender`.
    """
    path = named or (Path(value) if (value := os.environ.get(BLENDER_PYTHON_VARIABLE)) else None)
    if path is None or not path.exists():
        raise RelightifyError(
            "no_blender",
            "The test pictures of CG heads are rendered by Blender, and no Python with Blender's module was named.",
            f"Give --blender-python, or set {BLENDER_PYTHON_VARIABLE}.",
        )
    return path


def cg_heads(folder: Path, model: HeadModel, space: UVSpace, python: Path | None, limit: int | None) -> list[CgHead]:
    """The test individuals of a folder, as `photographed`.

    Raises:
        RelightifyError: as `photographed`.
    """
    check_heads(folder)
    return photographed(folder, heldout_records(folder)[:limit], model, space, python)


def check_heads(folder: Path) -> None:
    """See that a folder has heads.

    Raises:
        RelightifyError: `no_heads`.
    """
    if not (folder / "index.json").is_file():
        raise RelightifyError("no_heads", f"There is no index.json in {folder}.", "Name a folder: --heads.")


def photographed(
    folder: Path,
    records: list[dict],
    model: HeadModel,
    space: UVSpace,
    python: Path | None,
    settings: Pictures = Pictures(),
) -> list[CgHead]:
    """Individuals of a folder in the format of `valid_heads`, with truth and pictures.

    Pictures are rendered once and kept in the cache.

    Raises:
        RelightifyError: `no_heads` or `no_blender`; `render_failed`.
    """
    found = correspondence(folder, model, space)
    pictures = render_pictures(folder, records, found, model, space, python, settings)
    return [CgHead(r["name"], truth(folder, r, found, model, space), pictures[r["name"]]) for r in records]


def correspondence(folder: Path, model: HeadModel, space: UVSpace) -> ValidCorrespondence:
    """Our texels in their texture, from the mean of their bald heads; kept in the cache."""
    index = json.loads((folder / "index.json").read_text())["individuals"]
    names = [r["name"] for r in index if r["scalp"] == "bald skin"] or [r["name"] for r in index]
    key = hashlib.sha256(ASSET.read_bytes() + (folder / "heads.npz").read_bytes() + str(space.resolution).encode())
    stored = cache_folder("evaluation") / f"correspondence_{key.hexdigest()[:16]}.npz"
    if not stored.exists():
        found = register_valid(folder, model, space, names)
        np.savez(stored, texel=found.texel, uv=found.uv, corners_uv=found.corners_uv, distance=found.distance)
    with np.load(stored) as data:
        return ValidCorrespondence(data["texel"], data["uv"], data["corners_uv"], data["distance"])


def truth(folder: Path, record: dict, found: ValidCorrespondence, model: HeadModel, space: UVSpace) -> SkinMaps:
    """The maps of an individual on our texels."""
    side = space.resolution
    uv = np.zeros((side, side, 2))
    uv.reshape(-1, 2)[found.texel] = found.uv
    linear = srgb_to_linear(_read(folder / record["albedo"]) / 255).astype(np.float32)
    encoded_normal = (_read(folder / record["normal"]) / 255).astype(np.float32)
    albedo, normal = _looked_up(linear, uv), _looked_up(encoded_normal, uv)
    islands = _read(folder / "islands.png")[..., 0]
    allowed = cv2.erode(np.isin(islands, SKIN_LABELS).astype(np.float32), np.ones((5, 5), np.uint8))
    near = np.zeros((side, side), bool)
    near.reshape(-1)[found.texel] = found.distance < FARTHEST_M
    masks = region_masks(model, side)
    known = (_looked_up(allowed, uv) > 0.99) & near & space.mask
    if record["scalp"] != "bald skin":
        known &= masks.scalp.numpy() < 0.05
    return SkinMaps(
        texture_srgb=np.zeros((side, side, 3), np.float32),
        diffuse_albedo_srgb=linear_to_srgb(albedo).astype(np.float32),
        specular_albedo=regional_specular(masks).numpy(),
        normal=_turned(normal * 2 - 1, uv, space.mask),
        visibility=known.astype(np.float32),
    )


def _turned(normal: np.ndarray, uv: np.ndarray, island: np.ndarray) -> np.ndarray:
    """Tangent-space normals [R, R, 3] of their frames (green up) as seen in ours, unit."""
    # Directions on their texture (u right, up) of a step along our u.
    along = np.stack([np.gradient(uv[..., 0], axis=1), -np.gradient(uv[..., 1], axis=1)], -1)
    along = masked_blur(along.astype(np.float32), island.astype(np.float32), 2.0)
    along /= np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
    c, s = along[..., 0], along[..., 1]
    x = c * normal[..., 0] + s * normal[..., 1]
    y = -s * normal[..., 0] + c * normal[..., 1]
    turned = np.stack([x, y, np.maximum(normal[..., 2], 0.05)], -1)
    return (turned / np.linalg.norm(turned, axis=-1, keepdims=True)).astype(np.float32)


def _looked_up(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear samples of an image [h, w, ...] at uv [R, R, 2], v down."""
    height, width = image.shape[:2]
    x, y = uv[..., 0] * width - 0.5, uv[..., 1] * height - 0.5
    return cv2.remap(image, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)


def _read(path: Path) -> np.ndarray:
    """An image file as RGB uint8 [h, w, 3].

    Raises:
        RelightifyError: `no_heads`.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise RelightifyError("no_heads", f"The image {path} cannot be read.", "Give a complete folder: --heads.")
    return image


def render_pictures(
    folder: Path,
    records: list[dict],
    found: ValidCorrespondence,
    model: HeadModel,
    space: UVSpace,
    python: Path | None,
    settings: Pictures = Pictures(),
) -> dict[str, dict[str, Path]]:
    """Pictures of the individuals by name and view; only those that the cache lacks are rendered.

    Raises:
        RelightifyError: `no_blender`, `render_failed`.
    """
    unusual_side = () if settings.side_px == SIDE_PX else (settings.side_px,)
    how = str((settings.views, settings.samples, *unusual_side)).encode()
    digest = hashlib.sha256(SCRIPT.read_bytes() + (folder / "heads.npz").read_bytes() + how)
    work = cache_folder(f"evaluation/heads_{digest.hexdigest()[:16]}")
    pictures = {r["name"]: {v["name"]: work / f"{r['name']}_{v['name']}.png" for v in settings.views} for r in records}
    if all(path.exists() for views in pictures.values() for path in views.values()):
        return pictures
    heads = [_write_head(folder, record, found, model, space, work) for record in records]
    job = {
        "heads": heads,
        "views": settings.views,
        "samples": settings.samples,
        "side": settings.side_px,
        "threads": os.cpu_count() or 1,
    }
    (work / "job.json").write_text(json.dumps(job))
    log.info("Rendering %d pictures in %s", len(heads) * len(settings.views), work)
    done = subprocess.run(
        [str(blender_python(python)), str(SCRIPT), str(work / "job.json")], capture_output=True, text=True, check=False
    )
    if not all(path.exists() for views in pictures.values() for path in views.values()):
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise RelightifyError("render_failed", f"Blender did not render the heads: {' '.join(last)}", "See its output.")
    return pictures


def _write_head(
    folder: Path, record: dict, found: ValidCorrespondence, model: HeadModel, space: UVSpace, work: Path
) -> dict:
    """Write an individual's meshes and maps for the script; returns its entry in the job."""
    name = record["name"]
    with np.load(folder / "topology.npz") as topology, np.load(folder / "heads.npz") as heads:
        i = heads["names"].tolist().index(name)
        parts = {
            "head_vertices": heads["vertices"][i],
            "head_normals": heads["normals"][i].astype(np.float32),
            "head_faces": topology["faces"],
            "head_uv": _upward(topology["uv"]),
        }
        for eye in ("left_eye", "right_eye"):
            parts[f"{eye}_vertices"], parts[f"{eye}_faces"] = heads[eye][i], topology[f"{eye}_faces"]
            parts[f"{eye}_uv"] = _upward(topology[f"{eye}_uv"])
    np.savez(work / f"{name}.npz", **parts)
    albedo = _read(folder / record["albedo"])
    cv2.imwrite(str(work / f"{name}_albedo.png"), albedo[..., ::-1])
    cv2.imwrite(str(work / f"{name}_normal.png"), _read(folder / record["normal"])[..., ::-1])
    specular = _specular_on_theirs(found, model, space, albedo.shape[1] / albedo.shape[0])
    cv2.imwrite(str(work / f"{name}_specular.png"), np.round(255 * specular).astype(np.uint8))
    files = {kind: f"{name}_{kind}.png" for kind in ("albedo", "normal", "specular")}
    return {"name": name, "meshes": f"{name}.npz", **files}


def _upward(uv: np.ndarray) -> np.ndarray:
    return np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1)


def _specular_on_theirs(found: ValidCorrespondence, model: HeadModel, space: UVSpace, aspect: float) -> np.ndarray:
    """The regional specular albedo on their texture [h, w]: they have none of their own."""
    values = regional_specular(region_masks(model, space.resolution)).numpy().reshape(-1)[found.texel]
    height, width = round(SPECULAR_SIDE / aspect), SPECULAR_SIDE
    column = np.clip((found.uv[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip((found.uv[:, 1] * height).astype(int), 0, height - 1)
    flat, size = row * width + column, height * width
    weight = np.bincount(flat, minlength=size).reshape(height, width).astype(np.float32)
    total = np.bincount(flat, values, size).reshape(height, width).astype(np.float32)
    result = np.full((height, width), float(np.median(values)), np.float32)
    for sigma in (32.0, 8.0, 2.0):
        near = cv2.GaussianBlur(weight, (0, 0), sigma)
        blurred = cv2.GaussianBlur(total, (0, 0), sigma) / np.maximum(near, 1e-6)
        result = np.where(near > 0.02, blurred, result)
    return np.clip(result, 0, 1)
