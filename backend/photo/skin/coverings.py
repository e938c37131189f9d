"""What covers a face: which share of it, and what it seems to be, by the segmentation's classes and where it lies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.photo.face_detector import Face
from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    CHIN_TIP,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    FOREHEAD_TOP,
    IRIS_LEFT,
    IRIS_RIGHT,
    LIPS_INNER,
    LIPS_OUTER,
    MASK_OUTLINE,
    NOSE_BASE,
    NOSE_ROOT,
    UNDER_EYE_LEFT,
    UNDER_EYE_RIGHT,
)
from backend.photo.outlines import hull, inside
from backend.photo.reading import Photo
from backend.photo.skin.beard import beard
from backend.photo.skin.censoring import Censoring, find_censoring
from backend.photo.skin.glasses import cloth_begins, lies_over_nose, wears_glasses
from backend.photo.skin.hidden_features import eyes_are_hidden, mouth_is_hidden
from backend.photo.skin.parameters import CoveringSettings, GlassesSettings
from backend.photo.skin.segmentation import BACKGROUND, BODY_SKIN, CLOTHES, FACE_SKIN, HAIR, OTHERS, Segmentation
from backend.photo.skin.tinted_glass import tinted_glass
from backend.photo.upright_crop import of_pixel_numbers
from shared.errors import RelightifyError

HAND, CLOTH, GLASSES, HAIR_LOCK, CENSORED, SOMETHING = (
    "a hand",
    "a mask or cloth",
    "glasses",
    "hair",
    "a bar, mosaic or blur",
    "something",
)
_ABOUT_EYES = BROW_LEFT + BROW_RIGHT + UNDER_EYE_LEFT + UNDER_EYE_RIGHT


@dataclass(frozen=True)
class Coverings:
    """What lies over a face.

    Args:
        shares: of the face's core that each kind covers, by its name, largest first; what is worth a word only.
        left: share of the core that is seen.
        segmentation: with bars, mosaics, blurs and tinted glass, which the network takes for skin, as other things.
        over_eyes: whether something that is told for what it is, and no glasses, lies over the eyes.
        eyes_seen: whether nothing at all lies over most of the eyes, glass included.
    """

    shares: dict[str, float]
    left: float
    segmentation: Segmentation
    over_eyes: bool = False
    eyes_seen: bool = True

    @property
    def warning(self) -> str | None:
        """A sentence for the user; None where the face is bare."""
        if not self.shares:
            return None
        share, seem = sum(self.shares.values()), _seem(self.shares)
        return f"{_listed(self.shares)} {seem} to cover {share:.0%} of the face; what it hides will be guessed."


def find_coverings(
    photo: Photo, face: Face, segmentation: Segmentation, settings: CoveringSettings = CoveringSettings()
) -> Coverings:
    """What covers the core of a face: the oval without its rim, the eyes and the open mouth.

    Args:
        photo: the photo.
        face: the face in it.
        segmentation: what is where around it.
        settings: from where on something counts.

    Raises:
        RelightifyError: ``too_little_skin``, where next to nothing of the core is left.
    """
    censoring = find_censoring(photo.image_srgb, face.landmarks_px, settings.censoring)
    points = face.landmarks_px @ segmentation.to_crop[:, :2].T + segmentation.to_crop[:, 2]
    laid_over, squares = _laid_over(censoring, segmentation, settings)
    unit = max(
        float(np.linalg.norm(points[IRIS_LEFT[0]] - points[IRIS_RIGHT[0]])), float(np.ptp(points[:, 1])) / 3, 1.0
    )
    no_skin = laid_over | squares
    if not no_skin.any():
        if mouth_is_hidden(photo.image_srgb, face.landmarks_px, settings.hidden_features):
            no_skin = inside(points, MASK_OUTLINE, no_skin.shape)
        elif _eyes_are_blurred(photo, face, points, segmentation, settings):
            no_skin = laid_over = hull(points, _ABOUT_EYES, no_skin.shape, settings.about_blurred * unit)
    amended = _with_others(segmentation, no_skin)
    tinted = tinted_glass(photo.image_srgb, face.landmarks_px, amended, settings.tinted_glass)
    amended = _with_others(amended, _in_crop(tinted, segmentation))
    core = _core(points, unit, no_skin.shape, settings)
    core &= _in_crop(np.ones((photo.height, photo.width), bool), segmentation)
    area = max(int(core.sum()), 1)
    kinds = _kinds(amended.probabilities, laid_over, squares, points, unit, settings)
    shares = {kind: float((mask & core).sum()) / area for kind, mask in kinds.items()}
    worth = {kind: share for kind, share in shares.items() if share > settings.least_share[kind]}
    worth = dict(sorted(worth.items(), key=lambda item: -item[1]))
    left = 1 - sum(shares.values())
    if left < settings.least_left:
        seem = _seem(worth)
        raise RelightifyError(
            "too_little_skin",
            f"Only {max(left, 0):.0%} of the face can be seen: {_listed(worth).lower()} {seem} to cover the rest.",
            "Use a photo in which less of the face is covered.",
        )
    sight = _sight(points, no_skin.shape)
    of_eyes = {kind: float((mask & sight).sum()) / max(int(sight.sum()), 1) for kind, mask in kinds.items()}
    over_eyes = any(of_eyes[kind] > settings.eyes_share for kind in worth if kind not in (GLASSES, SOMETHING))
    return Coverings(worth, left, amended, over_eyes, sum(of_eyes.values()) < settings.eyes_share)


def glasses_are_worn(
    photo: Photo, face: Face, segmentation: Segmentation | None, settings: GlassesSettings = GlassesSettings()
) -> bool:
    """Whether the bridge of spectacles crosses the nose, as an edge or as a thing in the segmentation, where known.

    The upper edge of cloth that covers the tip of the nose is none.
    """
    if segmentation is None:
        return wears_glasses(photo.image_srgb, face.landmarks_px, settings)
    points = face.landmarks_px @ segmentation.to_crop[:, :2].T + segmentation.to_crop[:, 2]
    skin = np.ascontiguousarray(segmentation.probabilities[..., FACE_SKIN])
    begins = cloth_begins(skin, points, settings)
    # No cloth reaches up between the eyes but with a bridge in it.
    above = begins - settings.off_cloth if begins > 0 else np.inf
    if wears_glasses(photo.image_srgb, face.landmarks_px, settings, above):
        return True
    return lies_over_nose(np.ascontiguousarray(segmentation.probabilities[..., OTHERS]), points, settings, above)


def _listed(shares: dict[str, float]) -> str:
    names = list(shares)
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return text[0].upper() + text[1:]


def _seem(names: dict[str, float]) -> str:
    return "seem" if len(names) > 1 or GLASSES in names else "seems"


def _eyes_are_blurred(
    photo: Photo, face: Face, points: np.ndarray, segmentation: Segmentation, settings: CoveringSettings
) -> bool:
    """Whether there are no eyes to see where the network sees skin."""
    sight = _sight(points, segmentation.probabilities.shape[:2])
    seen = segmentation.probabilities[sight, FACE_SKIN]
    if not seen.size or float(seen.mean()) < settings.seen_as_skin:
        return False
    return eyes_are_hidden(photo.image_srgb, face.landmarks_px, settings.hidden_features)


def _laid_over(
    censoring: Censoring, segmentation: Segmentation, settings: CoveringSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Bars and mosaics, bool [S, S], and all that looks like a mosaic, cloth among it, which is no skin either.

    The network takes cloth for what it is, and a mosaic for skin or backdrop at least in part.
    """
    squares = _in_crop(censoring.mosaic, segmentation)
    no_cloth = ~np.isin(segmentation.probabilities.argmax(axis=-1), (CLOTHES, OTHERS))
    count, labels = cv2.connectedComponents(squares.astype(np.uint8), connectivity=4)
    labels = np.asarray(labels, np.int64)
    share = np.bincount(labels[no_cloth], minlength=count) / np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    mosaic = share > settings.mosaic_as_no_cloth
    mosaic[0] = False
    bars = _in_crop(censoring.bars, segmentation)
    return bars | mosaic[labels], squares


