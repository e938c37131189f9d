"""What tests/test_cuda_paths.py runs on the stand-in: python -m tests.cuda_stand_in.jobs NAME FOLDER. Prints JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from unittest import mock

from tests.cuda_stand_in.device import DEVICE, KIND, install, stand_in

install()

# Only now, see `install`.
import numpy as np  # noqa: E402
import torch  # noqa: E402


def refusal(folder: Path) -> dict:
    """The stand-in itself: what CUDA refuses is refused."""
    refused = []
    with stand_in():
        there = torch.ones(2, 3, device=KIND)
        wrongs = [lambda: there + torch.ones(2, 3), lambda: there.numpy(), lambda: torch.ones(3)[there[0].long()]]
        if KIND == "mps":
            wrongs += [lambda: there.double(), lambda: torch.ones(2, dtype=torch.float64, device=KIND)]
        for wrong in wrongs:
            try:
                wrong()
            except (RuntimeError, TypeError) as error:
                refused.append(str(error))
        weight = torch.full((3,), 2.0, device=KIND, requires_grad=True)
        (there * weight).sum().backward()
        assert weight.grad is not None
        return {"refused": len(refused), "gradient": weight.grad.cpu().tolist(), "device": str(weight.grad.device)}


def stream(folder: Path) -> dict:
    """Training quadruples."""
    from backend.head.model import load_head_model
    from backend.training.skin.pack import PACK, load_pack
    from backend.training.stream.skin_stream import SkinStream

    pack, model = load_pack(PACK), load_head_model()

    def made(device: str) -> np.ndarray:
        return SkinStream(pack, model, device, seed=1, resolution=128, heads=2).batch([0, 1])[0].cpu().numpy()

    on_cpu = made("cpu")
    with stand_in():
        return {"difference": float(np.abs(made("cuda") - on_cpu).max())}


def training(folder: Path) -> dict:
    """A few steps of an auto-encoder with its discriminator, and of the denoiser."""
    from accelerate.state import AcceleratorState

    from backend.prior.diffusion.weights import MAPS
    from backend.training.priors import autoencoders, diffusion
    from tests.backend.training.priors.test_diffusion import AUTOENCODER, DENOISER, random_quadruples

    random_quadruples(folder / "quadruples")
    configurations = {"tiny": AUTOENCODER}
    names, places = list(MAPS), (folder / "quadruples", folder / "work", folder / "prior")
    gradients: list[str] = []
    with mock.patch.object(autoencoders, "CONFIGURATIONS", configurations):
        autoencoders.run_training("tiny", names, None, *places, seed=0)
        # Accelerate keeps the device that it found first.
        AcceleratorState._reset_state(reset_partial_state=True)
        with stand_in(), mock.patch("accelerate.Accelerator.clip_grad_norm_", _recorder(gradients)):
            autoencoders.run_training("tiny", ["texture"], None, places[0], folder / "again", folder / "there", seed=0)
            diffusion.train(DENOISER, "tiny", *places, 0, None)
    return {"gradients_on": sorted(set(gradients)), "steps": len(gradients)}


def _recorder(gradients: list[str]) -> Callable:
    def record(_: object, parameters: Iterable[torch.nn.Parameter], norm: float) -> None:
        gradients.extend({str(p.grad.device) for p in parameters if p.grad is not None})

    return record


def completion(folder: Path) -> dict:
    """Two samples of the quality `standard`, in two steps."""
    from dataclasses import replace

    from backend.prior.diffusion.prior import DiffusionPrior
    from backend.prior.diffusion.shipped import shipped_diffusion
    from backend.prior.linear.factor_model import shipped_prior
    from tests.backend.completing import completed, frontal_skin
    from tests.backend.prior.diffusion.test_shipped import RESOLUTION, painted_face, with_preset

    context = frontal_skin(RESOLUTION)
    partial = painted_face(context)
    coarse = shipped_prior(context.model)
    assert coarse is not None

    def short(device: str) -> DiffusionPrior:
        full = shipped_diffusion(context.model, coarse, device)["standard"]
        return with_preset(full, options=replace(full.presets["photo"].options, steps=2))

    on_cpu = completed(short("cpu"), partial, context, 0, 1)
    with stand_in():
        prior = short(KIND)
        on_gpu = completed(prior, partial, context, 0, 1)
        device = str(prior.load().device)
    names = ("texture_srgb", "diffuse_albedo_srgb", "specular_albedo", "normal")
    pairs = zip(on_cpu, on_gpu, strict=True)
    largest = [max(float(np.abs(getattr(a, n) - getattr(b, n)).max()) for n in names) for a, b in pairs]
    return {"differences": largest, "device": device}


def primitives(folder: Path) -> dict:
    """What the stages are made of, against the references."""
    from tests.backend.imaging.device_cases import differences

    with stand_in():
        return {"differences": differences(DEVICE)}


def unwrapping(folder: Path) -> dict:
    """A photo sampled at the texels of a head."""
    from backend.head.model import load_head_model
    from backend.imaging.arrays import to_host
    from backend.imaging.preview import map_preview
    from backend.rendering.rasteriser import EmbreeRasteriser
    from backend.texture.unwrap import unwrap
    from backend.texture.uv_space import uv_space
    from tests.backend.texture.test_unwrap import fit_from, photograph
    from tests.cuda_stand_in.traffic import traffic

    model, fit = load_head_model(), fit_from(20)
    photo = photograph(model, fit)[0]
    everywhere = np.ones((photo.height, photo.width), np.float32)
    given = photo, everywhere, model, fit, EmbreeRasteriser(), uv_space(model, 256)
    on_cpu = unwrap(*given)
    with stand_in(), traffic() as told:
        there = unwrap(*given, device=DEVICE)
    with stand_in():
        apart = np.abs(on_cpu.texture_srgb - to_host(there.texture_srgb))
        preview = map_preview(there.texture_srgb, there.visibility)
    seen = on_cpu.visibility > 0
    return {
        "most": float(np.quantile(apart[seen], 0.999)),
        "seen": int(seen.sum()),
        "unseen": float(apart[~seen].max()),
        "preview": int(np.abs(preview.astype(int) - map_preview(on_cpu.texture_srgb, on_cpu.visibility)).max()),
        "to_host": told.to_host,
    }


def enlarging(folder: Path) -> dict:
    """A small photo enlarged."""
    from backend.imaging.arrays import to_device, to_host
    from backend.texture import super_resolution, super_resolution_on_device
    from tests.backend.texture.test_super_resolution import linear, picture
    from tests.cuda_stand_in.traffic import traffic

    image = np.ascontiguousarray(linear(picture(5)[:90, :120]), np.float32)
    apart, factors, enlargers = [], [], super_resolution.load_enlargers()
    for pixels_per_texel in (0.5, 0.2):
        wanted, factor = super_resolution.enlarged(image, enlargers, pixels_per_texel)
        with stand_in(), traffic() as told:
            given = to_device(image, DEVICE), enlargers, pixels_per_texel
            found, there = super_resolution_on_device.enlarged(*given)
        with stand_in():
            apart.append(float(np.quantile(np.abs(to_host(found) - wanted), 0.999)))
        factors.append((factor, there))
    return {"differences": apart, "factors": factors, "to_host": told.to_host}


def coarse_completion(folder: Path) -> dict:
    """The likeliest completion by the linear prior: the quality `draft`, and the start of the others."""
    from tests.backend.prior.linear.device_case import completed, differences
    from tests.cuda_stand_in.traffic import traffic

    on_cpu = completed("cpu")
    with stand_in(), traffic() as told:
        there = completed(DEVICE)
    with stand_in():
        return {"differences": differences(on_cpu, there), "to_host": told.to_host}


def shading_fit(folder: Path) -> dict:
    """A head fitted to a photo by its landmarks and its shading."""
    from tests.backend.head.shading.device_case import differences, fitted
    from tests.cuda_stand_in.traffic import traffic

    on_cpu = fitted("cpu")
    with stand_in(), traffic() as told:
        there = fitted(DEVICE)
    return {"differences": differences(on_cpu, there), "to_host": told.to_host}


def delighting(folder: Path) -> dict:
    """Light taken off what a photo shows of the skin."""
    from tests.backend.delight.device_case import delit

    return _delit(delit)


def merging(folder: Path) -> dict:
    """Two photos' skin as one."""
    from tests.backend.delight.device_case import delit_together

    return _delit(delit_together)


