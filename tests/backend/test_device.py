"""Which device is taken, and what is told of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from backend.device import available_devices, choose_device
from backend.doctor import CHECKS
from shared.errors import RelightifyError


def only(monkeypatch: pytest.MonkeyPatch, *there: str) -> None:
    """Have PyTorch find these GPUs and no others."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in there)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in there)


def told_of_torch() -> str:
    return next(check for check in CHECKS if check.__name__ == "_check_torch")().detail


@pytest.mark.parametrize(
    ("there", "wish", "taken"),
    [
        ((), "auto", "cpu"),
        (("cuda",), "auto", "cuda"),
        (("cuda",), "cpu", "cpu"),
        (("mps",), "mps", "mps"),
        (("mps",), "auto", "cpu"),
    ],
)
def test_a_wish_is_granted_and_a_macs_gpu_only_on_request(
    monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], wish: str, taken: str
) -> None:
    only(monkeypatch, *there)
    assert choose_device(wish) == taken
    assert available_devices() == ("cpu", *there)


@pytest.mark.parametrize(("wish", "code"), [("gpu", "bad_option"), ("cuda", "no_cuda"), ("mps", "no_mps")])
def test_a_device_that_is_not_there_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, wish: str, code: str) -> None:
    only(monkeypatch)
    with pytest.raises(RelightifyError) as raised:
        choose_device(wish)
    assert raised.value.code == code


def test_the_doctor_says_that_rocm_is_cuda_in_pytorchs_words(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "cuda")
    gpu = SimpleNamespace(name="Radeon", total_memory=16 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: gpu)
    monkeypatch.setattr(torch.version, "hip", "6.2")
    assert "AMD ROCm 6.2, which PyTorch calls cuda: Radeon, 16 GiB" in told_of_torch()
    only(monkeypatch)
    assert "no GPU for its ROCm 6.2 build" in told_of_torch()


def test_the_doctor_names_nvidia_and_apple(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "cuda")
    gpu = SimpleNamespace(name="GeForce", total_memory=8 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: gpu)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert "CUDA 12.8: GeForce, 8 GiB" in told_of_torch()
    only(monkeypatch, "mps")
    assert "--device mps" in told_of_torch()
