"""`python -m backend.training diffusion`: trains the denoiser on the latents of all four maps (paper, eq. 4 and 7).

The loss is that of eq. 4, each step weighted: it is taken on what the linear denoiser misses of z_0, in units of what
it is expected to miss there, so that every step counts alike.
"""

from __future__ import annotations

import copy
import logging
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import torch
from accelerate import Accelerator, PartialState
from torch import Tensor

from backend.head.model import load_head_model
from backend.prior.diffusion.denoiser import DenoiserConfig, LatentDenoiser, untrained_network
from backend.prior.diffusion.facts import add_facts
from backend.prior.diffusion.latent_space import LatentStatistics
from backend.prior.diffusion.observation import Observation
from backend.prior.diffusion.sampler_options import SamplerOptions
from backend.prior.diffusion.sampling import NoiseSource
from backend.prior.diffusion.schedule import NoiseSchedule
from backend.prior.diffusion.weights import (
    MAPS,
    STATISTICS,
    DiffusionWeights,
    load_autoencoder,
    load_weights,
    quick,
    save_denoiser,
)
from backend.prior.linear.factor_model import layout_of
from backend.training.priors.autoencoders import HELD_BACK, scheduled
from backend.training.priors.diffusion_sheet import sample_sheet
from backend.training.priors.latents import encode_all, statistics_of
from backend.training.stream.quadruples import Quadruples
from shared.errors import RelightifyError

_log = logging.getLogger(__name__)
GRADIENT_CLIP, LOG_EVERY = 1.0, 100
LEVELS = ((1, 250), (250, 500), (500, 750), (750, 1000))


@dataclass(frozen=True)
class DenoiserTraining:
    """How the denoiser is trained.

    Args:
        network: its size.
        steps: optimiser steps.
        batch: latents a step.
        rate: highest learning rate.
        average: of the running mean of the weights, by step.
        sheet_every: steps between pictures of samples from noise.
    """

    network: DenoiserConfig = field(default_factory=lambda: DenoiserConfig((64, 96, 160), 1))
    steps: int = 3000
    batch: int = 8
    rate: float = 4e-4
    average: float = 0.998
    sheet_every: int = 500


CONFIGURATIONS = {
    "tiny": DenoiserTraining(),
    "base": DenoiserTraining(DenoiserConfig((64, 96, 160), 2), 30_000, 64, 6e-4, 0.9995, 5000),
}