def _core(points: np.ndarray, unit: float, shape: tuple[int, ...], settings: CoveringSettings) -> np.ndarray:
    core = inside(points, FACE_OVAL, shape, -settings.oval_rim * unit)
    for outline in (EYE_LEFT, EYE_RIGHT):
        core &= ~inside(points, outline, shape, settings.about_eyes * unit)
    return core & ~inside(points, LIPS_INNER, shape)


def _kinds(
    probabilities: np.ndarray,
    laid_over: np.ndarray,
    squares: np.ndarray,
    points: np.ndarray,
    unit: float,
    settings: CoveringSettings,
) -> dict[str, np.ndarray]:
    """What is of which kind in the segmentation's crop, bool [S, S] by name; no pixel is of two."""
    named = probabilities.argmax(axis=-1)
    rows = np.arange(named.shape[0])[:, None]
    # The crop is upright.
    below_nose = np.broadcast_to(rows > points[NOSE_BASE, 1], named.shape)
    hair = named == HAIR
    middle = (points[FOREHEAD_TOP, 0] + points[CHIN_TIP, 0]) / 2
    near_middle = np.abs(np.arange(named.shape[1])[None] - middle) < settings.beard_middle * unit
    above_eyes = np.broadcast_to(rows < points[NOSE_ROOT, 1], named.shape)
    inner = inside(points, FACE_OVAL, named.shape, -settings.off_sides * unit)
    bearded = beard(hair, below_nose, above_eyes, inner, np.broadcast_to(near_middle, named.shape))
    things = np.isin(named, (BACKGROUND, CLOTHES, OTHERS)) & ~laid_over
    glasses, cloth, something = _things_by_place(things, points, unit, settings)
    return {
        HAND: (named == BODY_SKIN) & ~laid_over,
        CLOTH: cloth,
        GLASSES: glasses,
        HAIR_LOCK: hair & ~bearded & ~laid_over,
        CENSORED: laid_over | (something & squares),
        SOMETHING: something & ~squares,
    }


