"""The meshes that the head is built from, as their makers give them: MakeHuman's base mesh and the ICT face model."""
