"""Three-point studio light fitted to a head: key, fill and rim on an empty that follows the head.

Distances, sizes and power grow with the head, so that the picture stays the same at any scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from ..scene.colour import scene_linear
from ..scene.heads import MADE, belonging, home_of, place_of

# Custom properties: of the head, the rig's empty; of a lamp, which one it is.
RIG, LAMP = "relightify_light_rig", "relightify_lamp"
KEY, FILL, RIM = "Key", "Fill", "Rim"

NEUTRAL_KELVIN = 6500.0
WARM_KELVIN, COOL_KELVIN = 3800.0, 10500.0
# Power that an area light needs for a radiance of 1 of a white card at 1 m: it sends P / pi per steradian straight
# ahead, and the card sends 1 / pi of what it receives to each side.
WATTS_AT_ONE_METRE = np.pi**2


@dataclass(frozen=True)
class RigShape:
    """How the lamps stand and shine.

    Args:
        angle: radians from the nose to the key light, positive to the left of somebody who faces the head.
        height: radians from the eyes up to the key light.
        brightness: light of the key on a white card at the face, as a pixel value.
        ratio: key over fill, at least 1.
        rim: rim over key.
        softness: factor on the size of the lamps.
        warmth: -1 to 1; positive makes the key warm and the fill cool, negative the other way round.
    """

    angle: float = np.radians(40.0)
    height: float = np.radians(30.0)
    brightness: float = 1.0
    ratio: float = 4.0
    rim: float = 1.5
    softness: float = 1.0
    warmth: float = 0.15


@dataclass(frozen=True)
class Lamp:
    """One lamp in the space of the head.

    Args:
        position: metres from the middle of the head.
        size: width and height, metres.
        power: watts.
        colour: linear RGB with the luminance of white.
    """

    position: np.ndarray
    size: tuple[float, float]
    power: float
    colour: np.ndarray


def lamps(shape: RigShape, height: float, scale: float = 1.0) -> dict[str, Lamp]:
    """The three lamps for a head.

    Args:
        shape: how they stand and shine.
        height: of the head, in its own metres.
        scale: of the head in the world, which positions and sizes follow by themselves but power does not.
    """
    fill_angle = -max(abs(shape.angle), np.radians(35.0)) * np.sign(shape.angle or 1.0) * 1.15
    rim_angle = -np.radians(145.0) * np.sign(shape.angle or 1.0)
    places = {
        KEY: (shape.angle, shape.height, 3.2, (1.1, 1.6), shape.brightness, shape.warmth),
        FILL: (fill_angle, np.radians(8.0), 3.8, (2.4, 2.4), shape.brightness / shape.ratio, -shape.warmth),
        RIM: (rim_angle, np.radians(35.0), 3.0, (0.5, 1.6), shape.brightness * shape.rim, -0.5 * shape.warmth),
    }
    made = {}
    for name, (angle, rise, distance, size, light, warmth) in places.items():
        towards = np.array([-np.sin(angle) * np.cos(rise), -np.cos(angle) * np.cos(rise), np.sin(rise)])
        metres = distance * height
        made[name] = Lamp(
            position=towards * metres,
            size=(size[0] * height * shape.softness, size[1] * height * shape.softness),
            power=float(WATTS_AT_ONE_METRE * light * (metres * scale) ** 2),
            colour=warmth_colour(warmth),
        )
    return made


def warmth_colour(warmth: float) -> np.ndarray:
    """Linear sRGB of a warmth from -1 (cool) over 0 (white) to 1 (warm), with the luminance of white."""
    end = WARM_KELVIN if warmth > 0 else COOL_KELVIN
    # Equal steps in reciprocal temperature look equal.
    kelvin = 1 / (1 / NEUTRAL_KELVIN + abs(warmth) * (1 / end - 1 / NEUTRAL_KELVIN))
    colour = _black_body(kelvin) / _black_body(NEUTRAL_KELVIN)
    return np.clip(colour / (colour @ np.array([0.2126, 0.7152, 0.0722])), 0.0, None)


def _black_body(kelvin: float) -> np.ndarray:
    """Linear sRGB of a black body of 4000 to 25000 K (from 3000 K on, roughly), Y = 1.

    Kim et al. 2002, "Design of advanced color temperature control system for HDTV applications", cubic fits of the
    Planckian locus.
    """
    t = 1000.0 / kelvin
    if kelvin < 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    # IEC 61966-2-1.
    from_xyz = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    return from_xyz @ xyz


def find_rig(head: bpy.types.Object | None) -> bpy.types.Object | None:
    """The empty of a head's rig, or None where it has none (any more)."""
    return belonging(head, RIG)


def add_rig(head: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.Object:
    """Add the three lamps to a head, or give back those that it has.

    Returns:
        the empty that holds them; it follows the head and does not turn with it.
    """
    rig = find_rig(head)
    if rig is not None:
        return rig
    collection = home_of(head, scene)
    rig = bpy.data.objects.new(f"{head.name} studio lights", None)
    rig.empty_display_size = 0.1
    rig.empty_display_type = "ARROWS"
    rig.parent = head.parent
    follow = rig.constraints.new("COPY_LOCATION")
    follow.name = "Follow the head"
    follow.target = head
    collection.objects.link(rig)
    rig[MADE] = True
    for name in (KEY, FILL, RIM):
        lamp = bpy.data.objects.new(f"{head.name} {name.lower()} light", bpy.data.lights.new(name, "AREA"))
        lamp.data.shape = "RECTANGLE"
        lamp[LAMP] = name
        lamp[MADE] = True
        lamp.parent = rig
        collection.objects.link(lamp)
    head[RIG] = rig
    return rig


def shape_rig(head: bpy.types.Object, shape: RigShape) -> None:
    """Place and light the lamps of a head's rig; lamps that were deleted stay so."""
    rig = find_rig(head)
    if rig is None:
        return
    centre, height = head_extent(head)
    scale = max(abs(s) for s in place_of(head.parent or head).to_scale())
    made = lamps(shape, height, scale)
    for child in rig.children:
        lamp = made.get(child.get(LAMP, ""))
        if lamp is None or child.type != "LIGHT":
            continue
        child.location = Vector(lamp.position) + centre
        child.rotation_euler = (centre - child.location).to_track_quat("-Z", "Y").to_euler()
        child.data.size, child.data.size_y = lamp.size
        child.data.energy = lamp.power
        child.data.color = scene_linear(lamp.colour).tolist()


def remove_rig(head: bpy.types.Object) -> None:
    """Delete the rig of a head with its lamps."""
    rig = find_rig(head)
    if rig is None:
        return
    for child in list(rig.children):
        data = child.data if child.type == "LIGHT" else None
        bpy.data.objects.remove(child)
        if data is not None and data.users == 0:
            bpy.data.lights.remove(data)
    bpy.data.objects.remove(rig)
    del head[RIG]


def head_extent(head: bpy.types.Object) -> tuple[Vector, float]:
    """Middle and height of a head without its neck, in its own space; the origin lies between the eyes."""
    top = max(corner[2] for corner in head.bound_box)
    # From between the eyes the chin is about as far away as the crown.
    return Vector((0.0, 0.6 * top, -0.1 * top)), 2.0 * top
