"""The two networks of diffusers that the prior is made of, without all else that importing them brings along.

The packages that hold them import every auto-encoder, U-Net and transformer there is, and with them the compiler of
torch: half of the processor time that the first job spends on its imports.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

# Packages of diffusers whose own code only imports their modules, one and all.
GATHERING = ("autoencoders", "transformers", "unets")


@contextlib.contextmanager
def without_the_rest() -> Iterator[None]:
    """Let modules of `diffusers.models` be imported meanwhile without their siblings, and torch's compiler not at all.

    Whoever imports these packages afterwards gets the real ones; what is loaded already stays as it is.
    """
    stand_ins = {name: module for name, module in _stand_ins().items() if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def _stand_ins() -> dict[str, ModuleType]:
    spec = find_spec("diffusers")
    if spec is None or spec.origin is None:
        # The import itself says what is wrong.
        return {}
    modules = {}
    for name in GATHERING:
        package = ModuleType(f"diffusers.models.{name}")
        package.__path__ = [str(Path(spec.origin).parent / "models" / name)]
        modules[package.__name__] = package
    # Of the compiler two decorators are applied, both to what is never compiled here.
    compiler = ModuleType("torch._dynamo")
    compiler.__dict__.update(allow_in_graph=_as_it_is, disable=_as_it_is)
    modules[compiler.__name__] = compiler
    return modules


def _as_it_is(function: Any = None, *_: Any, **__: Any) -> Any:
    return (lambda decorated: decorated) if function is None else function


with without_the_rest():
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d import UNet2DModel

__all__ = ["AutoencoderKL", "UNet2DModel"]
