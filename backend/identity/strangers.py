"""Photos of somebody else among those that should show one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.identity.embedding_file import ASSET
from backend.photo.view import View

if TYPE_CHECKING:
    from backend.identity.embedder import FaceEmbedder


@dataclass(frozen=True)
class StrangerSettings:
    """When two photos are of two people.

    Args:
        least_likeness: cosine of two embeddings below which they are: that of two photographs of one person is 0.73 and
            more, 99 % of two people's are below 0.5; 104 training people from the front.
        most_turned_degrees: beyond which a face is turned too far to be recognised; the network learnt from faces of
            which both eyes are seen. Assumed.
    """

    least_likeness: float = 0.4
    most_turned_degrees: float = 40.0


def find_embedder() -> FaceEmbedder | None:
    """The embedder where its weights are installed, None elsewhere: no job depends on it.

    Raises:
        RelightifyError: ``asset_corrupt``.
    """
    if not ASSET.is_file():
        return None
    # Only now: PyTorch alone takes a second to load, and most jobs are of one photo.
    from backend.identity.embedder import load_face_embedder

    return load_face_embedder()


def strangers(
    views: Sequence[View], embedder: FaceEmbedder, settings: StrangerSettings = StrangerSettings()
) -> tuple[int, ...]:
    """Numbers of the photos that show other people than most of them do; of two, the second.

    Args:
        views: photos that should be of one person.
        embedder: sees who it is.
        settings: when two photos are of two people.
    """
    looked_at = [n for n, v in enumerate(views) if abs(v.face.yaw_degrees) <= settings.most_turned_degrees]
    seen = [embedder.photo(views[n].photo.image_srgb, views[n].face.landmarks_px) for n in looked_at]
    alike = np.array([[float(embedder.likeness(a, b)) >= settings.least_likeness for b in seen] for a in seen])
    if len(seen) < 2:
        return ()
    # Of equally many the group of the first photo is meant.
    meant = max(range(len(seen)), key=lambda n: int(alike[n].sum()))
    return tuple(number for number, same in zip(looked_at, alike[meant], strict=True) if not same)
