"""Several completions of one photo: the skins of a head, to choose from."""

from __future__ import annotations

from collections.abc import Mapping

import bpy

from ..._shared import (
    DIFFUSE_ALBEDO,
    EXTRA_MAPS,
    NORMAL,
    SPECULAR_ALBEDO,
    RelightifyError,
    maps_of_sample,
    sample_count,
)
from ..heads import skin_nodes
from ..images import image_from_bytes, remove_unused
from .extra_maps import MAP_PREFIX

SKIN_MAPS = {spec.name: spec for spec in (DIFFUSE_ALBEDO, SPECULAR_ALBEDO, NORMAL, *EXTRA_MAPS)}
# Custom properties of a head: an image for each map of each sample, and the number of the one that is shown.
PREFIX = "relightify_sample_"
SHOWN = "relightify_shown_sample"


def sample_numbers(head: bpy.types.Object) -> list[int]:
    """The numbers of a head's samples, from 1; empty where it has only one."""
    keys = [key for key in head.keys() if key.startswith(PREFIX)]  # noqa: SIM118, no mapping of Python's
    return sorted({int(key.removeprefix(PREFIX).split("_")[0]) for key in keys})


def keep_samples(head: bpy.types.Object, maps: Mapping[str, bytes]) -> None:
    """Store the samples of a result with the head that shows the first of them; older ones are forgotten.

    Raises:
        RelightifyError: ``bad_image`` where Blender cannot read a map.
    """
    forget_samples(head)
    if sample_count(maps) < 2:
        return
    shown = shown_images(head)
    for number in range(1, sample_count(maps) + 1):
        files = maps_of_sample(maps, number)
        for name, first in shown.items():
            image = first
            if number > 1:
                data, srgb = bytes(files[name]), SKIN_MAPS[name].srgb
                image = image_from_bytes(f"{first.name} {number}", data, srgb=srgb)
            head[f"{PREFIX}{number}_{name}"] = image
    head[SHOWN] = 1


def show_sample(head: bpy.types.Object, number: int) -> None:
    """Dress a head in one of its samples.

    Raises:
        RelightifyError: ``no_sample``.
    """
    if number not in sample_numbers(head):
        raise RelightifyError("no_sample", f"This head has no sample {number}.", "Reconstruct it with more samples.")
    for name in SKIN_MAPS:
        image = head.get(f"{PREFIX}{number}_{name}")
        if image is None:
            continue
        for node in skin_nodes(head, name):
            node.image = image
        if MAP_PREFIX + name in head:
            head[MAP_PREFIX + name] = image
    head[SHOWN] = number


def forget_samples(head: bpy.types.Object) -> None:
    """Let go of all samples but the one that is shown."""
    images = []
    for number in sample_numbers(head):
        for name in SKIN_MAPS:
            key = f"{PREFIX}{number}_{name}"
            if key in head:
                images.append(head[key])
                del head[key]
    if SHOWN in head:
        del head[SHOWN]
    remove_unused(images)


def shown_images(head: bpy.types.Object) -> dict[str, bpy.types.Image]:
    """The images of the skin's maps by map, as far as the artist has left them."""
    found = {}
    for name in SKIN_MAPS:
        images = [node.image for node in skin_nodes(head, name)] or [head.get(MAP_PREFIX + name)]
        if images[0] is not None:
            found[name] = images[0]
    return found
