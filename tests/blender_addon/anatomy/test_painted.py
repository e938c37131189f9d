"""What is painted ahead of an import."""

from __future__ import annotations

import struct
from dataclasses import replace
from threading import Thread

import numpy as np

from blender_addon.anatomy.geometry import Eyeball
from blender_addon.anatomy.painted import PaintedParts, PartsLook, paint_parts

SHADE = np.array([0.82, 0.76, 0.64])
LOOK = PartsLook(np.full((2, 3), 0.4), SHADE)


def test_parts_are_painted_on_any_thread_and_the_same_each_time() -> None:
    look = PartsLook(np.array([[0.3, 0.4, 0.6], [0.4, 0.3, 0.2]]), SHADE)
    made: list[PaintedParts] = []
    thread = Thread(target=lambda: made.append(paint_parts(look, {})))
    thread.start()
    here = paint_parts(look, {})
    thread.join()
    assert made == [here]
    assert here.eyes["eye_left"].colour != here.eyes["eye_right"].colour


def test_normals_have_sixteen_bits_and_colours_eight() -> None:
    eye = paint_parts(LOOK, {}).eyes["eye_left"]
    # Width, height and bits of a PNG stand behind the eight bytes of its name and the eight of its first chunk's.
    assert struct.unpack(">IIB", eye.colour[16:25]) == (1024, 1024, 8)
    assert struct.unpack(">IIB", eye.cornea_normal[16:25]) == (512, 512, 16)


def test_iris_is_as_wide_as_the_eyeball_says() -> None:
    wide = Eyeball(np.zeros(3), 0.012, 0.6)
    assert paint_parts(LOOK, {"eye_left": wide}).eyes["eye_left"] != paint_parts(LOOK, {}).eyes["eye_left"]


def test_pupils_and_teeth_are_as_the_photo_shows_them() -> None:
    usual = paint_parts(LOOK, {})
    wide = paint_parts(replace(LOOK, pupil_share=0.55), {})
    assert wide.eyes["eye_left"].colour != usual.eyes["eye_left"].colour
    assert wide.teeth == usual.teeth
    yellow = paint_parts(replace(LOOK, teeth_colour_srgb=SHADE * (0.95, 0.9, 0.7)), {})
    assert yellow.teeth != usual.teeth
    assert yellow.eyes == usual.eyes
