"""The packed training file: everything that a machine without the sources needs to make training quadruples."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.asset_files import ASSETS, verified
from shared.errors import RelightifyError

# The pack that ships.
PACK = ASSETS / "training" / "skin_pack.npz"
WEBP_QUALITY = 95
VERSION = 1
CREDITS = (
    "Albedos made from: DeBruine and Jones (2017), Face Research Lab London Set, doi:10.6084/m9.figshare.5047666.v5, "
    "and Young Adult White Faces, doi:10.6084/m9.figshare.4220517.v1, both CC BY 4.0, training split only, delit "
    "and completed; ears, necks and scalps from the VALID avatar library (MIT), training split only."
)


@dataclass(frozen=True)
class SkinPack:
    """Base albedos and shapes of the training people.

    Args:
        albedo_srgb: uint8 [N, R, R, 3], sRGB-encoded diffuse albedo, continued beyond the island.
        certain: uint8 [N, r, r], 255 where a photo showed it, 128 where its mirror image did, 0 where it was filled.
        identity: float32 [N, 100], coefficients of the head model.
        names: identifiers.
        metadata: how it was made, with licences.
    """

    albedo_srgb: np.ndarray
    certain: np.ndarray
    identity: np.ndarray
    names: tuple[str, ...]
    metadata: dict

    @property
    def resolution(self) -> int:
        return self.albedo_srgb.shape[1]


def save_pack(pack: SkinPack, path: Path, quality: int = WEBP_QUALITY) -> int:
    """Write the pack; returns its size in bytes. Albedos are stored as WebP, which changes them by about a level."""
    files = [cv2.imencode(".webp", a[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, quality])[1] for a in pack.albedo_srgb]
    seen = [cv2.imencode(".png", c)[1] for c in pack.certain]
    np.savez(
        path,
        version=VERSION,
        albedo=np.concatenate(files),
        albedo_ends=np.cumsum([len(f) for f in files]),
        certain=np.concatenate(seen),
        certain_ends=np.cumsum([len(f) for f in seen]),
        identity=pack.identity.astype(np.float16),
        names=np.array(pack.names),
        metadata=np.array(json.dumps(pack.metadata)),
    )
    return path.stat().st_size


def load_pack(path: Path) -> SkinPack:
    """Read a pack (no pickles).

    Raises:
        RelightifyError: ``no_pack``, there is no such file.
        ValueError: it was written by another version, or is damaged.
    """
    if not path.is_file():
        raise RelightifyError(
            "no_pack",
            f"There is no packed training file {path}.",
            "Leave --pack out for the one that ships, or make one: python -m backend.training skin-data.",
        )
    with np.load(verified(path), allow_pickle=False) as data:
        if int(data["version"]) != VERSION:
            raise ValueError(f"{path} has version {int(data['version'])}, not {VERSION}")
        albedo = np.stack([a[..., ::-1] for a in _images(data["albedo"], data["albedo_ends"], cv2.IMREAD_COLOR)])
        certain = np.stack(_images(data["certain"], data["certain_ends"], cv2.IMREAD_GRAYSCALE))
        return SkinPack(
            albedo,
            certain,
            data["identity"].astype(np.float32),
            tuple(data["names"].tolist()),
            json.loads(str(data["metadata"])),
        )


def _images(data: np.ndarray, ends: np.ndarray, mode: int) -> list[np.ndarray]:
    images = [cv2.imdecode(part, mode) for part in np.split(data, ends[:-1])]
    if any(image is None for image in images):
        raise ValueError("an image in the pack cannot be decoded")
    return [np.asarray(image) for image in images]
