"""One photo taken through the pipeline: what is said of it, and pictures of what became of it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import numpy as np

from backend.delight.delighting import DelightedTexture, delight
from backend.delight.refit import refit_light
from backend.detail.options import DetailOptions
from backend.evaluation.head_renders import Sitter, Studio, framed, render
from backend.evaluation.identity import before_grey, cut_out, studio_light
from backend.evaluation.metrics import typology_angle
from backend.evaluation.photos.kept_marks import kept_of_found, kept_of_painted, marked_share
from backend.evaluation.photos.parameters import SheetSettings
from backend.head.exchange import head_mesh
from backend.imaging.octaves import reduce_to
from backend.photo.view import View
from backend.photo.white_cue import white_cue
from backend.pipeline import Pipeline, finished_maps
from backend.progress import Progress, Stopwatch
from backend.texture.fitted_skin import ShownSkin
from backend.texture.maps import SkinMaps
from backend.texture.regions import plain_skin
from shared.errors import RelightifyError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Figures:
    """What a photo gave; shares are of the face's skin.

    Args:
        seen: that the photo shows.
        detail_made: of the detail, made up as skin usually is.
        marked: of what is seen, taken for marks.
        marks_kept: of the marks' contrast, in the albedo; NaN where there are none.
        painted_kept: of what was painted on an untouched photo, in the albedo; NaN where none was named.
        landmark_error: of the fit, in distances of the outer eye corners.
        tone_srgb: median colour of plain skin in the albedo, levels of 255.
        typology_angle: of that colour, degrees; dark skin is below 10, light skin above 41 (Chardon 1991).
    """

    seen: float
    detail_made: float
    marked: float
    marks_kept: float
    painted_kept: float
    landmark_error: float
    tone_srgb: tuple[int, int, int]
    typology_angle: float

    @property
    def made(self) -> float:
        """Share of the face's skin that the photo does not show."""
        return 1 - self.seen


@dataclass(frozen=True)
class PhotoOutcome:
    """What became of a photo.

    Args:
        name: the file's.
        code, message: of the error where it was refused, else empty.
        covered: share of the face's core by what covers it.
        warnings: sentences.
        figures: None where it was refused.
        tiles: float [S, S, 3] in [0, 1], sRGB-encoded: see `TILES`; empty where it was refused.
        seconds: that it took.
    """

    name: str
    code: str = ""
    message: str = ""
    covered: tuple[tuple[str, float], ...] = ()
    warnings: tuple[str, ...] = ()
    figures: Figures | None = None
    tiles: tuple[np.ndarray, ...] = ()
    seconds: float = 0.0


TILES = ("photo", "mask", "T", "A_d", "N", "render")


@dataclass(frozen=True)
class FinishedSkin:
    """What a photo shows of the skin, its light taken off, and the finished maps."""

    delit: DelightedTexture
    maps: SkinMaps


@dataclass(frozen=True)
class Laboratory:
    """What all photos share.

    Args:
        pipeline: with its models.
        studio: where heads are rendered.
        quality: of the completion.
        untouched: what became of the photo that the others were painted on, None where there is none.
    """

    pipeline: Pipeline
    studio: Studio
    quality: str
    untouched: FinishedSkin | None = None

    def reconstructed(self, data: bytes) -> tuple[ShownSkin, FinishedSkin]:
        """A photo taken through all stages.

        Raises:
            RelightifyError: the photo cannot be used.
        """
        pipeline, parameters = self.pipeline, self.pipeline.parameters
        watch = Stopwatch(Progress())
        prior = pipeline.prior(self.quality)
        skin, (shown,), _ = pipeline.prepare(data, self.studio.space.resolution, (None,), watch)
        view = shown.view
        white = view.white or white_cue(view.photo, view.face.landmarks_px, parameters.photo.white_cue)
        delit = delight(shown.partial, skin, white, parameters=parameters.delight)
        maps = next(finished_maps(prior, delit, [0], DetailOptions(), watch, parameters=parameters.detail))
        return shown, FinishedSkin(delit, maps)

    def outcome(self, name: str, data: bytes) -> PhotoOutcome:
        """What becomes of a photo; every error becomes an outcome, so that it stops no other."""
        began = time.monotonic()
        try:
            shown, skin = self.reconstructed(data)
            return PhotoOutcome(
                name,
                covered=tuple(shown.view.covered.items()),
                warnings=self.pipeline.warnings_of([shown], skin.delit),
                figures=_figures(skin, self.untouched),
                tiles=self._tiles(shown.view, skin),
                seconds=time.monotonic() - began,
            )
        except RelightifyError as error:
            return PhotoOutcome(name, error.code, str(error), seconds=time.monotonic() - began)
        except MemoryError:
            return PhotoOutcome(name, "out_of_memory", "The machine has too little memory for this photo.")
        except Exception as error:
            _log.exception("%s failed", name)
            return PhotoOutcome(name, "internal", f"Internal error: {type(error).__name__}: {error}")

    def _tiles(self, view: View, made: FinishedSkin) -> tuple[np.ndarray, ...]:
        """Pictures in the order of `TILES`."""
        studio, delit, maps = self.studio, made.delit, made.maps
        skin, shown_as = delit.skin, SheetSettings()
        fit = refit_light(skin, maps, self.pipeline.parameters.delight.light)
        irises = head_mesh(studio.model, fit, view, self.pipeline.parameters.photo).iris_colour_srgb
        camera, _ = framed(fit.camera, view.face.landmarks_px, studio.settings)
        photo = cut_out(view.photo.image_srgb, view.face.landmarks_px, fit.camera, studio.settings)
        mask = np.round(255 * self.pipeline.skin_mask_of(view, skin)).astype(np.uint8)
        masked = cut_out(np.dstack([mask] * 3), view.face.landmarks_px, fit.camera, studio.settings)
        shown = delit.partial.visibility[..., None]
        texture = delit.partial.texture_srgb * shown + shown_as.not_seen * (1 - shown)
        normal = np.clip(maps.normal * (shown_as.relief, shown_as.relief, 1) * 0.5 + 0.5, 0, 1)
        head = render(
            Sitter(studio, fit.identity, fit.expression, maps, irises),
            camera,
            studio_light(studio.directions, studio.settings),
        )
        return photo, masked, texture, maps.diffuse_albedo_srgb, normal, before_grey(head, studio.settings)


def _figures(made: FinishedSkin, untouched: FinishedSkin | None) -> Figures:
    delit, maps = made.delit, made.maps
    face = delit.skin.regions.face
    visibility = maps.visibility
    on_maps = delit.skin.uv_space.mask & (reduce_to(face, maps.resolution) > 0.5)
    plain = (reduce_to(plain_skin(delit.skin.regions), maps.resolution) > 0.5) & on_maps
    tone = np.median(maps.diffuse_albedo_srgb[plain], axis=0)
    levels = tuple(round(255 * float(value)) for value in tone)
    return Figures(
        seen=float(visibility[on_maps].mean()),
        detail_made=maps.detail.made if maps.detail else float("nan"),
        marked=marked_share(delit),
        marks_kept=kept_of_found(delit, maps),
        painted_kept=(kept_of_painted(delit, maps, untouched.delit, untouched.maps) if untouched else float("nan")),
        landmark_error=delit.skin.fit.view.landmark_error,
        tone_srgb=(levels[0], levels[1], levels[2]),
        typology_angle=typology_angle(tone),
    )
