"""`python -m backend.training photo-enlarging`: learns `backend/assets/photo_enlarging.npz` from portraits."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.imaging.colour import LUMINANCE, linear_to_srgb, srgb_bytes_to_linear
from backend.imaging.filters import inner_distance
from backend.photo.face_detector import Face, FaceDetector, choose_face
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, FACE_OVAL
from backend.photo.reading import read_photo
from backend.texture.super_resolution import ASSET, REACH, SPREAD, TAPS, Enlarger, save_enlargers, shapes
from backend.training.skin.commands import SOURCES
from backend.training.skin.parameters import EnlargerTraining
from backend.training.skin.portraits import photos_of, training_people

log = logging.getLogger(__name__)

# How photos are cut before they are reduced, (row, column): each cut gives other pixels.
CUTS = {2: ((0, 0),), 4: ((0, 0), (2, 1))}
MORE_REDUCED = {2: (1, 2), 4: (1,)}  # and how far the full size is reduced first


@dataclass(frozen=True)
class Portrait:
    """The face of a photo: `image_srgb` uint8 [H, W, 3], `skin` bool [H, W], sides multiples of 8."""

    image_srgb: np.ndarray
    skin: np.ndarray


@dataclass(frozen=True)
class Pairs:
    """Windows float32 [n, TAPS * TAPS] of a reduced portrait, the blocks [n, (SPREAD * f)^2] of the full size around
    their middles, both without the windows' means, and how much each counts."""

    windows: np.ndarray
    blocks: np.ndarray
    weight: float


def add_photo_enlarging_command(commands: argparse._SubParsersAction) -> None:
    """`photo-enlarging`."""
    parser = commands.add_parser("photo-enlarging", help="learn on the train portraits how to enlarge small photos")
    parser.add_argument("--sources", type=Path, default=SOURCES, help="folder with portraits")
    parser.add_argument("--without", nargs="*", default=[], metavar="ID", help="people to leave out, to test on them")
    parser.add_argument("--out", type=Path, default=ASSET)
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, settings: EnlargerTraining = EnlargerTraining()) -> None:
    detector = FaceDetector()
    people = [p for p in training_people(chosen.sources / "portraits") if p.identifier not in chosen.without]
    photos = [photos_of(chosen.sources / "portraits", p).get("neutral") for p in people]
    portraits = [found for path in photos if path and (found := portrait(path, detector, settings)) is not None]
    enlargers = tuple(fit_enlarger(portraits, factor, np.random.default_rng(0), settings) for factor in (2, 4))
    metadata = {
        "command": "photo-enlarging",
        "people": len(portraits),
        "left_out": sorted(chosen.without),
        "sources": "Face Research Lab London Set and Young Adult White Faces (DeBruine and Jones 2017), CC BY 4.0",
    }
    save_enlargers(enlargers, metadata, chosen.out)
    print(json.dumps({"bytes": chosen.out.stat().st_size, **metadata}, indent=1))