def _delit(made: Callable) -> dict:
    from tests.backend.delight.device_case import differences
    from tests.cuda_stand_in.traffic import traffic

    on_cpu = made("cpu")
    with stand_in(), traffic() as told:
        there = made(DEVICE)
    with stand_in():
        apart = differences(on_cpu, there)
    return {"differences": apart, "to_host": told.to_host, "to_device": told.to_device}


def detailing(folder: Path) -> dict:
    """The whole detail stage beside itself on the CPU, and what goes between the device and the host meanwhile."""
    from tests.backend.detail.device_case import differences, made, strengths
    from tests.cuda_stand_in.traffic import traffic

    plain, full = made("cpu", 0), strengths(made("cpu", 1))
    with stand_in(), traffic() as told:
        there = strengths(made(DEVICE, 1))
    with stand_in():
        apart = differences(plain, made(DEVICE, 0))
    ratios = {name: there[name] / full[name] for name in full}
    return {"differences": apart, "strengths": ratios, "to_host": told.to_host, "to_device": told.to_device}


def whole(folder: Path) -> dict:
    """A photo to maps, in the quality `draft`, beside the same on the CPU."""
    from backend.pipeline import Pipeline
    from backend.progress import Progress
    from shared.options import JobOptions
    from tests.cuda_stand_in.traffic import traffic
    from tests.golden.golden import FOLDER, PHOTOS

    photo, options = (FOLDER / PHOTOS["portrait"]).read_bytes(), JobOptions(quality="draft", resolution=512)
    on_cpu = Pipeline("cpu").reconstruct(photo, options, Progress()).maps
    with stand_in():
        pipeline = Pipeline(KIND)
        with traffic() as told:
            there = pipeline.reconstruct(photo, options, Progress()).maps
    names = ("texture_srgb", "diffuse_albedo_srgb", "specular_albedo", "normal")
    island = pipeline.uv_space(512).mask
    apart = {name: np.abs(getattr(on_cpu, name) - getattr(there, name))[island] for name in names}
    differences = {name: float(np.quantile(difference, 0.999)) for name, difference in apart.items()}
    return {"differences": differences, "to_host": told.to_host, "to_device": told.to_device}


if __name__ == "__main__":
    networks, arithmetic = (stream, training, completion), (refusal, primitives)
    stages = shading_fit, enlarging, unwrapping, delighting, merging, coarse_completion, detailing, whole
    jobs = {job.__name__: job for job in (*networks, *arithmetic, *stages)}
    print(json.dumps({"stand_in": DEVICE, **jobs[sys.argv[1]](Path(sys.argv[2]))}), flush=True)
    # The interpreter's end would race with PyTorch's threads for a device that PyTorch does not know.
    os._exit(0)
