"""Record the golden maps: ``python -m tests.golden.record``. With ``--check`` nothing is written: the largest part of
each limit that this machine uses up is printed, which is how the limits were found.
"""

from __future__ import annotations

import argparse

from backend.pipeline import Pipeline
from shared.options import QUALITIES
from tests.golden.golden import PHOTOS, Difference, differences, reconstructed, write_record


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.golden.record", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the record instead of writing it")
    parser.add_argument("--photos", nargs="+", choices=PHOTOS, default=list(PHOTOS))
    parser.add_argument("--qualities", nargs="+", choices=QUALITIES, default=list(QUALITIES), help="with --check only")
    options = parser.parse_args()
    pipeline = Pipeline("cpu")
    if options.check:
        check(pipeline, options.photos, options.qualities)
        return
    for photo in options.photos:
        write_record(photo, {quality: reconstructed(pipeline, photo, quality) for quality in QUALITIES})
        print(f"recorded {photo}", flush=True)


def check(pipeline: Pipeline, photos: list[str], qualities: list[str]) -> None:
    """Print the largest differences over all jobs, by array and measure."""
    worst: dict[tuple[str, str], tuple[Difference, str]] = {}
    for photo in photos:
        for quality in qualities:
            found = reconstructed(pipeline, photo, quality)
            for difference in differences(found, photo, quality):
                key = (difference.array, difference.measure)
                if key not in worst or difference.share > worst[key][0].share:
                    worst[key] = (difference, f"{photo} {quality}")
    for difference, job in worst.values():
        print(f"{difference.share:7.3f} of the limit  {difference}  ({job})")


if __name__ == "__main__":
    main()
