"""The command `relightify`. Heavy modules are imported by the commands that need them, so that --help is instant."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.device import DEVICES
from backend.option_arguments import add_option_arguments, options_of
from backend.threads import calm
from shared.corrections import Corrections, read_corrections
from shared.errors import JobCancelled, RelightifyError

EXIT_CODES = """exit codes:
  0    done
  1    something went wrong inside Relightify
  2    the command line is wrong, or asks for what this installation does not have
  3    the photo or its face cannot be used
  4    the result cannot be written
  5    this installation lacks something; relightify doctor says what
  6    the backend that Blender talks to cannot be started
  130  cancelled
"""
OK, INTERNAL, USAGE, PHOTO, OUTPUT, INSTALLATION, SERVICE, CANCELLED = 0, 1, 2, 3, 4, 5, 6, 130
_CODES = {
    USAGE: ("bad_option", "bad_corrections", "quality_unavailable", "bad_face_index", "no_cuda", "no_mps"),
    PHOTO: ("no_face", "face_too_small", "face_in_profile", "no_pose", "too_little_skin", "photo_not_found"),
    OUTPUT: ("disk_full", "cannot_write"),
    INSTALLATION: (
        *("model_unavailable", "model_corrupt", "asset_missing", "asset_corrupt", "cache_unwritable"),
        *("anny_missing", "command_missing", "missing_library"),
    ),
    SERVICE: ("already_running", "cannot_listen", "connection_file", "connection_exposed", "bad_keys"),
    CANCELLED: ("cancelled",),
}


@dataclass(frozen=True)
class Command:
    """A subcommand: its one-line help, how to declare its arguments, and what runs it (both looked up when needed)."""

    help: str
    load: Callable[[], tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int | None]]]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code (see `EXIT_CODES`)."""
    calm()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files need not be text, nor be known to the encoding of a pipe.
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = _parse(arguments)
        _set_up_logging(options.verbose)
        return options.run(options) or OK
    except RelightifyError as error:
        if not isinstance(error, JobCancelled):
            print(f"relightify: error: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        print("\nrelightify: cancelled", file=sys.stderr)
        return CANCELLED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        logging.getLogger(__name__).debug("Internal error", exc_info=True)
        print(
            f"relightify: internal error: {type(error).__name__}: {error}. "
            "Run again with --verbose for the traceback, and report it.",
            file=sys.stderr,
        )
        return INTERNAL


def exit_code(error: RelightifyError) -> int:
    """The exit code that stands for an error."""
    for number, codes in _CODES.items():
        if error.code in codes:
            return number
    return PHOTO if error.code.startswith("photo_") else INTERNAL


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="relightify",
        description="One photo in, a relightable 3D head out.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    chosen = next((a for a in arguments if not a.startswith("-")), None)
    for name, command in COMMANDS.items():
        sub = subparsers.add_parser(
            name, help=command.help, description=command.help, epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        if name == chosen:
            add_arguments, run = command.load()
            add_arguments(sub)
            # A command may have a --verbose of its own.
            if not any("--verbose" in action.option_strings for action in sub._actions):
                sub.add_argument("--verbose", action="store_true", help="log to the terminal")
            sub.set_defaults(run=run)
    parsed = parser.parse_args(arguments)
    if parsed.version:
        parsed.run, parsed.verbose = _print_version, False
    elif parsed.command is None:
        parser.error("a command is needed: " + ", ".join(COMMANDS))
    return parsed


def _print_version(options: argparse.Namespace) -> int:
    del options
    from importlib.metadata import PackageNotFoundError, version

    try:
        print(f"relightify {version('relightify')}")
    except PackageNotFoundError:
        print("relightify (not installed; run from its source)")
    return OK


def _set_up_logging(verbose: bool) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.ERROR, format="%(asctime)s %(name)s %(levelname)s: %(message)s"
    )
    # Errors reach the terminal as one sentence; without --verbose the log's version of them would only repeat it.
    logging.getLogger("backend").setLevel(logging.DEBUG if verbose else logging.CRITICAL)


# --- reconstruct ------------------------------------------------------------------------------------------------


def _add_reconstruct_arguments(parser: argparse.ArgumentParser) -> None:
    text = "an image file with a face in it; several are of one person, the one from the front first"
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO", help=text)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--landmarks",
        type=Path,
        metavar="FILE",
        help="JSON with corrected landmarks; a reconstruction.json has them under the same name",
    )
    add_option_arguments(parser)
    text = "which face of the second photo and those after it, parted by commas; - is the largest"
    parser.add_argument("--further-faces", type=_face_numbers, default=(), metavar="N,N", help=text)
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: %(default)s")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _reconstruct(options: argparse.Namespace) -> int:
    job = options_of(options)
    corrections = read_landmarks_file(options.landmarks) if options.landmarks is not None else Corrections()
    photos = [_read_photo_file(path) for path in options.photos]
    from backend.output import require_writable, write_reconstruction
    from backend.terminal import ProgressBar

    require_writable(options.out, options.resolution, options.samples)
    bar = ProgressBar(sys.stderr, quiet=options.quiet)
    try:
        # Shown before the imports, which take seconds on a busy machine.
        bar.show("loading", 0.0)
        from backend.pipeline import Pipeline
        from backend.progress import Progress

        pipeline = Pipeline(options.device)
        result = pipeline.reconstruct(
            photos, job, Progress(callback=bar), further_faces=options.further_faces, corrections=corrections
        )
        bar.show("writing", 1.0)
        write_reconstruction(result, pipeline.model, options.out)
    finally:
        bar.close()
    for warning in result.warnings:
        print(f"relightify: warning: {warning}", file=sys.stderr)
    print(options.out)
    return OK


