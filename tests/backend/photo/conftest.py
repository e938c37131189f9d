"""Face detector and segmenter, which take a second to load, and a face large enough for its skin to be looked at.

The picture is NASA's public-domain portrait of Eileen Collins, which comes with scikit-image.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import skimage.data

from backend.photo.face_detector import Face, FaceDetector, choose_face
from backend.photo.reading import Photo
from backend.photo.skin.segmentation import Segmenter
from tests.landmark_model import landmark_model


@pytest.fixture(scope="package")
def detector() -> Iterator[FaceDetector]:
    with landmark_model():
        found = FaceDetector()
    yield found
    found.close()


@pytest.fixture(scope="package")
def segmenter() -> Iterator[Segmenter]:
    with landmark_model():
        found = Segmenter()
    yield found
    found.close()


@pytest.fixture(scope="package")
def portrait() -> np.ndarray:
    return cv2.resize(skimage.data.astronaut(), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="package")
def face(portrait: np.ndarray, detector: FaceDetector) -> Face:
    return choose_face(detector.detect(Photo(portrait)))
