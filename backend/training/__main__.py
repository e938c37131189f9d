"""`python -m backend.training <what>`: builds what ships in `backend/assets`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from backend.asset_files import ROOT, SOURCES, write_manifest
from backend.training.face_embedding import add_identity_command
from backend.training.priors.diffusion_commands import add_diffusion_commands
from backend.training.priors.linear_command import add_coarse_prior_command
from backend.training.skin.commands import add_skin_commands
from backend.training.skin.detail_statistics import add_detail_statistics_command
from backend.training.skin.super_resolution import add_photo_enlarging_command
from backend.training.stream.quadruples import add_quadruples_command
from backend.training.stream.studio_lights import add_studio_lights_command
from shared.errors import RelightifyError


def main(arguments: list[str] | None = None) -> int:
    """Run one of the builds; the exit status is 1 where it fails with an error that says why."""
    parser = argparse.ArgumentParser(prog="python -m backend.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_head_model(commands)
    add_skin_commands(commands)
    add_coarse_prior_command(commands)
    add_quadruples_command(commands)
    add_diffusion_commands(commands)
    add_detail_statistics_command(commands)
    add_photo_enlarging_command(commands)
    add_studio_lights_command(commands)
    add_identity_command(commands)
    manifest = commands.add_parser("manifest", help="write backend/assets/manifest.json anew; every build does it too")
    manifest.set_defaults(run=lambda chosen: None)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        chosen.run(chosen)
        if write_manifest():
            logging.info("The manifest of the assets is written anew.")
    except RelightifyError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    return 0


def _add_head_model(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("head-model", help="build backend/assets/head_model.npz and its report")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "head_model", help="folder of the report")
    parser.add_argument("--sources", type=Path, default=SOURCES, help="folder with ict_facekit and valid_heads")
    parser.set_defaults(run=_head_model)


def _head_model(chosen: argparse.Namespace) -> None:
    # Imported here, because each build has dependencies of its own.
    from backend.training.head.build import build_head_model

    build_head_model(chosen.sources, chosen.out)


if __name__ == "__main__":
    sys.exit(main())
