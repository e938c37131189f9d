"""The method (paper, section 3): photo -> face -> head fit -> skin mask -> partial texture -> completed maps."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from backend import memory, previews
from backend.delight.light import match_light
from backend.detail.options import DetailOptions
from backend.head.expected_skin import expected_skin
from backend.head.fitting import fit_head
from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel, load_head_model
from backend.imaging.colour import srgb_to_linear
from backend.photo.face_checks import shows_no_colour
from backend.photo.face_detector import Face, FaceDetector, choose_face
from backend.photo.iris import iris_colours
from backend.photo.reading import Photo, read_photo
from backend.photo.skin_mask import skin_mask
from backend.photo.white_cue import white_cue
from backend.prior.classical.prior import BaselinePrior
from backend.prior.diffusion.shipped import shipped_diffusion
from backend.prior.interface import Prior, PriorContext
from backend.prior.linear import factor_model as coarse_model
from backend.prior.linear.colouring import coloured
from backend.prior.linear.prior import DraftPrior
from backend.prior.linear.vertex_albedo import vertex_albedo
from backend.prior.samples import completions, require_samples
from backend.progress import Progress
from backend.rendering.nvdiffrast_rasteriser import choose_rasteriser
from backend.rendering.rasteriser import Rasteriser
from backend.rendering.spherical_harmonics import environment_map, irradiance
from backend.texture.maps import SkinMaps
from backend.texture.super_resolution import load_enlargers
from backend.texture.unwrap import unwrap
from backend.texture.uv_space import UVSpace, uv_space
from shared.errors import RelightifyError
from shared.head_mesh import HeadMesh
from shared.options import JobOptions

_log = logging.getLogger(__name__)

DEVICES = ("auto", "cpu", "cuda")
ENVIRONMENT_HEIGHT = 64
# What the rendered skin reflects at its surface of a photo's light, as an albedo: without it, that light was too bright
# and too blue on dark skin. Between Cycles renders with 0 and 0.025: 0.006 on the darkest of four faces, 0.01 on
# the next.
SURFACE = 0.006
LIGHT_SAMPLES = 20_000


@dataclass(frozen=True)
class FurtherSample:
    """Another completion of the same photo.

    Args:
        seed: the seed that gives it as a job of its own.
        files: its maps as PNG files by name; encoded, since several at 4096 would not fit into memory.
        light: [9, 3], as `HeadFit.light`, the one under which its albedo looks like the photo.
    """

    seed: int
    files: Mapping[str, bytes]
    light: np.ndarray


@dataclass(frozen=True)
class Reconstruction:
    """Everything that one photo gave.

    Args:
        mesh: the head as the add-on builds it, with camera, light and iris colours.
        maps: the skin's maps.
        fit: the head model's parameters; its light is the one under which the albedo looks like the photo.
        face: the detected face.
        options: what was asked for.
        warnings: sentences for the user about what may have spoilt the result.
        timings: seconds by stage, in order.
        peak_memory_bytes: largest resident memory of the process during the job, None where unknown.
        further: samples 2, 3, ... where more than one was asked for.
    """

    mesh: HeadMesh
    maps: SkinMaps
    fit: HeadFit
    face: Face
    options: JobOptions
    warnings: tuple[str, ...]
    timings: dict[str, float]
    peak_memory_bytes: int | None
    further: tuple[FurtherSample, ...] = ()


class Pipeline:
    """Holds what stays warm between jobs: the head model, the face detector, the rasteriser and the priors.

    Jobs run one at a time from one thread; nothing of a job is kept but the texture spaces of the resolutions used.
    """

    def __init__(self, device: str = "auto") -> None:
        """Load everything that every job needs.

        Args:
            device: ``auto`` (CUDA where it works, else the CPU), ``cpu`` or ``cuda``.

        Raises:
            RelightifyError: ``bad_option``, ``no_cuda``, or the face landmark model cannot be had.
        """
        self.device = choose_device(device)
        self.model: HeadModel = load_head_model()
        self.detector = FaceDetector()
        self.rasteriser: Rasteriser = choose_rasteriser(self.device)
        self.coarse = coarse_model.shipped_prior(self.model)
        self.albedo = None if self.coarse is None else vertex_albedo(self.coarse.albedo, self.model)
        self.priors: dict[str, Prior] = available_priors(self.model, self.device)
        self.enlargers = load_enlargers()
        self._uv_spaces: dict[int, UVSpace] = {}

    def prior(self, quality: str) -> Prior:
        """The prior behind a quality.

        Raises:
            RelightifyError: ``quality_unavailable``.
        """
        if quality not in self.priors:
            raise RelightifyError(
                "quality_unavailable",
                f"The quality {quality} is not available in this installation.",
                f"Use {' or '.join(self.priors)}.",
            )
        return self.priors[quality]

    def uv_space(self, resolution: int) -> UVSpace:
        """The skin's texels at a resolution; of the large ones only the last is kept."""
        if resolution not in self._uv_spaces:
            self._uv_spaces = {r: space for r, space in self._uv_spaces.items() if r <= 1024}
            self._uv_spaces[resolution] = uv_space(self.model, resolution)
        return self._uv_spaces[resolution]

    def reconstruct(self, data: bytes, options: JobOptions, progress: Progress) -> Reconstruction:
        """Reconstruct the face in a photo.

        Args:
            data: the bytes of an image file.
            options: what the user chose.
            progress: told about stages, the overall fraction and previews; raises when the user cancels.

        Raises:
            RelightifyError: the photo, the face or an option cannot be used; the message says why.
            JobCancelled: the user asked to stop.
        """
        prior = self.prior(options.quality)
        require_samples(prior, options)
        stopwatch = _Stopwatch()
        memory.reset_peak()

        with stopwatch.stage("photo"):
            progress.report("photo", 0.0)
            photo = read_photo(data)
        with stopwatch.stage("landmarks"):
            progress.report("landmarks", 0.02)
            face = choose_face(self.detector.detect(photo, thorough=options.face is not None), options.face)
            progress.report("landmarks", 0.15, previews.landmarks_preview(photo, face))
        with stopwatch.stage("fit"):
            part = progress.part(0.15, 0.45)
            fit = fit_head(self.model, photo, face, self.rasteriser, part, albedo_prior=self.albedo)
        with stopwatch.stage("transfer"):
            progress.report("skin", 0.45)
            transfer = self.model.radiance_transfer(fit.vertices(self.model))
        with stopwatch.stage("skin"):
            mask = skin_mask(photo, face, *expected_skin(self.model, fit, transfer, self.rasteriser))
        with stopwatch.stage("unwrap"):
            progress.report("unwrap", 0.55)
            space = self.uv_space(options.resolution)
            partial = unwrap(photo, mask, self.model, fit, self.rasteriser, space, self.enlargers)
            if self.coarse and shows_no_colour(photo.image_srgb, face.landmarks_px):
                partial = coloured(self.coarse, partial)
            preview = previews.map_preview(partial.texture_srgb, partial.visibility)
            progress.report("unwrap", 0.65, preview)
        with stopwatch.stage("completion"):
            white = white_cue(photo, face.landmarks_px)
            detail = DetailOptions(options.detail_strength, options.extra_maps, options.age)
            context = PriorContext(self.model, fit, space, transfer, white, detail, options.skin_tone)
            drawn = completions(prior, partial, context, options, progress.part(0.65, 0.95))
            maps = next(drawn)
            further = tuple(
                FurtherSample(seed, sample.encode(), refit_light(fit, sample, space, transfer).light)
                for seed, sample in enumerate(drawn, options.seed + 1)
            )
            progress.report("completion", 0.95, previews.map_preview(maps.diffuse_albedo_srgb))
        with stopwatch.stage("finish"):
            fit = refit_light(fit, maps, space, transfer)
            mesh = head_mesh(self.model, fit, photo, face)
        progress.report("done", 1.0)
        _log.info("Reconstructed in %.1f s.", sum(stopwatch.seconds.values()))
        peak = memory.peak_bytes()
        return Reconstruction(mesh, maps, fit, face, options, face.warnings, stopwatch.seconds, peak, further)


