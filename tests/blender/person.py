"""Several photos of one person, for tests: their files, what a backend makes of them, and what panels draw."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np

from shared.messages import Reconstruct
from tests.blender import fake_backend
from tests.blender.conftest import MODULE
from tests.blender.fake_backend import Reply
from tests.blender.test_people import RecordingLayout

STRANGER = "Photo 3 seems to show another person, so it is left out."


def reconstruct(photos: list[str], **options: Any) -> bpy.types.Object:
    """The head that a script makes of photos."""
    further = [{"name": path} for path in photos[1:]]
    assert bpy.ops.relightify.reconstruct(filepath=photos[0], further=further, **options) == {"FINISHED"}
    return bpy.data.objects[Path(photos[0]).stem]


def leave_the_third_out(request: Reconstruct, reply: Reply) -> None:
    warnings = (STRANGER, "Photo 2: The chin is cut off by the edge of the photo; it will be guessed.")
    reply(fake_backend.result(request, (1, 2), warnings))


def leave_the_first_out(request: Reconstruct, reply: Reply) -> None:
    reply(fake_backend.result(request, (2, 3), ("Photo 1 is left out: No face was found in the photo.",)))


def take_the_first_for_a_profile(request: Reconstruct, reply: Reply) -> None:
    reply(fake_backend.result(request, (2, 3, 1)))


def listed(settings: Any) -> list[str]:
    return [Path(item.path).stem for item in settings.photos]


def drawn(settings: Any) -> list[str]:
    """Texts and operators that the list of photos draws, rows included."""
    layout = ListLayout()
    person = importlib.import_module(f"{MODULE}.ui.panels.person")
    person.draw_list(layout, panel_context(settings), settings)
    for index, item in enumerate(settings.photos):
        row = SimpleNamespace()
        person.RELIGHTIFY_UL_photos.draw_item(row, panel_context(settings), layout, settings, item, 0, None, "", index)
    return layout.drawn


def panel_context(settings: Any) -> Any:
    return SimpleNamespace(
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0)),
        region=SimpleNamespace(width=600),
        scene=SimpleNamespace(relightify=settings),
    )


class ListLayout(RecordingLayout):
    """A layout that also knows lists."""

    def template_list(self, kind: str, *_what: object, **_style: object) -> None:
        self.drawn.append(kind)

    def column(self, **_style: object) -> ListLayout:
        return self

    row = box = split = column


def background(world: bpy.types.World) -> float:
    """The mean of the image that a world is lit by."""
    image = next(node.image for node in world.node_tree.nodes if node.type == "TEX_ENVIRONMENT")
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    return float(values.reshape(-1, 4)[:, :3].mean())


class ButtonLayout(ListLayout):
    """A layout that knows which buttons are pressed in, those without words by what they are set to."""

    def __init__(self) -> None:
        super().__init__()
        self._buttons: list[tuple[dict[str, Any], SimpleNamespace]] = []

    def operator(self, name: str, **style: Any) -> SimpleNamespace:
        super().operator(name)
        made = SimpleNamespace()
        self._buttons.append((style, made))
        return made

    @property
    def pressed(self) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for style, made in self._buttons:
            if not hasattr(made, "number"):
                continue
            if style["text"]:
                found[style["text"]] = style["depress"]
            else:
                kind = "light" if getattr(made, "use_light", False) else "expression"
                found.setdefault(made.number, {})[kind] = style["depress"]
        return found

    @property
    def notes(self) -> list[str]:
        return [made.problem for _, made in self._buttons if hasattr(made, "problem")]
