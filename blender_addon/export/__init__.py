"""A head out of Blender as glTF, FBX or USD, without a change to the scene."""
