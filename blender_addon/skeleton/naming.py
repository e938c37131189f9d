"""What bones are called in different programs. Knows nothing of Blender."""

from __future__ import annotations

from collections.abc import Mapping

from .skinning import HEAD, JAW, LEFT_EYE, NECK, RIGHT_EYE, ROOT

# As in the scene: Blender's own endings for sides, so that its mirroring knows them.
BLENDER = {ROOT: "root", NECK: "neck", HEAD: "head", JAW: "jaw", LEFT_EYE: "eye.L", RIGHT_EYE: "eye.R"}

NAMINGS: Mapping[str, Mapping[str, str]] = {
    "BLENDER": BLENDER,
    # Rigify's human meta-armature: the spine's upper bones are neck and head.
    "RIGIFY": {**BLENDER, NECK: "spine.004", HEAD: "spine.006"},
    # The humanoid avatars of glTF tools (VRM 1.0's humanoid bones in the spelling of Mixamo and Ready Player Me).
    "GLTF": {ROOT: "Root", NECK: "Neck", HEAD: "Head", JAW: "Jaw", LEFT_EYE: "LeftEye", RIGHT_EYE: "RightEye"},
    # Unity's humanoid avatar finds bones by these words.
    "UNITY": {ROOT: "Root", NECK: "Neck", HEAD: "Head", JAW: "Jaw", LEFT_EYE: "LeftEye", RIGHT_EYE: "RightEye"},
    # Unreal's mannequin, and MetaHuman's names for what the mannequin lacks.
    "UNREAL": {
        ROOT: "root",
        NECK: "neck_01",
        HEAD: "head",
        JAW: "FACIAL_C_Jaw",
        LEFT_EYE: "FACIAL_L_Eye",
        RIGHT_EYE: "FACIAL_R_Eye",
    },
}
