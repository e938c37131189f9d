"""`python -m backend.training autoencoders`: trains the four auto-encoders of the maps (paper, section 3.2).

Reconstruction in absolute differences at three scales, a KL term, and, in the last two fifths, a patch discriminator
(Esser et al., "Taming transformers for high-resolution image synthesis", 2021, section 3.1) that keeps skin from
going smooth. The perceptual loss, which the paper has as well, is left out. Everything is learnt from random crops: the
networks see no further than a few cells.
"""

from __future__ import annotations

import json
import logging
import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional

from backend.prior.channels import QUADRUPLE
from backend.prior.diffusion.autoencoder import DOWN, AutoencoderConfig, MapAutoencoder, divergence, sampled
from backend.prior.diffusion.weights import MAPS, quick, save_autoencoder
from backend.training.stream.quadruples import Quadruples, as_float

_log = logging.getLogger(__name__)
CHANNELS: dict[str, slice] = dict(zip(MAPS, QUADRUPLE, strict=True))
FLIPPED = torch.tensor([-1.0, 1.0, 1.0]).reshape(1, 3, 1, 1)  # a mirrored normal's x changes its sign
KL_WEIGHT, GRADIENT_CLIP = 1e-6, 1.0
HELD_BACK = 16  # the last quadruples are never trained on: they tell how training goes


@dataclass(frozen=True)
class AutoencoderTraining:
    """How one auto-encoder is trained.

    Args:
        widths: see `AutoencoderConfig`.
        steps: optimiser steps.
        batch: crops a step.
        crop: texels along a crop's side, a multiple of 8.
        rate: highest learning rate.
        adversarial: weight of the discriminator's judgement once it joins.
        joins: share of the steps after which it does.
    """

    widths: tuple[int, int] = (48, 80)
    layers: int = 1
    steps: int = 2000
    batch: int = 8
    crop: int = 128
    rate: float = 1e-3
    adversarial: float = 0.005
    joins: float = 0.6


CONFIGURATIONS = {
    "tiny": AutoencoderTraining(),
    "base": AutoencoderTraining(widths=(64, 96), steps=12_000, batch=32, crop=192, rate=6e-4),
}


