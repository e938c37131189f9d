"""Weights in planes of bytes: the same to the last bit, and smaller when packed."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from backend.prior.diffusion.byte_planes import load_planes, save_planes
from backend.prior.diffusion.precision import as_stored


def test_weights_come_back_as_they_were(tmp_path: Path) -> None:
    torch.manual_seed(0)
    shapes = {"one.weight": (4, 3, 2), "bias": (5,), "level": ()}
    weights = {name: torch.randn(shape).half() for name, shape in shapes.items()}
    save_planes(weights, tmp_path / "w.safetensors")
    again = load_planes(tmp_path / "w.safetensors")
    assert again.keys() == weights.keys()
    for name, tensor in weights.items():
        assert again[name].dtype == torch.half
        assert torch.equal(again[name], tensor)


def test_weights_that_lie_there_whole_are_read_too(tmp_path: Path) -> None:
    weights = {"bias": torch.arange(3.0).half()}
    save_file(weights, tmp_path / "w.safetensors")
    assert torch.equal(load_planes(tmp_path / "w.safetensors")["bias"], weights["bias"])


def test_planes_pack_smaller_than_numbers(tmp_path: Path) -> None:
    weights = {"weight": as_stored(torch.randn(300, 300) * 0.05)}
    save_planes(weights, tmp_path / "planes")
    save_file(weights, tmp_path / "whole")
    planes, whole = (len(zlib.compress((tmp_path / name).read_bytes(), 9)) for name in ("planes", "whole"))
    assert planes < 0.93 * whole


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="safetensors"):
        load_planes(tmp_path / "none.safetensors")
