"""All that Blender shows: settings that are saved, operators that start things, panels that draw them."""
