"""The networks of diffusers come without the rest of it, and the rest comes when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEAN = """
import sys
from backend.prior.diffusion.lean_diffusers import AutoencoderKL, UNet2DModel
brought = [name for name in ("torch._dynamo", "sympy") if name in sys.modules]
assert not brought, brought
import diffusers, torch, torch._dynamo
assert diffusers.AutoencoderKL is AutoencoderKL and diffusers.UNet2DModel is UNet2DModel
assert diffusers.Transformer2DModel.__module__.startswith("diffusers.models.transformers")
assert torch.compiler.disable(len) is not len, "the real compiler is there again"
"""
ALREADY = """
import torch._dynamo, diffusers
before = torch._dynamo, diffusers.AutoencoderKL, sys.modules["diffusers.models.autoencoders"]
from backend.prior.diffusion.lean_diffusers import AutoencoderKL
assert (torch._dynamo, AutoencoderKL, sys.modules["diffusers.models.autoencoders"]) == before
"""


@pytest.mark.parametrize("script", [LEAN, "import sys" + ALREADY])
def test_imports(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