def _face_numbers(text: str) -> tuple[int | None, ...]:
    try:
        numbers = tuple(None if part.strip() == "-" else int(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no list of numbers such as 0,-,1") from error
    if any(number is not None and number < 0 for number in numbers):
        raise argparse.ArgumentTypeError("faces are numbered from 0")
    return numbers


def _read_photo_file(path: Path) -> bytes:
    from shared.photo_files import photo_file_bytes

    try:
        return photo_file_bytes(path)
    except IsADirectoryError as error:
        raise RelightifyError(
            "photo_not_found", f"{path} is a folder, not a photo.", "Name an image file in it."
        ) from error
    except OSError as error:
        raise RelightifyError(
            "photo_not_found", f"The photo {path} cannot be read: {error.strerror}.", "Check the path."
        ) from error


def read_landmarks_file(path: Path) -> Corrections:
    """The corrected landmarks in a JSON file.

    Raises:
        RelightifyError: ``bad_corrections``, also where the file cannot be read or is no JSON.
    """
    try:
        return read_corrections(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no JSON"
        raise RelightifyError(
            "bad_corrections",
            f"The landmarks in {path} cannot be read: {reason}.",
            "Name a file such as the reconstruction.json of a head.",
        ) from error


# --- the other commands -----------------------------------------------------------------------------------------


def _load_reconstruct() -> tuple:
    return _add_reconstruct_arguments, _reconstruct


def _from_module(name: str) -> Callable[[], tuple]:
    """A command that lives in a module with `add_arguments(parser)` and `run(options)`."""

    def load() -> tuple:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise RelightifyError(
                "command_missing",
                f"This command needs {error.name}, which is not installed.",
                "Install Relightify with all its dependencies; relightify doctor says what is missing.",
            ) from error
        return module.add_arguments, module.run

    return load


COMMANDS = {
    "reconstruct": Command(
        "reconstruct the face in one or several photos: head, maps and coefficients", _load_reconstruct
    ),
    "batch": Command(
        "reconstruct the faces of many photos, with a contact sheet", _from_module("backend.batch.command")
    ),
    "serve": Command("run the backend that Blender talks to", _from_module("backend.service.cli")),
    "fetch": Command("get the files that the first job would download", _from_module("backend.fetch")),
    "doctor": Command("say what works on this machine, and how to mend what does not", _from_module("backend.doctor")),
    "evaluate": Command("measure the reconstruction and write tables", _from_module("backend.evaluation.command")),
}


if __name__ == "__main__":
    sys.exit(main())