@dataclass(frozen=True)
class Crops:
    """Random crops of one map."""

    quadruples: Quadruples
    numbers: np.ndarray
    channels: slice
    size: int
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def draw(self, count: int) -> Tensor:
        """float32 [count, C, size, size], half of them mirrored."""
        side = self.quadruples.values.shape[-1]
        crops = []
        for _ in range(count):
            row, column = (DOWN * int(n) for n in self.rng.integers(0, (side - self.size) // DOWN + 1, 2))
            number = self.rng.choice(self.numbers)
            crop = self.quadruples.values[number, self.channels, row : row + self.size, column : column + self.size]
            crops.append(np.array(crop))
        maps = as_float(np.stack(crops))
        return mirrored(maps, self.channels) if self.rng.random() < 0.5 else maps


def mirrored(maps: Tensor, channels: slice) -> Tensor:
    """Maps [B, C, R, R] of the mirrored face."""
    flipped = maps.flip(-1)
    return flipped * FLIPPED.to(maps.device) if channels == QUADRUPLE.normal else flipped


class PatchDiscriminator(nn.Sequential):
    """Judges patches of about 32 texels, [B, C, R, R] to [B, 1, R/8, R/8]; Isola et al. 2017, section 3.2.2."""

    def __init__(self, channels: int, width: int = 32) -> None:
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for k in (1, 2):
            layers += [nn.Conv2d(width * k, width * k * 2, 4, 2, 1), nn.GroupNorm(8, width * k * 2), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Conv2d(width * 4, 1, 3, 1, 1))


def reconstruction_loss(maps: Tensor, rebuilt: Tensor) -> Tensor:
    """Mean absolute difference, at full, half and quarter resolution."""
    losses = [functional.l1_loss(rebuilt, maps)]
    for _ in range(2):
        maps, rebuilt = functional.avg_pool2d(maps, 2), functional.avg_pool2d(rebuilt, 2)
        losses.append(functional.l1_loss(rebuilt, maps))
    return torch.stack(losses).sum()


def train_autoencoder(
    name: str, quadruples: Quadruples, training: AutoencoderTraining, folder: Path, seed: int = 0
) -> MapAutoencoder:
    """Train one map's auto-encoder; goes on from the checkpoint in `folder`, where there is one."""
    accelerator = Accelerator(mixed_precision="bf16", log_with="tensorboard", project_dir=str(folder))
    accelerator.init_trackers(f"autoencoder_{name}")
    torch.manual_seed(seed)
    channels = CHANNELS[name]
    count = len(range(10)[channels])
    model = MapAutoencoder.untrained(AutoencoderConfig(count, training.widths, training.layers))
    critic = PatchDiscriminator(count)
    model, critic = quick(model, "cpu"), quick(critic, "cpu")
    optimiser = torch.optim.AdamW(model.parameters(), training.rate, betas=(0.9, 0.99), weight_decay=1e-4)
    rival = torch.optim.AdamW(critic.parameters(), training.rate * 0.5, betas=(0.5, 0.9))
    checkpoint, first = folder / f"{name}.pt", 0
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        for part, key in ((model, "model"), (critic, "critic"), (optimiser, "optimiser"), (rival, "rival")):
            part.load_state_dict(state[key])
        first = int(state["step"])
    model, critic, optimiser, rival = accelerator.prepare(model, critic, optimiser, rival)
    numbers = quadruples.numbers()
    crops = Crops(quadruples, numbers[:-HELD_BACK], channels, training.crop, np.random.default_rng([seed, first]))
    started = time.perf_counter()
    for step in range(first, training.steps):
        for group, peak in ((optimiser, training.rate), (rival, training.rate * 0.5)):
            group.param_groups[0]["lr"] = peak * scheduled(step, training.steps)
        maps = crops.draw(training.batch).to(accelerator.device)
        losses = _step(accelerator, model, critic, optimiser, rival, maps, step, training)
        if step % 100 == 99 or step + 1 == training.steps:
            whole = accelerator.unwrap_model(model)
            quality = psnr(whole, quadruples, numbers[-HELD_BACK:][:4], channels, accelerator.device)
            accelerator.log({**losses, "psnr": quality}, step=step)
            seconds = time.perf_counter() - started
            _log.info("%s %d/%d %s psnr %.2f, %.0f s", name, step + 1, training.steps, _brief(losses), quality, seconds)
            if accelerator.is_main_process:
                parts = {"model": whole, "critic": accelerator.unwrap_model(critic), "optimiser": optimiser}
                state = {key: part.state_dict() for key, part in {**parts, "rival": rival}.items()}
                torch.save({**state, "step": step + 1}, checkpoint.with_suffix(".new"))
                checkpoint.with_suffix(".new").replace(checkpoint)
    accelerator.end_training()
    return accelerator.unwrap_model(model).eval().cpu()


def _step(
    accelerator: Accelerator,
    model: nn.Module,
    critic: nn.Module,
    optimiser: torch.optim.Optimizer,
    rival: torch.optim.Optimizer,
    maps: Tensor,
    step: int,
    training: AutoencoderTraining,
) -> dict[str, float]:
    """One step of the auto-encoder, then one of the discriminator."""
    judged = training.adversarial > 0 and step >= training.joins * training.steps
    whole = accelerator.unwrap_model(model)
    with accelerator.autocast():
        mean, log_variance = whole.encode(maps)
        rebuilt = whole.decode(sampled(mean, log_variance, torch.randn_like(mean)))
        loss = reconstruction_loss(maps, rebuilt.float()) + KL_WEIGHT * divergence(mean.float(), log_variance.float())
        if judged:
            loss = loss - training.adversarial * critic(rebuilt).float().mean()
    accelerator.backward(loss)
    accelerator.clip_grad_norm_(model.parameters(), GRADIENT_CLIP)
    optimiser.step()
    optimiser.zero_grad()
    if not judged:
        return {"loss": float(loss.detach())}
    with accelerator.autocast():
        real, made = critic(maps).float(), critic(rebuilt.detach()).float()
        rivalry = functional.relu(1 - real).mean() + functional.relu(1 + made).mean()
    rival.zero_grad()
    accelerator.backward(rivalry)
    rival.step()
    return {"loss": float(loss.detach()), "discriminator": float(rivalry.detach())}


def scheduled(step: int, steps: int, warm: int = 50) -> float:
    """Share of the highest learning rate: a short rise, then half a cosine to a hundredth."""
    rise = min(1.0, (step + 1) / warm)
    return rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


@torch.inference_mode()
def psnr(
    model: MapAutoencoder, quadruples: Quadruples, numbers: np.ndarray, channels: slice, device: torch.device | str
) -> float:
    """Mean PSNR in dB over whole maps, whose values span 2."""
    values = []
    for number in numbers:
        maps = as_float(quadruples.values[number, channels][None], device)
        rebuilt = model.decode(model.encode(maps)[0])
        values.append(-10 * math.log10(float((rebuilt - maps).square().mean()) / 4))
    return float(np.mean(values))


def _brief(losses: dict[str, float]) -> str:
    return " ".join(f"{name} {value:.4f}" for name, value in losses.items())


def run_training(
    configuration: str, names: list[str], steps: int | None, data: Path, work: Path, out: Path, seed: int
) -> dict[str, float]:
    """Train the auto-encoders of the named maps and write them; PSNR in dB on quadruples held back, by map."""
    training = CONFIGURATIONS[configuration]
    training = training if steps is None else replace(training, steps=steps)
    quadruples = Quadruples.open(data)
    work.mkdir(parents=True, exist_ok=True)
    reached = {}
    for name in names:
        model = train_autoencoder(name, quadruples, training, work, seed)
        reached[name] = psnr(model, quadruples, quadruples.numbers()[-HELD_BACK:], CHANNELS[name], "cpu")
        facts = {"configuration": configuration, "steps": training.steps, "psnr_synthetic": round(reached[name], 2)}
        save_autoencoder(model, out, name, json.dumps(facts))
    return reached
