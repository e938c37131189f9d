"""What each export preset means: file format, names of the maps, which way normals point. Knows nothing of Blender."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from .._shared import RelightifyError

# Roles of texture files; how each is made from the head's maps stands in `export_textures`.
COLOUR = "colour"
NORMAL = "normal"
COAT_NORMAL = "coat_normal"
SPECULAR = "specular"
SPECULAR_TWICE = "specular_twice"
SPECULAR_GLOSS = "specular_gloss"
ROUGHNESS = "roughness"
MASK = "mask"
OCCLUSION = "occlusion"
ORM = "orm"
SUBSURFACE = "subsurface"
DISPLACEMENT = "displacement"
# Roles that no material of the formats shows: written beside the others where there is a folder of textures.
BESIDE = (DISPLACEMENT, SUBSURFACE)

GLTF, FBX, USD = "GLTF", "FBX", "USD"

# How occlusion, roughness and metalness are packed into channels: as the preset's program wants them, each in a file of
# its own, together as Unreal and glTF do, or as Unity's HDRP does.
AS_PRESET, SEPARATE, PACKED_ORM, PACKED_MASK = "AUTO", "SEPARATE", "ORM", "MASK"

# Parts of the head (`head_model.npz`) and what they are called in names of files and materials.
PART_LABELS = {
    "skin": "Head",
    "mouth": "Mouth",
    "eye_left": "EyeLeft",
    "eye_right": "EyeRight",
    "teeth": "Teeth",
    "tongue": "Tongue",
    "lashes": "Lashes",
}
MAX_STEM = 32


@dataclass(frozen=True)
class Preset:
    """How a head leaves Blender for one kind of program.

    Args:
        identifier: what scripts pass as `preset`.
        label: name in the panel.
        description: tooltip.
        suffix: file name suffix with its dot.
        writer: `GLTF`, `FBX` or `USD`.
        texture_names: pattern by role, with the fields ``stem`` and ``part``, of what is always written.
        extra_names: the same of what is written on request.
        material_name: pattern with the same fields.
        object_name: pattern with the field ``stem``.
        skeleton_name: the same. Unreal makes a bone of what the bones hang on, unless that is called Armature.
        directx_normals: whether the green channel of normal maps points down (-Y).
        has_coat: whether the format knows a clear coat.
        bone_names: what its program calls bones, one of `skeleton.naming.NAMINGS`.
    """

    identifier: str
    label: str
    description: str
    suffix: str
    writer: str
    texture_names: Mapping[str, str]
    extra_names: Mapping[str, str]
    material_name: str = "{stem}_{part}"
    object_name: str = "{stem}"
    skeleton_name: str = "{stem}_Skeleton"
    directx_normals: bool = False
    has_coat: bool = False
    bone_names: str = "GLTF"

    @property
    def has_folder(self) -> bool:
        """Whether textures lie in a folder beside the file; else they are all in it."""
        return self.suffix not in (".glb", ".usdz")

    @property
    def knows_exr(self) -> bool:
        """Whether programs of the format read OpenEXR textures; glTF has PNG and JPEG only, and so has Quick Look."""
        return self.writer != GLTF and self.suffix != ".usdz"

    def names(self, packing: str, *, occlusion: bool, subsurface: bool) -> dict[str, str]:
        """Patterns by role of the files to write.

        Args:
            packing: `AS_PRESET`, `SEPARATE`, `PACKED_ORM` or `PACKED_MASK`.
            occlusion: with ambient occlusion.
            subsurface: with the colour of light under the skin.
        """
        if packing == AS_PRESET and (MASK in self.texture_names or (self.writer == GLTF and occlusion)):
            packing = PACKED_MASK if MASK in self.texture_names else PACKED_ORM
        every = {**self.texture_names, **self.extra_names}
        roles = [role for role in self.texture_names if role not in (ROUGHNESS, MASK, DISPLACEMENT)]
        # No format shows a mask map, and USD's materials take no single channels: those keep roughness by itself, too.
        if ROUGHNESS in every and (packing != PACKED_ORM or self.writer == USD):
            roles.append(ROUGHNESS)
        if packing in (PACKED_ORM, PACKED_MASK):
            roles.append(ORM if packing == PACKED_ORM else MASK)
        elif occlusion:
            roles.append(OCCLUSION)
        roles += [SUBSURFACE] * subsurface + [DISPLACEMENT]
        if MASK in self.texture_names and packing == PACKED_MASK:
            # Smoothness is in it already.
            roles.remove(ROUGHNESS)
        return {role: every[role] for role in roles}


_GLTF_NAMES = {
    COLOUR: "{stem}_{part}_baseColor",
    NORMAL: "{stem}_{part}_normal",
    COAT_NORMAL: "{stem}_{part}_clearcoatNormal",
    SPECULAR_TWICE: "{stem}_{part}_specular",
    ROUGHNESS: "{stem}_{part}_roughness",
    DISPLACEMENT: "{stem}_{part}_displacement",
}
_GLTF_EXTRAS = {
    OCCLUSION: "{stem}_{part}_occlusion",
    ORM: "{stem}_{part}_occlusionRoughnessMetallic",
    MASK: "{stem}_{part}_maskMap",
    SUBSURFACE: "{stem}_{part}_subsurface",
}
_USD_NAMES = {
    COLOUR: "{stem}_{part}_diffuse",
    NORMAL: "{stem}_{part}_normal",
    SPECULAR: "{stem}_{part}_specular",
    ROUGHNESS: "{stem}_{part}_roughness",
    DISPLACEMENT: "{stem}_{part}_displacement",
}
_USD_EXTRAS = {**_GLTF_EXTRAS, ORM: "{stem}_{part}_ORM"}

PRESETS: Mapping[str, Preset] = {
    preset.identifier: preset
    for preset in (
        Preset(
            "GLB",
            "glTF Binary (.glb)",
            "One file with textures and morph targets, for the web, Godot, viewers and most engines",
            ".glb",
            GLTF,
            _GLTF_NAMES,
            _GLTF_EXTRAS,
            has_coat=True,
        ),
        Preset(
            "GLTF",
            "glTF Separate (.gltf)",
            "glTF as text, with its data and textures as files beside it",
            ".gltf",
            GLTF,
            _GLTF_NAMES,
            _GLTF_EXTRAS,
            has_coat=True,
        ),
        Preset(
            "UNITY",
            "Unity (.fbx)",
            "FBX for Unity: +Y normal maps, specular with smoothness (Built-in, URP) and a mask map (HDRP)",
            ".fbx",
            FBX,
            {
                COLOUR: "{stem}_{part}_Albedo",
                NORMAL: "{stem}_{part}_Normal",
                SPECULAR_GLOSS: "{stem}_{part}_SpecularSmoothness",
                MASK: "{stem}_{part}_MaskMap",
                DISPLACEMENT: "{stem}_{part}_Height",
            },
            {
                ROUGHNESS: "{stem}_{part}_Roughness",
                OCCLUSION: "{stem}_{part}_Occlusion",
                ORM: "{stem}_{part}_ORM",
                SUBSURFACE: "{stem}_{part}_Subsurface",
            },
            bone_names="UNITY",
        ),
        Preset(
            "UNREAL",
            "Unreal Engine (.fbx)",
            "FBX for Unreal: DirectX (-Y) normal maps, names with the prefixes T_, M_ and SK_",
            ".fbx",
            FBX,
            {
                COLOUR: "T_{stem}_{part}_D",
                NORMAL: "T_{stem}_{part}_N",
                SPECULAR: "T_{stem}_{part}_S",
                ROUGHNESS: "T_{stem}_{part}_R",
                DISPLACEMENT: "T_{stem}_{part}_H",
            },
            {
                OCCLUSION: "T_{stem}_{part}_AO",
                ORM: "T_{stem}_{part}_ORM",
                MASK: "T_{stem}_{part}_Mask",
                SUBSURFACE: "T_{stem}_{part}_SSS",
            },
            material_name="M_{stem}_{part}",
            object_name="SK_{stem}",
            skeleton_name="Armature",
            directx_normals=True,
            bone_names="UNREAL",
        ),
        Preset(
            "USD",
            "USD (.usdc)",
            "Universal Scene Description with blend shapes, textures in a folder beside it",
            ".usdc",
            USD,
            _USD_NAMES,
            _USD_EXTRAS,
            has_coat=True,
        ),
        Preset(
            "USDZ",
            "USD Package (.usdz)",
            "Universal Scene Description in one file with its textures, for Quick Look on Apple devices",
            ".usdz",
            USD,
            _USD_NAMES,
            _USD_EXTRAS,
            has_coat=True,
        ),
    )
}


def preset_named(identifier: str) -> Preset:
    """The preset of an identifier.

    Raises:
        RelightifyError: ``no_preset``.
    """
    preset = PRESETS.get(identifier)
    if preset is None:
        raise RelightifyError(
            "no_preset", f"There is no export preset {identifier!r}.", f"Use one of {', '.join(PRESETS)}."
        )
    return preset


def clean_stem(name: str) -> str:
    """A name that every engine takes in asset names: letters, digits and underscores, not too long, never empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    cleaned = re.sub(r"[^0-9A-Za-z_]+", "_", plain).strip("_")[:MAX_STEM].strip("_")
    if not cleaned:
        # Names in other scripts stay apart, so that two heads in one folder do not share their textures.
        return f"Head_{zlib.crc32(name.encode()):08x}"
    # Identifiers of USD prims and of some engines must not begin with a digit.
    return f"Head_{cleaned}" if cleaned[0].isdigit() else cleaned


def tile_of(part: str) -> int:
    """The UDIM tile that a part of the head has to itself: 1001 for the skin, and so on."""
    names = tuple(PART_LABELS)
    return 1001 + (names.index(part) if part in names else len(names))


def texture_folder(stem: str) -> str:
    """Name of the folder beside the file that holds its textures."""
    return f"{stem}_textures"