def _things_by_place(
    things: np.ndarray, points: np.ndarray, unit: float, settings: CoveringSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each connected thing goes to the eyes' (glasses), to those over the mouth (a mask or cloth) or to the others."""
    eyes = np.zeros(things.shape, bool)
    for outline in (BROW_LEFT + UNDER_EYE_LEFT, BROW_RIGHT + UNDER_EYE_RIGHT):
        eyes |= hull(points, outline, things.shape, settings.about_glasses * unit)
    oval = inside(points, FACE_OVAL, things.shape)
    mouth = inside(points, LIPS_OUTER, things.shape)
    count, labels = cv2.connectedComponents((things & oval).astype(np.uint8), connectivity=8)
    labels = np.asarray(labels, np.int64)
    size = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    is_glasses = np.bincount(labels[eyes], minlength=count) / size > settings.glasses_share
    is_cloth = np.bincount(labels[mouth], minlength=count) > settings.mouth_share * max(int(mouth.sum()), 1)
    # What lies over eyes and mouth both is no mask.
    sight = _sight(points, things.shape)
    is_cloth &= np.bincount(labels[sight], minlength=count) < settings.eyes_share * max(int(sight.sum()), 1)
    is_glasses[0] = is_cloth[0] = False
    is_cloth &= ~is_glasses
    is_other = ~is_glasses & ~is_cloth
    is_other[0] = False
    return is_glasses[labels], is_cloth[labels], is_other[labels]


def _sight(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Both eyes between their lids, bool [S, S]."""
    return inside(points, EYE_LEFT, shape) | inside(points, EYE_RIGHT, shape)


def _in_crop(mask: np.ndarray, segmentation: Segmentation) -> np.ndarray:
    """A mask of the photo, bool [H, W], seen in the segmentation's crop."""
    matrix = of_pixel_numbers(segmentation.to_crop)
    side = segmentation.probabilities.shape[0]
    return cv2.warpAffine(mask.astype(np.uint8), matrix, (side, side), flags=cv2.INTER_NEAREST) > 0


def _with_others(segmentation: Segmentation, where: np.ndarray) -> Segmentation:
    if not where.any():
        return segmentation
    others = np.zeros(segmentation.probabilities.shape[-1], np.float32)
    others[OTHERS] = 1
    return replace(segmentation, probabilities=np.where(where[..., None], others, segmentation.probabilities))
