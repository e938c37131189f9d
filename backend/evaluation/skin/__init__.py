"""Tables of the skin: reflectance, tone, light, detail, and what they are compared with."""