class Training:
    """The state of one run: weights, their running mean, optimiser, and what it is trained on.

    Args:
        training: how.
        latents: float16 [N, 12, h, h], the first `HELD_BACK` of which are never trained on.
        folder: has the checkpoint, where there is one.
        seed: of weights and noise.
        begin: weights that a new run begins with, of a network of the same size.
    """

    def __init__(
        self, training: DenoiserTraining, latents: Tensor, folder: Path, seed: int, begin: Path | None = None
    ) -> None:
        self.training, self.folder = training, folder
        self.accelerator = Accelerator(mixed_precision="bf16", log_with="tensorboard", project_dir=str(folder))
        self.accelerator.init_trackers("denoiser")
        self.schedule = NoiseSchedule.cosine()
        known = load_weights(begin) if begin is not None else None
        self.statistics = self._kept_statistics(latents, known)
        torch.manual_seed(seed)
        network = untrained_network(latents.shape[1], latents.shape[-1], training.network)
        if known is not None:
            network.load_state_dict(known.denoiser.network.state_dict())
        network = quick(network, "cpu")
        self.mean = copy.deepcopy(network).requires_grad_(False)
        self.optimiser = torch.optim.AdamW(network.parameters(), training.rate, betas=(0.9, 0.99), weight_decay=1e-3)
        self.step = 0
        if self._checkpoint.is_file():
            state = torch.load(self._checkpoint, map_location="cpu", weights_only=True)
            network.load_state_dict(state["network"])
            self.mean.load_state_dict(state["mean"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = int(state["step"])
        self.network, self.optimiser = self.accelerator.prepare(network, self.optimiser)
        device = self.accelerator.device
        self.mean.to(device)
        statistics = self.statistics.to(device)
        self.model = LatentDenoiser(self.network, statistics, self.schedule)
        self.averaged = LatentDenoiser(self.mean, statistics, self.schedule)
        self.whitened = statistics.whitened(latents.to(device, torch.float32)).half()
        # Every process, and every part of a run, draws its own numbers.
        torch.manual_seed(seed + 1000 * self.accelerator.process_index + self.step)

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "denoiser.pt"

    def _kept_statistics(self, latents: Tensor, known: DiffusionWeights | None) -> LatentStatistics:
        """Those of the first part of a run: its later parts may have more latents, but must whiten them alike.

        A network that is known goes on with the rotation that it has learnt with.
        """
        path = self.folder / STATISTICS
        if not path.is_file():
            rotation = None if known is None else known.statistics.rotation
            statistics_of(latents[HELD_BACK:], rotation=rotation).save(path)
        return LatentStatistics.load(path)

    def save(self) -> None:
        """Keep all that a later run needs to go on."""
        state = {
            "network": self.accelerator.unwrap_model(self.network).state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        torch.save(state, self._checkpoint.with_suffix(".new"))
        self._checkpoint.with_suffix(".new").replace(self._checkpoint)

    def advance(self) -> float:
        """One step of eq. 4 for latents drawn at random, in units of what the linear denoiser is off by."""
        device = self.accelerator.device
        chosen = torch.randint(HELD_BACK, len(self.whitened), (self.training.batch,), device=device)
        clean = self.whitened[chosen].float()
        t = torch.randint(1, self.schedule.steps + 1, (len(clean),), device=device)
        noisy = self.schedule.noised(clean, t, torch.randn_like(clean))
        for group in self.optimiser.param_groups:
            group["lr"] = self.training.rate * scheduled(self.step, self.training.steps)
        with self.accelerator.autocast():
            linear, missing = self.model.parts(noisy, t)
        loss = (missing - (clean - linear) / self.model.left(t)).square().mean()
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.network.parameters(), GRADIENT_CLIP)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.step += 1
        kept = min(self.training.average, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mean, value in zip(self.mean.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(value, 1 - kept)
        return float(loss.detach())

    @torch.inference_mode()
    def judge(self) -> dict[str, float]:
        """By level of noise: squared error on latents held back over that of the linear denoiser alone."""
        device = self.accelerator.device
        clean = self.whitened[:HELD_BACK].float()
        generator = torch.Generator("cpu").manual_seed(0)
        ratios = {}
        for low, high in LEVELS:
            t = torch.randint(low, high, (len(clean),), generator=generator).to(device)
            noise = torch.randn(clean.shape, generator=generator).to(device)
            noisy = self.schedule.noised(clean, t, noise)
            with self.accelerator.autocast():
                linear, missing = self.averaged.parts(noisy, t)
            left = self.averaged.left(t)
            error = ((clean - linear) / left - missing).square().mean()
            ratios[f"{low}-{high}"] = float(error / ((clean - linear) / left).square().mean())
        return ratios


def train(
    training: DenoiserTraining,
    name: str,
    data: Path,
    work: Path,
    out: Path,
    seed: int,
    minutes: float | None,
    begin: Path | None = None,
) -> None:
    """Train, going on from the checkpoint in `work`, and write the averaged weights to `out`.

    Args:
        training: how.
        name: of that configuration.
        data: what `quadruples` made.
        out: has the auto-encoders already.
        minutes: stop after that long and leave the rest for a later run.
        begin: weights that a new run begins with.

    Raises:
        RelightifyError: ``no_quadruples`` or ``no_autoencoders``: what is trained on is missing.
    """
    quadruples = Quadruples.open(data)
    missing = [name for name in MAPS if not (out / f"{name}_autoencoder").is_dir()]
    if missing:
        raise RelightifyError(
            "no_autoencoders",
            f"The auto-encoders of {', '.join(missing)} are not in {out}.",
            "Train them first: python -m backend.training autoencoders --out FOLDER.",
        )
    work.mkdir(parents=True, exist_ok=True)
    autoencoders = {name: load_autoencoder(out, name) for name in MAPS}
    processes = PartialState()
    assert processes.device is not None
    # One process encodes, the others then read its file.
    with processes.main_process_first():
        latents = encode_all(autoencoders, quadruples, work / "latents.pt", processes.device)
    run = Training(training, latents, work, seed, begin)
    started, losses = time.perf_counter(), []
    while run.step < training.steps and (minutes is None or time.perf_counter() - started < 60 * minutes):
        losses.append(run.advance())
        if run.step % LOG_EVERY == 0:
            ratios = run.judge()
            loss = sum(losses) / len(losses)
            run.accelerator.log({"loss": loss, **ratios}, step=run.step)
            told = " ".join(f"{level}: {ratio:.3f}" for level, ratio in ratios.items())
            seconds = time.perf_counter() - started
            _log.info("%d/%d loss %.4f, of the linear error %s, %.0f s", run.step, training.steps, loss, told, seconds)
            losses = []
            if run.accelerator.is_main_process:
                run.save()
        if run.step % training.sheet_every == 0 and run.accelerator.is_main_process:
            _sheet(run, autoencoders, work / f"samples_{run.step:06d}.png")
    if run.accelerator.is_main_process:
        run.save()
        _export(run, name, out, len(latents))
    run.accelerator.end_training()


def _export(run: Training, name: str, out: Path, samples: int) -> None:
    save_denoiser(run.mean, run.statistics, out)
    facts = {
        "configuration": name,
        "steps": run.step,
        "of_steps": run.training.steps,
        "batch": run.training.batch,
        "quadruples": (samples - HELD_BACK) // 2,  # each is there mirrored as well
        "device": str(run.accelerator.device),
        "of_the_linear_error": {level: round(ratio, 3) for level, ratio in run.judge().items()},
    }
    add_facts(out, {"denoiser": facts, "layout": layout_of(load_head_model())})


def _sheet(run: Training, autoencoders: dict, path: Path) -> None:
    weights = DiffusionWeights(autoencoders, run.averaged, run.statistics.to(run.accelerator.device))
    observation = Observation.nothing(4, size=run.whitened.shape[-1]).to(run.accelerator.device)
    picture = sample_sheet(
        weights, run.schedule, observation, SamplerOptions(steps=50), NoiseSource.of_seeds(0, 1, 2, 3)
    )
    cv2.imwrite(str(path), picture[..., ::-1])


def shortened(training: DenoiserTraining, steps: int | None) -> DenoiserTraining:
    """The same with another number of steps, where one is given."""
    return training if steps is None else replace(training, steps=steps)
