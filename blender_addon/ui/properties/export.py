"""What can be chosen for an export. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

import bpy

from ...export.head import ExportOptions
from ...export.levels import FILES, NONE, TOGETHER
from ...export.mesh import APPLIED, CURRENT, NEUTRAL
from ...export.presets import AS_PRESET, GLTF, PACKED_MASK, PACKED_ORM, PRESETS, SEPARATE
from ...export.shape_names import ARKIT, VRM
from ...export.skeleton import AS_IN_SCENE, AUTO
from ...export.textures import EIGHT, EXR, SIXTEEN, TextureChoices

ORIGINAL = "ORIGINAL"
PRESET_ITEMS = [(p.identifier, p.label, p.description) for p in PRESETS.values()]
EXPRESSION_ITEMS = [
    (CURRENT, "Current", "Keep the shape keys, set as they are now"),
    (NEUTRAL, "Neutral", "Keep the shape keys, all at zero"),
    (APPLIED, "Applied", "Freeze the face as it is now, without shape keys"),
]
BONE_ITEMS = [
    (AUTO, "As the Preset", "Names that the preset's programs know bones by"),
    (AS_IN_SCENE, "As in the Scene", "The names that the bones have here"),
]
SHAPE_ITEMS = [
    (ARKIT, "ARKit", "jawOpen, as ARKit, Live Link Face and MetaHuman spell them"),
    (VRM, "VRM Perfect Sync", "JawOpen, as VRM avatars spell them for perfect sync"),
]
TEXTURE_ITEMS = [
    (ORIGINAL, "Original", "Textures as large as the head's maps"),
    *((str(n), f"{n} px", f"Textures of at most {n} by {n} pixels") for n in (4096, 2048, 1024, 512, 256)),
]
LEVEL_ITEMS = [
    (NONE, "None", "The head alone"),
    (FILES, "A File for Each", "Three more files, of about 3,500, 1,700 and 700 faces"),
    (TOGETHER, "Together", "As the format groups them: MSFT_lod in glTF, an LOD group in FBX, variants in USD"),
]
DEPTH_ITEMS = [
    (EIGHT, "8 Bit", "PNG; heights have 16 bits"),
    (SIXTEEN, "16 Bit", "PNG with smooth ramps"),
    (EXR, "OpenEXR", "Half floats, colours in linear light; 16-bit PNG where the format has no OpenEXR"),
]
PACKING_ITEMS = [
    (AS_PRESET, "As the Preset", "As the preset's programs expect them"),
    (SEPARATE, "Separate", "A file for each"),
    (PACKED_ORM, "ORM", "Occlusion, roughness, metalness in red, green, blue: Unreal, glTF, Godot"),
    (PACKED_MASK, "Mask Map", "Metalness, occlusion, detail mask, smoothness: Unity HDRP"),
]


class TextureSettings:
    """The choices of textures."""

    texture_size: bpy.props.EnumProperty(
        name="Textures", description="Largest side of the exported textures", items=TEXTURE_ITEMS
    )
    texture_depth: bpy.props.EnumProperty(name="Depth", description="How fine textures are stored", items=DEPTH_ITEMS)
    packing: bpy.props.EnumProperty(
        name="Packing", description="Occlusion, roughness and metalness by channel", items=PACKING_ITEMS
    )
    use_occlusion: bpy.props.BoolProperty(
        name="Occlusion", description="Ambient occlusion of the skin, from the neutral head's shape"
    )
    use_subsurface: bpy.props.BoolProperty(
        name="Subsurface Colour", description="The skin's colour as light finds it that has been under the surface"
    )
    use_udim: bpy.props.BoolProperty(
        name="UDIM Tiles", description="A tile of texture space for each part, with the tile's number in file names"
    )


class ExportChoices(TextureSettings):
    """The choices that the panel and the operator share."""

    preset: bpy.props.EnumProperty(name="Preset", description="What the head is exported for", items=PRESET_ITEMS)
    use_eyes: bpy.props.BoolProperty(name="Eyes", description="Export the eyeballs", default=True)
    use_mouth: bpy.props.BoolProperty(name="Teeth and Tongue", description="Export teeth and tongue", default=True)
    use_lashes: bpy.props.BoolProperty(name="Lashes", description="Export the lashes, with transparency", default=True)
    expression: bpy.props.EnumProperty(
        name="Expression", description="What becomes of the expression", items=EXPRESSION_ITEMS
    )
    use_animation: bpy.props.BoolProperty(
        name="Animation", description="Export the keyframes of the expression, if there are any", default=True
    )
    shape_names: bpy.props.EnumProperty(name="Shape Names", description="How the shapes are spelled", items=SHAPE_ITEMS)
    use_visemes: bpy.props.BoolProperty(
        name="Visemes", description="Add fifteen mouths of speech, named as Oculus Lipsync does, mixed from the shapes"
    )
    use_skeleton: bpy.props.BoolProperty(
        name="Skeleton",
        description="Export the bones with the skin weights; else shapes turn eyes and jaw by themselves",
        default=True,
    )
    bone_names: bpy.props.EnumProperty(name="Bone Names", description="What the bones are called", items=BONE_ITEMS)
    subdivisions: bpy.props.IntProperty(
        name="Subdivisions",
        description="Smooth the exported mesh: 0 gives the base mesh, each level four times the faces",
        min=0,
        max=2,
    )
    levels: bpy.props.EnumProperty(
        name="Levels of Detail", description="Coarser heads with all shapes, bones and materials", items=LEVEL_ITEMS
    )
    use_wrinkles: bpy.props.BoolProperty(
        name="Wrinkle Maps", description="The head's wrinkle maps, if it has any, and the rule that mixes them in"
    )
    use_tangents: bpy.props.BoolProperty(
        name="Tangents", description="Write tangents into glTF; most engines make the same ones themselves"
    )


TEXTURE_CHOICES = tuple(TextureSettings.__annotations__)
CHOICE_NAMES = (*TEXTURE_CHOICES, *ExportChoices.__annotations__)


class ExportSettings(ExportChoices, bpy.types.PropertyGroup):
    """Choices of the export panel, saved with the scene."""


CLASSES = (ExportSettings,)


def options_of(choices: ExportChoices) -> ExportOptions:
    """The choices as plain options."""
    values = {name: getattr(choices, name) for name in CHOICE_NAMES if name not in TEXTURE_CHOICES}
    return ExportOptions(**values, textures=texture_choices(choices))


def texture_choices(choices: TextureSettings) -> TextureChoices:
    """The choices of textures as plain options."""
    size = choices.texture_size
    return TextureChoices(
        limit_px=None if size == ORIGINAL else int(size),
        depth=choices.texture_depth,
        packing=choices.packing,
        occlusion=choices.use_occlusion,
        subsurface=choices.use_subsurface,
        udim=choices.use_udim,
    )


def draw_choices(layout: bpy.types.UILayout, choices: ExportChoices) -> None:
    """The choices as the panel and the file browser show them; what means nothing now is greyed or left out."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    layout.prop(choices, "preset")
    draw_textures(layout, choices)
    layout.prop(choices, "use_wrinkles")
    layout.prop(choices, "subdivisions")
    layout.prop(choices, "levels")
    column = layout.column(heading="Include")
    for name in ("use_eyes", "use_mouth", "use_lashes"):
        column.prop(choices, name)
    column.prop(choices, "use_skeleton")
    column = layout.column()
    column.active = choices.use_skeleton
    column.prop(choices, "bone_names")
    layout.prop(choices, "expression")
    column = layout.column()
    column.active = choices.expression != APPLIED
    column.prop(choices, "shape_names")
    column.prop(choices, "use_visemes")
    column = layout.column()
    column.active = choices.expression == CURRENT
    column.prop(choices, "use_animation")
    if PRESETS[choices.preset].writer == GLTF:
        layout.prop(choices, "use_tangents")


def draw_textures(layout: bpy.types.UILayout, choices: TextureSettings) -> None:
    """The choices of textures."""
    for name in ("texture_size", "texture_depth", "packing"):
        layout.prop(choices, name)
    column = layout.column(heading="Also")
    for name in ("use_occlusion", "use_subsurface", "use_udim"):
        column.prop(choices, name)
