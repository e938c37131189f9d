"""The table `shape-skin`: what a person's shape tells of their skin, and the reverse (FitDiff draws both together)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.evaluation.shape.fit import PORTRAITS
from backend.evaluation.subjects import portraits_folder, training_records
from backend.evaluation.tables import Row, Table, write_table
from backend.imaging.colour import SMALLEST_LINEAR, srgb_to_linear
from backend.training.skin.pack import PACK, SkinPack, load_pack

PROTOCOL = """The people of the training file, each with the identity coefficients of their fit and their diffuse albedo
(log of linear colour, {side} x {side}, certain texels; principal components). A linear map with a ridge, chosen inside
each fold, from the first {shapes} identity coefficients to the first {skins} components of the skin, and the reverse:
the share of held-out variance that it explains, {folds} folds, {repeats} partitions (mean and standard deviation).
`as chance` is the largest of {shuffles} shuffles of who belongs to whom. `tone left out`: each albedo less its own mean
colour. `within groups`: both less the mean of the people of the same set, sex and recorded ethnicity, groups of at
least {least} people; what is left is what a person's shape tells of that person's skin.
"""


@dataclass(frozen=True)
class JointSettings:
    """How the two are set side by side.

    Args:
        side: of the albedo, texels.
        shapes: identity coefficients, those that vary most.
        skins: components of the skin.
        folds, repeats: of the cross-validation.
        shuffles: for the level of chance.
        least: people in a group whose mean is taken off.
        worth: per cent explained from which on a prior would draw the two together.
        ridges: that are tried, relative to the inputs' variance.
    """

    side: int = 32
    shapes: int = 30
    skins: int = 30
    folds: int = 8
    repeats: int = 10
    shuffles: int = 20
    least: int = 5
    worth: float = 5.0
    ridges: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 1e5)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `relightify evaluate shape-skin`."""
    parser.add_argument("--pack", type=Path, default=PACK, metavar="FILE", help="of skins; the one that ships")
    parser.add_argument("--portraits", type=Path, default=PORTRAITS, metavar="DIR", help="whose index tells the groups")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the table goes")


def run(options: argparse.Namespace) -> int:
    """Measure both directions; write the table.

    Raises:
        RelightifyError: ``no_pack``.
    """
    settings = JointSettings()
    pack = load_pack(options.pack)
    records = {record["id"]: record for record in training_records(portraits_folder(options))}
    groups = [group_of(records[name]) if name in records else "" for name in pack.names]
    rows = list(measure(pack, groups, settings))
    names = ("side", "shapes", "skins", "folds", "repeats", "shuffles", "least")
    protocol = PROTOCOL.format(**{name: getattr(settings, name) for name in names})
    sentences = []
    for row in rows:
        share = row.values["explained, %"]
        use = "worth drawing together" if share > settings.worth else "not worth drawing together"
        sentences.append(f"{row.prior}, {row.condition}: {share:.1f} % explained, {use}")
    write_table(Table("shape-skin", "Shape and skin", protocol, rows, sentences), options.out)
    return 0


def group_of(record: dict) -> str:
    """Set, sex and recorded ethnicity of a person."""
    return " ".join((record["id"].split("/")[0], record["gender"], record["ethnicity"]))


