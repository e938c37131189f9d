"""Wrinkle maps as textures, with the rule by which shapes mix them in, for a program's own material."""

from __future__ import annotations

import json
from pathlib import Path

import bpy

from ..anatomy.wrinkles import GROUPS, Group
from ..scene.heads import skin_nodes
from ..scene.skin.wrinkles import image_role
from . import presets
from .presets import Preset
from .shape_names import spelled
from .surfaces import stored_pixels
from .textures import Texture, TextureChoices, flip_green, shrink, shrink_normal, texture_depth

CHANNELS = ("red", "green", "blue", "alpha")
RULE = (
    "weight = min(1, sum over channels of mask[channel] * min(1, sum of the values of the channel's shapes)); "
    "normal.xy += weight * (2 * wrinkle.xy - 1), over all groups, with normal the decoded normal map; then normalise"
)


def write_wrinkles(
    head: bpy.types.Object, folder: Path, preset: Preset, stem: str, choices: TextureChoices, shape_names: str
) -> None:
    """Write the wrinkle maps of a head and a JSON file of their rule; nothing for a head that has none.

    Args:
        head: the head itself.
        folder: for the files; made where it is needed.
        preset: names of files, and which way normals point.
        stem: goes into the names.
        choices: size and depth of the textures.
        shape_names: how the exported shapes are spelled.
    """
    groups = []
    for group in GROUPS:
        images = [_image(head, group, mask=mask) for mask in (False, True)]
        if images[0] is None or images[1] is None:
            continue
        normal, mask = _textures(group, images[0], images[1], preset, stem, choices)
        folder.mkdir(exist_ok=True)
        for texture in (normal, mask):
            (folder / texture.file_name).write_bytes(texture.encoded())
        channels = {
            name: [spelled(shape, shape_names) for shape in channel.shapes]
            for name, channel in zip(CHANNELS, group.channels, strict=False)
        }
        groups.append({"name": group.name, "normal": normal.file_name, "mask": mask.file_name, "channels": channels})
    if groups:
        document = {"rule": RULE, "green_points": "down" if preset.directx_normals else "up", "groups": groups}
        (folder / f"{stem}_wrinkles.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _image(head: bpy.types.Object, group: Group, *, mask: bool) -> bpy.types.Image | None:
    return next((n.image for n in skin_nodes(head, image_role(group, mask=mask)) if n.image is not None), None)


def _textures(
    group: Group,
    normal: bpy.types.Image,
    mask: bpy.types.Image,
    preset: Preset,
    stem: str,
    choices: TextureChoices,
) -> tuple[Texture, Texture]:
    label = f"{presets.PART_LABELS['skin']}_Wrinkles{group.label.replace(' ', '')}"
    pattern = preset.texture_names[presets.NORMAL]
    name = pattern.format(stem=stem, part=label)
    values = shrink_normal(stored_pixels(normal)[..., :3], choices.limit_px)
    if preset.directx_normals:
        values = flip_green(values)
    depth = texture_depth(presets.NORMAL, preset, choices)
    masks = shrink(stored_pixels(mask), choices.limit_px)
    return (
        Texture(presets.NORMAL, name, values, srgb=False, depth=depth),
        Texture(presets.MASK, f"{name.rpartition('_')[0]}_mask", masks, srgb=False, depth=depth),
    )
