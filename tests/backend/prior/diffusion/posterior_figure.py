"""The figure of docs/research/samplers.md: `python -m tests.backend.prior.diffusion.posterior_figure FILE.png`."""

from __future__ import annotations

import sys

import matplotlib
import torch

from backend.prior.diffusion.sampler_options import SamplerOptions
from tests.backend.prior.diffusion.gaussian_toy import GaussianToy, run

PANELS = {
    "score_sde": SamplerOptions("score_sde", 100),
    "repaint, n = 10": SamplerOptions("repaint", 50, resamplings=10),
    "mcg, zeta / |residual|": SamplerOptions("mcg", 100, "residual", zeta=1.0),
    "mcg, posterior step": SamplerOptions("mcg", 100, solves=3),
    "mcg_ddim, posterior step": SamplerOptions("mcg_ddim", 50, solves=3),
}
COLUMN = 3


def main(path: str) -> None:
    """One column of cells of the toy, seen above and hidden below: posterior (grey) against samples (blue)."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    toy = GaussianToy.make(channels=4, side=8, length=2.0)
    unknown, mean, covariance = toy.posterior()
    exact, spread = toy.truth.clone(), torch.zeros_like(toy.truth)
    exact[unknown], spread[unknown] = mean, covariance.diag().sqrt()
    grid = (4, 8, 8)
    figure, axes = pyplot.subplots(2, len(PANELS), figsize=(13, 4.2), sharex=True, sharey="row")
    cells = range(8)
    for place, (title, options) in enumerate(PANELS.items()):
        drawn = run(toy, options, batch=300).double().reshape(300, *grid)
        for row, (channel, name) in enumerate(((0, "texture"), (3, "reflectance"))):
            axis = axes[row, place]
            centre, wide = exact.reshape(grid)[channel, :, COLUMN], spread.reshape(grid)[channel, :, COLUMN]
            axis.fill_between(cells, centre - 2 * wide, centre + 2 * wide, color="0.82", label="posterior, 2 s.d.")
            axis.plot(cells, centre, color="0.45", linewidth=1)
            ours = drawn[:, channel, :, COLUMN]
            axis.errorbar(cells, ours.mean(0), 2 * ours.std(0), color="tab:blue", fmt="o", markersize=3, linewidth=1)
            axis.axvline(3.5, color="0.6", linewidth=0.6, linestyle=":")
            if row == 0:
                axis.set_title(title, fontsize=9)
            if place == 0:
                axis.set_ylabel(name, fontsize=9)
            axis.tick_params(labelsize=7)
    figure.tight_layout(pad=0.6)
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main(sys.argv[1])
