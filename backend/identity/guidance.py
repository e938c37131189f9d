"""Identity as something that sampled skin should agree with: the gradient of the distance between two embeddings.

Source: Galanakis et al., "FitDiff: robust monocular 3D facial shape and reflectance estimation using diffusion models",
supplement, eq. 2 and 4 and algorithm 1: the clean estimate is decoded, seen by a camera and compared with the photo by
a face network. Of their other terms landmarks are fitted beforehand and pixels are what eq. 9d compares; VGG's features
are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.identity.embedder import FaceEmbedder, cosine
from backend.identity.lookup import ChipLookup


@dataclass(frozen=True)
class IdentityGuidanceSettings:
    """How strongly identity pulls.

    Args:
        scale: factor of the whole gradient (s of algorithm 1, where 75 suits other latents); chosen by the user.
        perceptual: weight of the activations against the cosine (lambda_1 of eq. 4, theirs), where they are compared.
    """

    scale: float = 75.0
    perceptual: float = 50.0


@dataclass(frozen=True)
class IdentityTerm:
    """A `backend.prior.interface.GuidanceTerm`: what the decoded texture shows should be the person in the photo.

    Args:
        decode: whitened latents [B, C, h, w] to textures [B, 3, R, R], sRGB-encoded in [-1, 1], differentiable.
        lookup: the face that a texture shows.
        embedder: sees who it is.
        target: float32 [128], the photo's embedding.
        activations: of the photo's chip, as `FaceNetwork.activations` without the last; none where the camera is not
            the photo's, since they are compared place by place.
        settings: strengths.
    """

    decode: Callable[[Tensor], Tensor]
    lookup: ChipLookup
    embedder: FaceEmbedder
    target: Tensor
    activations: Sequence[Tensor] = ()
    settings: IdentityGuidanceSettings = IdentityGuidanceSettings()

    def gradient(self, z_0: Tensor, t: int) -> Tensor:
        """See `backend.prior.interface.GuidanceTerm`; the same pull at every step."""
        del t
        with torch.inference_mode(False), torch.enable_grad():
            latent = z_0.detach().clone().requires_grad_()
            (gradient,) = torch.autograd.grad(self.loss(latent).sum(), latent)
        return self.settings.scale * gradient

    def loss(self, z_0: Tensor) -> Tensor:
        """Cosine distance, and what the activations differ by: [B], eq. 4 without its other terms."""
        chips = self.lookup((self.decode(z_0) + 1) / 2)
        *seen, embedding = self.embedder.network.activations(chips)
        loss = 1 - cosine(embedding, self.target, self.embedder.get_buffer("mean"))
        for own, wanted in zip(seen, self.activations, strict=bool(self.activations)):  # eq. 2
            difference = (own - wanted).flatten(1)
            loss = loss + self.settings.perceptual * difference.norm(dim=1) / difference.shape[1]
        return loss
