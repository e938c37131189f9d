"""What the page on scripting says of the operators, compared with what Blender has registered."""

from __future__ import annotations

import re
from types import SimpleNamespace

import bpy

from tests.test_docs import operators_on_page

# Blender's own, and what only file dialogues and buttons set.
UNLISTED = {"rna_type", "filter_glob", "check_existing", "problem"}


def test_the_page_lists_the_operators_and_parameters_that_blender_has(addon: SimpleNamespace) -> None:
    del addon
    registered = {
        name: {p.identifier for p in getattr(bpy.ops.relightify, name).get_rna_type().properties} - UNLISTED
        for name in dir(bpy.ops.relightify)
        if re.match(r"[a-z]", name)
    }
    assert operators_on_page() == registered
