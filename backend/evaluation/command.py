"""`relightify evaluate TABLE`: one table a module, with `add_arguments(parser)` and `run(options)`."""

from __future__ import annotations

import argparse
import importlib

# Name, module, one-line help. A new table is one line here.
TABLES = {
    "fit": ("backend.evaluation.fit", "how well the head fits photographs: landmarks, shading, distance, seconds"),
    "geometry": ("backend.evaluation.geometry", "how near fitted heads come to true surfaces, region by region"),
    "corrections": ("backend.evaluation.corrections", "whether the head follows a hand, and nothing else moves"),
    "speed": ("backend.evaluation.speed", "seconds and memory of every stage"),
    "completion": ("backend.evaluation.completion", "how well hidden parts of real skin are completed"),
    "reflectance": ("backend.evaluation.reflectance", "albedos and normals against known ones"),
    "albedo-model": ("backend.evaluation.albedo_model", "held-out albedos by PCA, with and without the detail stage"),
    "detail": ("backend.evaluation.detail", "how well fine detail comes back from reduced photos"),
    "views": ("backend.evaluation.views", "what several photos of a person add to one: shape, hidden skin, seconds"),
    "light": ("backend.evaluation.light", "whether heads under several lights get one albedo, and keep who they are"),
    "autoencoders": ("backend.evaluation.autoencoders", "what the diffusion prior's auto-encoders keep of maps"),
    "samplers": ("backend.evaluation.samplers", "the four samplers of the diffusion prior: maps and seconds"),
    "draws": ("backend.evaluation.draws", "fair draws: energy score, blotches, distance from real maps, novelty"),
    "ablation": ("backend.evaluation.ablation", "what each heuristic gains in the tables"),
    "shape-skin": ("backend.evaluation.shape_skin", "what a person's shape tells of the skin, and the reverse"),
    "identity": ("backend.evaluation.identity", "whether rendered heads are recognised as the people in the photos"),
    "photos": ("backend.evaluation.photos.table", "what becomes of each photo of a folder, said and shown"),
    "tone": ("backend.evaluation.tone", "the diffuse albedo's error by skin tone"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the tables as subcommands; a table's module is imported once its name is asked for."""
    tables = parser.add_subparsers(dest="table", required=True, metavar="TABLE")
    for name, (module, text) in TABLES.items():
        importlib.import_module(module).add_arguments(tables.add_parser(name, help=text, description=text))


def run(options: argparse.Namespace) -> int:
    """Make the table that was asked for; returns the exit code."""
    return importlib.import_module(TABLES[options.table][0]).run(options)