def available_priors(model: HeadModel, device: str = "cpu") -> dict[str, Prior]:
    """The priors of this installation that fit the head model, by quality; networks run on `device`."""
    priors: dict[str, Prior] = {"baseline": BaselinePrior()}
    coarse = coarse_model.shipped_prior(model)
    if coarse is not None:
        priors["draft"] = DraftPrior(coarse)
        priors.update(shipped_diffusion(model, coarse, device))
    return priors


def choose_device(device: str) -> str:
    """``cpu`` or ``cuda`` for a wish of ``auto``, ``cpu`` or ``cuda``.

    Raises:
        RelightifyError: ``bad_option`` or ``no_cuda``.
    """
    if device not in DEVICES:
        raise RelightifyError("bad_option", f"There is no device {device!r}.", f"Use {', '.join(DEVICES)}.")
    if device == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise RelightifyError(
            "no_cuda",
            "CUDA was asked for, but PyTorch finds no usable NVIDIA GPU.",
            "Use --device cpu, or install a CUDA build of PyTorch and a driver; relightify doctor says what is there.",
        )
    return "cpu"


def refit_light(fit: HeadFit, maps: SkinMaps, space: UVSpace, transfer: np.ndarray) -> HeadFit:
    """The fit with the light under which the maps' albedo looks like their texture, so that renders match the photo."""
    seen = np.flatnonzero(maps.visibility.reshape(-1) > 0.7)
    seen = seen[:: max(1, len(seen) // LIGHT_SAMPLES)]
    triangle = space.triangle.reshape(-1)[seen]
    weights = space.barycentric.reshape(-1, 3)[seen]
    at_texels = np.einsum("nk,nkc->nc", weights, transfer[space.triangles[triangle]])
    texture = srgb_to_linear(maps.texture_srgb.reshape(-1, 3)[seen])
    albedo = srgb_to_linear(maps.diffuse_albedo_srgb.reshape(-1, 3)[seen])
    if len(seen) < 100:
        return fit
    uniform = np.zeros((9, 3))
    uniform[0] = texture.mean(0) / np.maximum(albedo.mean(0), 1e-3) / np.maximum(at_texels[:, 0].mean(), 1e-6)
    light = match_light(texture, albedo + SURFACE, at_texels, np.ones(len(seen), np.float32), uniform)
    return replace(fit, light=light, skin_albedo=np.median(albedo, axis=0).astype(np.float32))


def head_mesh(model: HeadModel, fit: HeadFit, photo: Photo, face: Face) -> HeadMesh:
    """The head as both sides exchange it."""
    # What a white, unshadowed surface that faces straight ahead, as the eyes do, shows in the photo's light.
    exposure = irradiance(np.array([0.0, 0.0, 1.0]), fit.light) / np.pi
    return HeadMesh(
        vertices=fit.neutral_vertices(model),
        quads=model.quads,
        uv=model.uv,
        uv_quads=model.uv_quads,
        face_part=model.face_part,
        part_names=np.array(model.part_names),
        expression_names=np.array(model.expression_names),
        expression_offsets=model.expression_basis,
        expression_weights=fit.expression,
        hm08_vertex_ids=model.hm08_vertex_ids,
        iris_colour_srgb=iris_colours(photo, face.landmarks_px, exposure),
        camera_rotation=np.asarray(fit.camera.rotation, np.float64),
        camera_translation=np.asarray(fit.camera.translation, np.float64),
        camera_focal_px=np.array(fit.camera.focal_px, np.float64),
        camera_centre_px=np.array(fit.camera.centre_px, np.float64),
        image_size=np.array([photo.width, photo.height], np.int32),
        environment=environment_map(fit.light, ENVIRONMENT_HEIGHT),
    )


class _Stopwatch:
    """Seconds by stage, in order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started
