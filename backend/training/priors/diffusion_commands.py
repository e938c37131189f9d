"""The commands that train the diffusion prior; what they need beside the backend is imported when they run."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from backend.prior.diffusion.weights import MAPS
from backend.training.stream.quadruples import FOLDER, ROOT

WORK = ROOT / "out" / "diffusion"


def add_diffusion_commands(commands: argparse._SubParsersAction) -> None:
    """`autoencoders` and `diffusion`."""
    parser = commands.add_parser("autoencoders", help="train the auto-encoders of the four maps")
    _add_common(parser)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what `quadruples` made")
    parser.add_argument("--maps", nargs="+", choices=MAPS, default=list(MAPS))
    parser.set_defaults(run=_autoencoders)
    parser = commands.add_parser("diffusion", help="train the latent diffusion model; needs the auto-encoders in --out")
    _add_common(parser)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what `quadruples` made")
    parser.add_argument("--minutes", type=float, default=None, help="stop after that long; a later run goes on")
    parser.add_argument("--begin", type=Path, default=None, help="weights that a new run begins with")
    parser.set_defaults(run=_diffusion)


def _add_common(parser: argparse.ArgumentParser) -> None:
    configuration = "base" if torch.cuda.is_available() else "tiny"
    parser.add_argument("--config", choices=("tiny", "base"), default=configuration)
    parser.add_argument("--steps", type=int, default=None, help="instead of the configuration's")
    parser.add_argument("--work", type=Path, default=WORK, help="checkpoints and logs; a run goes on from there")
    parser.add_argument("--out", type=Path, default=WORK / "prior", help="where the weights go")
    parser.add_argument("--seed", type=int, default=0)


def _autoencoders(chosen: argparse.Namespace) -> None:
    from backend.training.priors.autoencoders import HELD_BACK, run_training

    reached = run_training(chosen.config, chosen.maps, chosen.steps, chosen.data, chosen.work, chosen.out, chosen.seed)
    for name, quality in reached.items():
        print(f"{name}: {quality:.2f} dB on {HELD_BACK} quadruples that were not trained on")


def _diffusion(chosen: argparse.Namespace) -> None:
    from backend.training.priors.diffusion import CONFIGURATIONS, shortened, train

    training = shortened(CONFIGURATIONS[chosen.config], chosen.steps)
    train(training, chosen.config, chosen.data, chosen.work, chosen.out, chosen.seed, chosen.minutes, chosen.begin)