def measure(pack: SkinPack, groups: Sequence[str], settings: JointSettings) -> Iterator[Row]:
    """A row a direction and condition.

    Args:
        pack: people with skin and shape.
        groups: of each of them, empty where it is not known.
        settings: how.
    """
    shapes = pack.identity[:, : settings.shapes].astype(np.float64)
    skin = small_albedos(pack, settings.side)
    toneless = skin - skin.mean(axis=1, keepdims=True)
    names = np.array(groups)
    large = np.array([name != "" and (names == name).sum() >= settings.least for name in names])
    conditions = [("as it is", shapes, skin), ("tone left out", shapes, toneless)]
    if large.any():
        own_shapes, own_skin = (without_group_means(v[large], names[large]) for v in (shapes, skin))
        conditions.append(("within groups", own_shapes, own_skin))
    for condition, inner_shapes, inner_skin in conditions:
        skins = components(inner_skin.reshape(len(inner_skin), -1), settings.skins)
        for direction, inputs, outputs in (
            ("shape to skin", inner_shapes, skins),
            ("skin to shape", skins, inner_shapes),
        ):
            found = [explained(inputs, outputs, settings, seed) for seed in range(settings.repeats)]
            rng = np.random.default_rng(0)
            shuffled = [
                explained(inputs[rng.permutation(len(inputs))], outputs, settings, seed)
                for seed in range(settings.shuffles)
            ]
            figures = {
                "explained, %": 100 * float(np.mean(found)),
                "deviation": 100 * float(np.std(found)),
                "as chance, %": 100 * float(np.max(shuffled)),
                "people": len(inputs),
            }
            yield Row(direction, condition, "all", figures)


def without_group_means(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Values [n, ...] less the mean of those of the same group [n]."""
    left = values.copy()
    for name in np.unique(groups):
        left[groups == name] -= values[groups == name].mean(0)
    return left


def small_albedos(pack: SkinPack, side: int) -> np.ndarray:
    """Log linear albedos float64 [n, texels, 3] on a coarse grid, where the skin of everybody is certain."""
    size = (side, side)
    certain = np.stack([cv2.resize(c.astype(np.float32), size, interpolation=cv2.INTER_AREA) for c in pack.certain])
    albedo = np.stack([cv2.resize(a.astype(np.float32), size, interpolation=cv2.INTER_AREA) for a in pack.albedo_srgb])
    known = certain.min(0) > 0.5 * certain.max()
    return np.log(np.maximum(srgb_to_linear(albedo[:, known] / 255.0), SMALLEST_LINEAR)).astype(np.float64)


def components(values: np.ndarray, count: int) -> np.ndarray:
    """Principal component scores [n, count] of values [n, d]."""
    u, s, _ = np.linalg.svd(values - values.mean(0), full_matrices=False)
    return u[:, :count] * s[:count]


def explained(inputs: np.ndarray, outputs: np.ndarray, settings: JointSettings, seed: int) -> float:
    """Share of the variance of outputs [n, m] that a ridge regression on inputs [n, k] explains in people left out.

    Below 0 where the map is worse than the mean. Folds and ridge depend on the seed alone.
    """
    order = np.random.default_rng(seed).permutation(len(inputs))
    lost = total = 0.0
    for fold in np.array_split(order, settings.folds):
        kept = np.setdiff1d(order, fold)
        ridge = _best_ridge(inputs[kept], outputs[kept], settings, seed)
        predicted = _predicted(inputs[kept], outputs[kept], inputs[fold], ridge)
        lost += float(np.square(outputs[fold] - predicted).sum())
        total += float(np.square(outputs[fold] - outputs[kept].mean(0)).sum())
    return 1 - lost / total


def _best_ridge(inputs: np.ndarray, outputs: np.ndarray, settings: JointSettings, seed: int) -> float:
    folds = np.array_split(np.random.default_rng(seed + 1).permutation(len(inputs)), settings.folds)
    losses = []
    for ridge in settings.ridges:
        loss = 0.0
        for fold in folds:
            kept = np.setdiff1d(np.arange(len(inputs)), fold)
            loss += float(np.square(outputs[fold] - _predicted(inputs[kept], outputs[kept], inputs[fold], ridge)).sum())
        losses.append(loss)
    return settings.ridges[int(np.argmin(losses))]


def _predicted(inputs: np.ndarray, outputs: np.ndarray, asked: np.ndarray, ridge: float) -> np.ndarray:
    """Ridge regression from inputs to outputs, at `asked`; inputs are brought to a mean variance of 1."""
    mean, level = inputs.mean(0), outputs.mean(0)
    scale = np.sqrt(np.square(inputs - mean).mean())
    x, y = (inputs - mean) / scale, outputs - level
    weights = np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ y)
    return level + (asked - mean) / scale @ weights
