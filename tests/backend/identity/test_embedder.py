"""Embeddings tell people apart, in photographs of public figures.

The three pictures are 240 px cut-outs of official White House photographs by Pete Souza (6 December 2012, 9 September
2009, 10 May 2010), works of the United States government and as such in the public domain, from the source distribution
of `face_recognition` 1.3.0. They are test input and endorse nothing.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from backend.asset_files import ASSETS
from backend.identity.chip import FIVE, SIDE, ChipSettings, aligned_chip, chip_to_photo, sampled_chip
from backend.identity.embedder import FaceEmbedder, load_face_embedder
from backend.photo.face_detector import FaceDetector, choose_face
from backend.photo.landmark_table import LANDMARK_COUNT
from backend.photo.reading import Photo
from tests.landmark_model import landmark_model

HERE = Path(__file__).parent
MARGIN_PX = 45  # around the chip in the cut-outs
# The first numbers of the embedding of 2012 and its length; its likeness to 2009, and to somebody else.
HELD, HELD_NORM = (-0.1060, 0.1219, 0.0088, -0.0813, 0.0190, 0.0129), 1.4083
SAME, OTHER = 0.820, 0.215


@pytest.fixture(scope="module")
def embedder() -> FaceEmbedder:
    return load_face_embedder()


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    assert image is not None, f"{path} is not there"
    return np.asarray(image)


def picture(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A cut-out and its landmarks, of which the five that matter are where they belong."""
    image = read(HERE / f"{name}.jpg")
    landmarks = np.full((LANDMARK_COUNT, 2), np.nan)
    landmarks[list(FIVE)] = ChipSettings().places_px + MARGIN_PX
    return image, landmarks


def embedding(embedder: FaceEmbedder, name: str) -> Tensor:
    return embedder.photo(*picture(name))


def moved(image: np.ndarray, landmarks: np.ndarray, degrees: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """A picture turned and resized about its middle, with its landmarks; centres of pixels are at .5."""
    middle = image.shape[0] / 2
    warp = cv2.getRotationMatrix2D((middle, middle), degrees, scale)
    points = landmarks @ warp[:, :2].T + warp[:, 2]
    half = np.array([0.5, 0.5])
    corrected = np.column_stack([warp[:, :2], warp[:, 2] + warp[:, :2] @ half - half])
    border = cv2.BORDER_REPLICATE
    return cv2.warpAffine(image, corrected, image.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=border), points


def test_embedding_of_a_fixed_picture_is_what_it_was(embedder: FaceEmbedder) -> None:
    found = embedding(embedder, "obama_2012")
    assert found.shape == (128,)
    expected = torch.tensor(HELD)
    torch.testing.assert_close(found[:6], expected, atol=2e-3, rtol=0)
    assert float(found.norm()) == pytest.approx(HELD_NORM, abs=5e-3)


def test_two_pictures_of_one_person_are_alike_and_strangers_are_not(embedder: FaceEmbedder) -> None:
    first, second, other = (embedding(embedder, name) for name in ("obama_2012", "obama_2009", "biden_2010"))
    assert float(embedder.likeness(first, second)) == pytest.approx(SAME, abs=0.02)
    assert float(embedder.likeness(first, other)) == pytest.approx(OTHER, abs=0.02)
    assert float(embedder.likeness(first, first)) == pytest.approx(1)


@pytest.mark.parametrize(("degrees", "scale"), [(35, 0.9), (-120, 0.7), (180, 1.0)])
def test_turned_and_resized_photo_has_the_same_embedding(embedder: FaceEmbedder, degrees: float, scale: float) -> None:
    image, landmarks = picture("obama_2012")
    other = embedder.photo(*moved(image, landmarks, degrees, scale))
    assert float(embedder.likeness(embedder.photo(image, landmarks), other)) > 0.98


def test_photo_of_any_size_has_the_same_embedding(embedder: FaceEmbedder) -> None:
    image, landmarks = picture("biden_2010")
    large = np.asarray(cv2.resize(image, (1440, 1440), interpolation=cv2.INTER_CUBIC))
    other = embedder.photo(large.astype(np.float32) / 255, landmarks * 6)
    assert float(embedder.likeness(embedder.photo(image, landmarks), other)) > 0.99


def test_face_at_the_photos_border_is_still_a_face(embedder: FaceEmbedder) -> None:
    image, landmarks = picture("obama_2012")
    cut = embedder.photo(image[:, 60:], landmarks - (60, 0))
    assert float(embedder.likeness(embedder.photo(image, landmarks), cut)) > 0.8


def test_chip_puts_the_five_landmarks_where_the_network_expects_them() -> None:
    landmarks = np.zeros((LANDMARK_COUNT, 2))
    angle, places = np.radians(25), ChipSettings().places_px
    turn = 3.5 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks[list(FIVE)] = places @ turn.T + (400, 90)
    found = chip_to_photo(landmarks)
    np.testing.assert_allclose(found, np.column_stack([turn, (400, 90)]), atol=1e-6)
    # dlib's own: the outer corner of the left eye, right in the picture, in a chip of 150 pixels.
    np.testing.assert_allclose(places[0], (110.957, 46.350), atol=1e-3)


def test_gradient_leads_towards_the_other_face(embedder: FaceEmbedder) -> None:
    image, landmarks = picture("obama_2012")
    wanted = embedding(embedder, "biden_2010")
    whole = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    whole.requires_grad_()

    def likeness(at: Tensor) -> Tensor:
        return embedder.likeness(embedder(sampled_chip(at, landmarks))[0], wanted)

    before = likeness(whole)
    (gradient,) = torch.autograd.grad(before, whole)
    step = 1e-2 * gradient / gradient.norm()
    with torch.no_grad():
        slope = float((likeness(whole + step) - likeness(whole - step)) / 2)
    assert slope == pytest.approx(float((gradient * step).sum()), rel=0.05)
    assert slope > 0
    assert not any(weight.requires_grad for weight in embedder.parameters())


def test_chip_with_gradients_is_the_chip(embedder: FaceEmbedder) -> None:
    image, landmarks = moved(*picture("obama_2012"), 10, 1.05)
    exact = aligned_chip(image, landmarks)
    assert exact.shape == (1, 3, SIDE, SIDE)
    sampled = sampled_chip(torch.from_numpy(image).permute(2, 0, 1)[None] / 255, landmarks)
    assert float((exact - sampled).abs().mean()) < 0.01
    assert float(embedder.likeness(embedder(exact), embedder(sampled))) > 0.98


def test_photo_and_its_mirror_image_are_one_person_by_detected_landmarks(embedder: FaceEmbedder) -> None:
    portrait = read(HERE.parents[1] / "golden" / "astronaut.jpg")
    with landmark_model():
        detector = FaceDetector()
    turned = np.ascontiguousarray(np.rot90(portrait))
    seen = []
    for image in (portrait, portrait[:, ::-1].copy(), turned):
        face = choose_face(detector.detect(Photo(image)), None)
        seen.append(embedder.photo(image, face.landmarks_px))
    assert float(embedder.likeness(seen[0], seen[1])) > 0.9
    assert float(embedder.likeness(seen[0], seen[2])) > 0.98
    assert float(embedder.likeness(seen[0], embedding(embedder, "obama_2012"))) < 0.3


def test_what_is_loaded_is_small_and_ships() -> None:
    assert (ASSETS / "face_embedding.safetensors").stat().st_size < 6_000_000
