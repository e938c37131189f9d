"""Face embeddings from the weights that ship, and the cosine between two of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from backend.asset_files import verified
from backend.identity.chip import aligned_chip
from backend.identity.embedding_file import ASSET
from backend.identity.network import FaceNetwork

MEAN = "mean"
RANGE = ".range"


class FaceEmbedder(nn.Module):
    """The network with the mean embedding of training people.

    Embeddings of any two faces share most of their length; with the mean taken off, strangers stand at right angles.

    Args:
        network: aligned faces to embeddings.
        mean: float32 [128], of many people.
    """

    def __init__(self, network: FaceNetwork, mean: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)

    @classmethod
    def stored(cls, tensors: dict[str, Tensor]) -> FaceEmbedder:
        """The embedder of what a file holds, see `load_face_embedder`, without gradients to its weights.

        Raises:
            KeyError: a tensor is missing.
        """
        weights = {name: _restored(tensors, name) for name in tensors if not name.endswith(RANGE)}
        return cls(FaceNetwork().load(weights), weights[MEAN]).eval().requires_grad_(False)

    def forward(
        self,
        chips: Tensor,  # [B, 3, 150, 150], sRGB-encoded in [0, 1], see `backend.identity.chip`
    ) -> Tensor:
        """Embeddings float [B, 128], the mean not yet taken off; gradients reach the chips."""
        return self.network(chips)

    def photo(self, photo_srgb: np.ndarray, landmarks_px: np.ndarray) -> Tensor:
        """The embedding float32 [128] of a face in a photo.

        Args:
            photo_srgb: uint8 [H, W, 3] or float in [0, 1], sRGB-encoded.
            landmarks_px: [478, 2], pixels.
        """
        device = self.get_buffer("mean").device
        with torch.no_grad():
            return self(aligned_chip(photo_srgb, landmarks_px).to(device))[0]

    def likeness(self, first: Tensor, second: Tensor) -> Tensor:
        """The cosine [...] between embeddings [..., 128], the mean taken off both: 1 is the same picture."""
        return cosine(first, second, self.get_buffer("mean"))


def cosine(first: Tensor, second: Tensor, mean: Tensor) -> Tensor:
    """The cosine [...] between embeddings [..., 128] about a mean [128]."""
    return functional.cosine_similarity(first - mean, second - mean, dim=-1)


def load_face_embedder(path: Path = ASSET, device: str = "cpu") -> FaceEmbedder:
    """The embedder that ships, without gradients to its weights.

    Args:
        path: safetensors: `mean`, and the weights by the names of `FaceNetwork.load`; float16, or uint8 with a
            `.range`, float64 [2]: the least value, and a step.
        device: where it is to work.

    Raises:
        RelightifyError: ``asset_missing``, ``asset_corrupt``.
    """
    return FaceEmbedder.stored(load_file(verified(path))).to(device)


def _restored(stored: dict[str, Tensor], name: str) -> Tensor:
    if name + RANGE not in stored:
        return stored[name].float()
    least, step = stored[name + RANGE]
    return (least + step * stored[name].double()).float()
