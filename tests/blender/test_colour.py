"""Colour management of a studio: other names, other primaries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender import finished_job

HERE = Path(__file__).parent


def found_with(config: str) -> dict[str, Any]:
    """What a fresh Blender finds after an import, with a configuration or, where none is named, its own."""
    variables = {**os.environ, "OCIO": config}
    if not config:
        del variables["OCIO"]
    run = subprocess.run(
        [sys.executable, str(HERE / "colour_check.py")], env=variables, capture_output=True, text=True, timeout=300
    )
    line = next((line for line in run.stdout.splitlines() if line.startswith("FOUND ")), None)
    assert line is not None, run.stdout + run.stderr
    return json.loads(line.removeprefix("FOUND "))


@pytest.fixture(scope="module")
def aces() -> dict[str, Any]:
    return found_with(str(HERE / "aces_like.ocio"))


def test_images_have_the_spaces_of_their_roles(aces: dict[str, Any]) -> None:
    assert aces["spaces"] == {
        "diffuse_albedo": "Utility - sRGB - Texture",
        "specular_albedo": "Utility - Raw",
        "normal": "Utility - Raw",
    }


def test_photo_light_is_shown_by_the_view_without_a_film_look_and_the_old_one_comes_back(aces: dict[str, Any]) -> None:
    assert aces["before"] == "Film-like"
    assert aces["views"] == ["Un-tone-mapped", "Film-like", "Un-tone-mapped"]


def test_colours_are_converted_to_the_primaries_of_the_scene(aces: dict[str, Any]) -> None:
    # Rec. 709 in ACEScg (AP1, adapted to D60); rows are the primaries.
    known = [[0.6131, 0.0702, 0.0206], [0.3395, 0.9164, 0.1096], [0.0474, 0.0135, 0.8698]]
    np.testing.assert_allclose(aces["matrix"], known, atol=2e-3)
    np.testing.assert_allclose(aces["back"], np.eye(3), atol=1e-4)
    wanted = finished_job.environment().mean((0, 1)) @ np.array(known)
    np.testing.assert_allclose(aces["radiance"], wanted, rtol=0.01)
    np.testing.assert_allclose(aces["tongue"], (0.56, 0.22, 0.20), atol=1e-3)


def test_blenders_own_configuration_gives_what_it_always_gave(addon: SimpleNamespace) -> None:
    del addon
    found = found_with("")
    assert found["views"] == ["Standard", found["before"], "Standard"]
    assert found["spaces"] == {"diffuse_albedo": "sRGB", "specular_albedo": "Non-Color", "normal": "Non-Color"}
    np.testing.assert_array_equal(found["matrix"], np.eye(3))
    np.testing.assert_allclose(found["radiance"], finished_job.environment().mean((0, 1)), rtol=0.01)


@pytest.mark.parametrize("look", ["AgX", "Filmic", "Standard", "Raw"])
def test_plain_view_is_found_from_any_other(addon: SimpleNamespace, look: str) -> None:
    scene = bpy.context.scene
    scene.view_settings.view_transform = look
    scenes, images = len(bpy.data.scenes), len(bpy.data.images)
    assert addon.scene.colour.plain_view(scene) == "Standard"
    assert scene.view_settings.view_transform == look
    assert (len(bpy.data.scenes), len(bpy.data.images)) == (scenes, images)
