"""dlib's face recognition network as a torch module: a ResNet with 29 convolutions, differentiable in its input.

Source: D. King, "dlib_face_recognition_resnet_model_v1" (dlib 19.3, 2017; CC0), after He et al., "Deep residual
learning for image recognition", 2016, with fewer layers and half the filters. Each convolution is followed by a scale
and an offset a channel, which are folded into it when it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

EMBEDDING_SIZE = 128
# What the network was trained with: mean red, green and blue of its photographs, and what a byte is divided by.
_MEAN_BYTE = (122.782, 117.001, 104.298)
_BYTE_SCALE = 256.0
_FIRST = "conv32_down"
# In order; a name says how many channels come out, and `down` that height and width are halved.
_BLOCKS = (
    *("conv32_1", "conv32_2", "conv32_3"),
    *("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    *("conv128_down", "conv128_1", "conv128_2"),
    *("conv256_down", "conv256_1", "conv256_2", "conv256_down_out"),
)


class FaceNetwork(nn.Module):
    """Aligned faces to embeddings."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 32, 7, stride=2)
        blocks, before = {}, 32
        for name in _BLOCKS:
            width = _width(name)
            blocks[name] = _ResidualBlock(before, width, "down" in name)
            before = width
        self.blocks = nn.ModuleDict(blocks)
        self.last = nn.Linear(before, EMBEDDING_SIZE, bias=False)
        self.register_buffer("mean_byte", torch.tensor(_MEAN_BYTE).view(1, 3, 1, 1), persistent=False)

    def forward(
        self,
        chips: Tensor,  # [B, 3, 150, 150], sRGB-encoded in [0, 1], red first, see `backend.identity.chip`
    ) -> Tensor:
        """Embeddings float [B, 128]: of one person near each other, of two about 0.6 and more apart."""
        return self.activations(chips)[-1]

    def activations(self, chips: Tensor) -> list[Tensor]:
        """What the network sees at each size, [B, 32, 35, 35] to [B, 256, 4, 4], and last the embeddings [B, 128]."""
        values = (chips * 255 - self.get_buffer("mean_byte")) / _BYTE_SCALE
        values = functional.max_pool2d(functional.relu(self.first(values)), 3, 2)
        seen = []
        for name, block in self.blocks.items():
            if "down" in name:
                seen.append(values)
            values = block(values)
        return [*seen, self.last(values.mean((2, 3)))]

    def load(self, weights: Mapping[str, Tensor]) -> FaceNetwork:
        """Take the weights, by their names in the file: `<block>.conv1.filters`, `.bias`, `.scale`, `.offset`, `fc`.

        Raises:
            KeyError: a weight is missing.
            RuntimeError: one has another shape.
        """
        state = {f"first.{name}": value for name, value in _folded(weights, _FIRST).items()}
        for block in _BLOCKS:
            for conv in ("conv1", "conv2"):
                folded = _folded(weights, f"{block}.{conv}")
                state |= {f"blocks.{block}.{conv}.{name}": value for name, value in folded.items()}
        self.load_state_dict(state | {"last.weight": weights["fc"]})
        return self


class _ResidualBlock(nn.Module):
    """Two convolutions and a way past them; where they halve the image the way past is averaged, new channels are 0."""

    def __init__(self, before: int, width: int, down: bool) -> None:
        super().__init__()
        self.down = down
        self.conv1 = nn.Conv2d(before, width, 3, stride=2 if down else 1, padding=0 if down else 1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, values: Tensor) -> Tensor:
        changed = self.conv2(functional.relu(self.conv1(values)))
        past = functional.avg_pool2d(values, 2) if self.down else values
        # Without a border the convolution may come out a row and a column short of the average.
        rows, columns = past.shape[2] - changed.shape[2], past.shape[3] - changed.shape[3]
        changed = functional.pad(changed, (0, columns, 0, rows))
        past = functional.pad(past, (0, 0, 0, 0, 0, changed.shape[1] - past.shape[1]))
        return functional.relu(changed + past)


def _folded(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Weight and bias of a convolution with the scale and the offset that follow it."""
    scale = weights[f"{prefix}.scale"]
    bias = weights[f"{prefix}.bias"] * scale + weights[f"{prefix}.offset"]
    return {"weight": weights[f"{prefix}.filters"] * scale.view(-1, 1, 1, 1), "bias": bias}


def _width(name: str) -> int:
    return int(name.removeprefix("conv").split("_")[0])