def portrait(path: Path, detector: FaceDetector, settings: EnlargerTraining = EnlargerTraining()) -> Portrait | None:
    """The face's skin in a photo, at most `DENSEST`; None where no face is found."""
    photo = read_photo(path.read_bytes())
    faces = detector.detect(photo)
    if not faces:
        return None
    face = choose_face(faces)
    image, skin = photo.image_srgb, skin_of(face, photo.image_srgb.shape[:2], settings)
    while face.interocular_px / settings.eyes_mm * len(image) / photo.height > settings.densest:
        image = reduced(image[: len(image) // 2 * 2, : image.shape[1] // 2 * 2], 2)
        skin = cv2.resize(skin.astype(np.uint8), image.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    rows, columns = (np.flatnonzero(skin.any(axis)) for axis in (1, 0))
    top, left = max(0, rows[0] - 40), max(0, columns[0] - 40)
    height, width = (min(rows[-1] + 40, len(image)) - top) // 8 * 8, (min(columns[-1] + 40, image.shape[1]) - left)
    box = (slice(top, top + height), slice(left, left + width // 8 * 8))
    return Portrait(image[box], skin[box])


def skin_of(face: Face, shape: tuple[int, int], settings: EnlargerTraining = EnlargerTraining()) -> np.ndarray:
    """Pixels bool [H, W] inside of the face and off the eyes."""
    points, per_mm = face.landmarks_px, face.interocular_px / settings.eyes_mm
    inside, eyes = (np.zeros(shape, np.uint8) for _ in range(2))
    cv2.fillPoly(inside, [np.round(points[list(FACE_OVAL)]).astype(np.int32)], 1)
    for group in (EYE_LEFT, EYE_RIGHT):
        cv2.fillPoly(eyes, [np.round(points[list(group)]).astype(np.int32)], 1)
    return (inner_distance(inside > 0) > settings.oval_mm * per_mm) & (
        inner_distance(eyes == 0) > settings.eye_mm * per_mm
    )


def reduced(image_srgb: np.ndarray, factor: int) -> np.ndarray:
    """A photo uint8 [H, W, 3] at 1 / factor of its size, as files are: area averages of light, 8 bits."""
    linear = srgb_bytes_to_linear(image_srgb)
    size = (image_srgb.shape[1] // factor, image_srgb.shape[0] // factor)
    return np.round(255 * linear_to_srgb(cv2.resize(linear, size, interpolation=cv2.INTER_AREA))).astype(np.uint8)


def fit_enlarger(
    portraits: list[Portrait], factor: int, rng: np.random.Generator, settings: EnlargerTraining = EnlargerTraining()
) -> Enlarger:
    """The enlarger that best makes skin from its reduced copies: kinds by k-means, guesses by least squares.

    Every portrait counts the same in terms of what bicubic enlarging leaves to be guessed; guesses of kinds with few
    windows are drawn towards that of all windows.
    """
    sample = []
    for pairs in _all_pairs(portraits, factor):
        sample.append(pairs.windows[rng.random(len(pairs.windows)) < settings.searched])
    searched = shapes(np.concatenate(sample), settings.flat)
    kinds = _middles(searched, rng, settings)
    size, outputs = TAPS * TAPS, (SPREAD * factor) ** 2
    chooser = Enlarger(factor, settings.flat, kinds, np.zeros((settings.kinds, size, outputs), np.float32))
    squares, products = np.zeros((settings.kinds, size, size)), np.zeros((settings.kinds, size, outputs))
    mass, count = np.zeros(settings.kinds), 0
    for pairs in _all_pairs(portraits, factor):
        kind = chooser.kind(pairs.windows)
        for number in np.unique(kind):
            windows, blocks = pairs.windows[kind == number], pairs.blocks[kind == number]
            squares[number] += pairs.weight * (windows.T @ windows)
            products[number] += pairs.weight * (windows.T @ blocks)
            mass[number] += pairs.weight * len(windows)
        count += len(pairs.windows)
    noise = settings.pixel_noise**2 * np.eye(size)
    usual = np.linalg.solve(squares.sum(0) + mass.sum() * noise, products.sum(0))
    pull = settings.shrinkage / count * np.diag(np.diag(squares.sum(0)))
    guesses = [
        np.linalg.solve(s + m * noise + pull, p + pull @ usual) for s, p, m in zip(squares, products, mass, strict=True)
    ]
    return Enlarger(factor, settings.flat, kinds, np.stack(guesses).astype(np.float32))


def _middles(searched: np.ndarray, rng: np.random.Generator, settings: EnlargerTraining) -> np.ndarray:
    """Middles float32 [KINDS, n] of clusters (Lloyd 1982)."""
    middles = searched[rng.choice(len(searched), settings.kinds, replace=len(searched) < settings.kinds)].copy()
    for _ in range(settings.rounds):
        nearest = np.argmax(searched @ middles.T - 0.5 * np.square(middles).sum(1), axis=1)
        for number in np.unique(nearest):
            middles[number] = searched[nearest == number].mean(0)
    return middles


def _all_pairs(portraits: list[Portrait], factor: int) -> Iterator[Pairs]:
    """Pairs of all portraits, cuts and sizes, each as it is and mirrored."""
    for number, person in enumerate(portraits):
        for first in MORE_REDUCED[factor]:
            for row, column in CUTS[factor]:
                cut = Portrait(
                    person.image_srgb[row * first :, column * first :], person.skin[row * first :, column * first :]
                )
                pairs = portrait_pairs(cut, factor, first)
                yield pairs
                yield _mirrored(pairs, factor)
        log.debug("portrait %d of %d", number + 1, len(portraits))


def portrait_pairs(person: Portrait, factor: int, first: int = 1) -> Pairs:
    """All windows on the skin of a portrait that is reduced by `first`, and then by `factor` for the windows."""
    whole = factor * first
    height, width = (side // whole * whole for side in person.skin.shape)
    image = person.image_srgb[:height, :width]
    fine = (reduced(image, first) if first > 1 else image) / np.float32(255) @ LUMINANCE
    coarse = reduced(image, whole) / np.float32(255) @ LUMINANCE
    skin = cv2.resize(person.skin[:height, :width].astype(np.float32), coarse.shape[::-1], interpolation=cv2.INTER_AREA)
    skin[:REACH], skin[-REACH:], skin[:, :REACH], skin[:, -REACH:] = 0, 0, 0, 0
    row, column = np.nonzero(skin > 0.5)
    views = np.lib.stride_tricks.sliding_window_view
    size, half = SPREAD * factor, SPREAD // 2
    windows = views(coarse, (TAPS, TAPS))[row - REACH, column - REACH].reshape(len(row), -1)
    blocks = views(fine, (size, size))[(row - half) * factor, (column - half) * factor].reshape(len(row), -1)
    mean = windows.mean(1, keepdims=True)
    left = fine - cv2.resize(coarse, fine.shape[::-1], interpolation=cv2.INTER_CUBIC)
    where = cv2.resize(skin, fine.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0.5
    energy = np.square(np.diff(left, axis=0)[where[1:]]).mean() + np.square(np.diff(left, axis=1)[where[:, 1:]]).mean()
    return Pairs(windows - mean, blocks - mean, 1e-5 / max(float(energy), 1e-8))


def _mirrored(pairs: Pairs, factor: int) -> Pairs:
    sides = TAPS, SPREAD * factor
    windows, blocks = (
        a.reshape(-1, side, side)[:, :, ::-1].reshape(a.shape)
        for a, side in zip((pairs.windows, pairs.blocks), sides, strict=True)
    )
    return Pairs(windows, blocks, pairs.weight)
