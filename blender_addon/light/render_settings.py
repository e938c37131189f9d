"""Render settings that make a head look right, and output of animations."""

from __future__ import annotations

import bpy

from .. import compat
from ..scene.heads import units_per_metre

EEVEE, CYCLES = "EEVEE", "CYCLES"
# Blender's default of 0.2 m takes a nose for a wall as thick as the head.
SCREEN_TRACE_THICKNESS_M = 0.02


def set_up_engine(scene: bpy.types.Scene, engine: str) -> None:
    """Choose an engine and set what matters for skin, eyes and lashes; samples of other scenes stay as they are.

    Args:
        scene: the scene.
        engine: `EEVEE` or `CYCLES`.
    """
    if engine == CYCLES:
        scene.render.engine = "CYCLES"
        cycles = scene.cycles
        cycles.samples, cycles.preview_samples = 128, 32
        cycles.use_denoising = bool(cycles.bl_rna.properties["denoiser"].enum_items)
        # A gaze through lashes passes many transparent strips.
        cycles.transparent_max_bounces = max(cycles.transparent_max_bounces, 16)
        return
    scene.render.engine = compat.eevee_engine()
    eevee = scene.eevee
    eevee.taa_render_samples = 64
    eevee.use_shadows = eevee.use_shadow_jitter_viewport = True
    eevee.shadow_ray_count, eevee.shadow_step_count = 2, 8
    eevee.use_raytracing = True
    thickness = SCREEN_TRACE_THICKNESS_M * units_per_metre(scene)
    eevee.ray_tracing_options.screen_trace_thickness = eevee.fast_gi_thickness_near = thickness


def set_movie_output(scene: bpy.types.Scene, filepath: str) -> None:
    """Render animations to an H.264 movie at a path without ending.

    Raises:
        TypeError: this build of Blender writes no movies.
    """
    compat.set_movie_format(scene.render.image_settings)
    ffmpeg = scene.render.ffmpeg
    ffmpeg.format, ffmpeg.codec, ffmpeg.constant_rate_factor = "MPEG4", "H264", "HIGH"
    scene.render.filepath = filepath


def set_frames_output(scene: bpy.types.Scene, filepath: str) -> None:
    """Render animations to PNG frames whose names begin with a path."""
    compat.set_image_format(scene.render.image_settings, "PNG")
    scene.render.filepath = filepath
