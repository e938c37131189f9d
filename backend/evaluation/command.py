"""`relightify evaluate TABLE`: one table a module, with `add_arguments(parser)` and `run(options)`."""

from __future__ import annotations

import argparse
import importlib
from types import ModuleType

# Name, module of this folder, one-line help. A new table is one line here.
TABLES = {
    "fit": ("shape.fit", "how well the head fits photographs: landmarks, shading, distance, seconds"),
    "geometry": ("shape.geometry", "how near fitted heads come to true surfaces, region by region"),
    "confidence": ("shape.confidence", "whether fits know how far from the truth they are, in hard poses"),
    "corrections": ("shape.corrections", "whether the head follows a hand, and nothing else moves"),
    "speed": ("speed", "seconds and memory of every stage"),
    "completion": ("completion", "how well hidden parts of real skin are completed"),
    "reflectance": ("skin.reflectance", "albedos and normals against known ones"),
    "albedo-model": ("skin.albedo_model", "held-out albedos by PCA, with and without the detail stage"),
    "detail": ("skin.detail", "how well fine detail comes back from reduced photos"),
    "views": ("shape.views", "what several photos of a person add to one: shape, hidden skin, seconds"),
    "marks": ("skin.marks", "which part of marks painted on photographs is told from their light"),
    "light": ("skin.light", "whether heads under several lights get one albedo, and keep who they are"),
    "autoencoders": ("autoencoders", "what the diffusion prior's auto-encoders keep of maps"),
    "samplers": ("samplers", "the four samplers of the diffusion prior: maps and seconds"),
    "draws": ("draws", "fair draws: energy score, blotches, distance from real maps, novelty"),
    "ablation": ("skin.ablation", "what each heuristic gains in the tables"),
    "shape-skin": ("shape.shape_skin", "what a person's shape tells of the skin, and the reverse"),
    "identity": ("identity", "whether rendered heads are recognised as the people in the photos"),
    "photos": ("photos.table", "what becomes of each photo of a folder, said and shown"),
    "tone": ("skin.tone", "the diffuse albedo's error by skin tone"),
}


def _module(table: str) -> ModuleType:
    return importlib.import_module(f"backend.evaluation.{TABLES[table][0]}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the tables as subcommands; a table's module is imported once its name is asked for."""
    tables = parser.add_subparsers(dest="table", required=True, metavar="TABLE")
    for name, (_, text) in TABLES.items():
        _module(name).add_arguments(tables.add_parser(name, help=text, description=text))


def run(options: argparse.Namespace) -> int:
    """Make the table that was asked for; returns the exit code."""
    return _module(options.table).run(options)
