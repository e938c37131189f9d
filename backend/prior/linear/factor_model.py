"""The coarse linear prior's numbers: a joint Gaussian over all maps, a PCA of the albedo, and their file.

Maps are stacked in the channels `LINEAR` on the unit square of the texture space. Texture and diffuse albedo are
natural logarithms of linear colour, in which exposure and light add; specular albedo and the normal's x and y are as
they are, times `SCALES`. Mean and factors are sums of cosines (`backend.prior.linear.cosine`); the faces that the prior
was trained on were also shown mirrored, so that each factor is symmetric or antisymmetric and stored by half.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from backend.asset_files import ASSETS, verified
from backend.head.model import HeadModel
from backend.imaging.arrays import Array, empty, like, namespace, on_device
from backend.prior.channels import LINEAR
from backend.prior.eight_bits import from_bytes, to_bytes
from backend.prior.linear import cosine

log = logging.getLogger(__name__)

ASSET = ASSETS / "coarse_prior.safetensors"
FORMAT = "relightify coarse prior 1"
NORMAL_X = LINEAR.normal.start  # the channel that changes its sign in a mirror
# Specular albedo and normals spread less than logarithms of colour do and should not count for nothing.
SCALES = np.array([1, 1, 1, 1, 1, 1, 3, 1, 1], np.float32)
NOISE_SIDE = 32


@dataclass(frozen=True)
class CoarsePrior:
    """Mean, factors and noise of the joint Gaussian x = mu + W z + eps over [T, A_d, A_s, N], z ~ N(0, I).

    Args:
        mean: float32 [9, n0], cosines with even columns (odd for the normal's x).
        parity: uint8 [K], 0 for factors that are symmetric faces, 1 for antisymmetric ones.
        factors: float32 [K, 9, n], n as for the longer parity; cosines whose columns have the factor's parity (the
            other for the normal's x); unused entries are 0.
        noise: float32 [9, 32, 32], variance of eps.
        albedo: the PCA of the diffuse albedo.
        layout: fingerprint of the texture space, see `layout_of`.
        metadata: how it was trained.
        device: where mean and factors are, and maps are made then; `cpu` is the host.
    """

    mean: Array
    parity: np.ndarray
    factors: Array
    noise: np.ndarray
    albedo: AlbedoPca
    layout: str
    metadata: dict
    device: str = "cpu"

    @property
    def latents(self) -> int:
        return len(self.parity)

    def on_device(self, device: str) -> CoarsePrior:
        """The same on a device."""
        return self if device == self.device else replace(on_device(self, device, "mean", "factors"), device=device)

    def mean_maps(self, side: int, channels: slice = slice(None)) -> Array:
        """mu as maps float32 [side, side, C]."""
        return _maps(self.mean[None], 0, side, channels)[0]

    def factor_maps(self, side: int, channels: slice = slice(None)) -> Array:
        """W as maps float32 [side, side, C, K]."""
        count = len(range(LINEAR.total)[channels])
        result = empty((side, side, count, self.latents), self.factors)
        for parity in (0, 1):
            chosen = np.flatnonzero(self.parity == parity)
            maps = _maps(self.factors[chosen], parity, side, channels)
            result[..., chosen] = namespace(maps).moveaxis(maps, 0, -1)
        return result

    def noise_maps(self, side: int, channels: slice = slice(None)) -> Array:
        """Variance of eps as maps float32 [side, side, C]."""
        noise = np.moveaxis(self.noise[channels], 0, -1)
        return like(cv2.resize(noise, (side, side), interpolation=cv2.INTER_LINEAR), self.mean)

    def maps_of(self, latent: np.ndarray, side: int, channels: slice = slice(None)) -> Array:
        """mu + W z for one z [K] as maps float32 [side, side, C]: the sum is taken over cosines, so it is quick."""
        total = self.mean_maps(side, channels)
        for parity in (0, 1):
            chosen = np.flatnonzero(self.parity == parity)
            factors = self.factors[chosen]
            summed = namespace(factors).tensordot(like(latent[chosen].astype(np.float32), factors), factors, axes=1)
            total += _maps(summed[None], parity, side, channels)[0]
        return total

    def drawn_noise(self, side: int, rng: np.random.Generator) -> np.ndarray:
        """A draw of eps as maps float32 [side, side, 9], independent in the texels of training's maps."""
        fitted = min(side, 2 * cosine.ORDER)
        values = rng.standard_normal((fitted, fitted, LINEAR.total), dtype=np.float32)
        values *= np.sqrt(self.noise_maps(fitted))
        return cv2.resize(values, (side, side), interpolation=cv2.INTER_NEAREST)


@dataclass(frozen=True)
class AlbedoPca:
    """Diffuse albedo, linear RGB, as mean + sum of coefficients times components, each channel on its own.

    Source: Dai et al., "High-quality facial albedo generation" (UVAPM), section 3.3: 100 components a channel there.

    Args:
        mean: float32 [3, n0], even cosines.
        parity: uint8 [3, M].
        components: float32 [3, M, n], scaled so that coefficients are N(0, 1); cosines of the component's parity.
    """

    mean: np.ndarray
    parity: np.ndarray
    components: np.ndarray

    def mean_map(self, side: int) -> np.ndarray:
        """float32 [side, side, 3]."""
        return np.moveaxis(cosine.synthesise(self.mean, 0, side), 0, -1)

    def component_maps(self, channel: int, side: int) -> np.ndarray:
        """Components of one channel, float32 [M, side, side]."""
        maps = np.empty((len(self.parity[channel]), side, side), np.float32)
        for parity in (0, 1):
            chosen = self.parity[channel] == parity
            numbers = self.components[channel, chosen, : cosine.count(parity)]
            maps[chosen] = cosine.synthesise(numbers, parity, side)
        return maps


def _maps(numbers: Array, parity: int, side: int, channels: slice) -> Array:
    """Cosine numbers [K, 9, n] of faces of one parity to unscaled maps float32 [K, side, side, C]."""
    result = []
    for channel in range(LINEAR.total)[channels]:
        own = parity ^ (channel == NORMAL_X)
        maps = cosine.synthesise(numbers[:, channel, : cosine.count(own)], own, side)
        result.append(maps / float(SCALES[channel]))
    return namespace(result[0]).stack(result, axis=-1)


def layout_of(model: HeadModel) -> str:
    """Names a texture space: a head model whose skin lies elsewhere in it needs a prior of its own."""
    uv = np.round(model.uv[model.uv_triangles("skin")].astype(np.float64), 3).astype(np.float32)
    return hashlib.sha256(uv.tobytes()).hexdigest()[:16]


def save_coarse_prior(prior: CoarsePrior, path: Path) -> int:
    """Write the prior as safetensors, factors with 8 bits each; returns the size in bytes."""
    factors, factor_peaks = to_bytes(prior.factors)
    components, component_peaks = to_bytes(prior.albedo.components)
    tensors = {
        "mean": prior.mean.astype(np.float32),
        "parity": prior.parity.astype(np.uint8),
        "factors": factors,
        "factor_peaks": factor_peaks,
        "noise": prior.noise.astype(np.float16),
        "albedo_mean": prior.albedo.mean.astype(np.float32),
        "albedo_parity": prior.albedo.parity.astype(np.uint8),
        "albedo_components": components,
        "albedo_peaks": component_peaks,
    }
    header = {"format": FORMAT, "layout": prior.layout, "training": json.dumps(prior.metadata, sort_keys=True)}
    path.write_bytes(_in_order(save(tensors, metadata=header)))
    return path.stat().st_size


def _in_order(file: bytes) -> bytes:
    """The same safetensors file with sorted metadata: the library writes them in another order each time."""
    size = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # what follows must lie at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + file[8 + size :]


def load_coarse_prior(path: Path | None = None) -> CoarsePrior:
    """Read what `save_coarse_prior` wrote; without a path, the prior that ships.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a coarse prior of this version.
        RelightifyError: ``asset_corrupt``, the one that ships is damaged.
    """
    path = path or ASSET
    if not path.is_file():
        raise FileNotFoundError(path)
    with safe_open(verified(path), "numpy") as file:
        header = file.metadata() or {}
        if header.get("format") != FORMAT:
            raise ValueError(f"{path} is not a {FORMAT}")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    albedo = AlbedoPca(
        tensors["albedo_mean"],
        tensors["albedo_parity"],
        from_bytes(tensors["albedo_components"], tensors["albedo_peaks"]),
    )
    return CoarsePrior(
        mean=tensors["mean"],
        parity=tensors["parity"],
        factors=from_bytes(tensors["factors"], tensors["factor_peaks"]),
        noise=tensors["noise"].astype(np.float32),
        albedo=albedo,
        layout=header["layout"],
        metadata=json.loads(header["training"]),
    )


def shipped_prior(model: HeadModel) -> CoarsePrior | None:
    """The prior of this installation, None where there is none or where it was trained for another texture layout."""
    if not ASSET.is_file():
        return None
    prior = load_coarse_prior()
    if prior.layout != layout_of(model):
        log.warning("The coarse prior was trained for another texture layout and is left out.")
        return None
    return prior
