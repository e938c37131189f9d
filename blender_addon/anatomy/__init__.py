"""What of a head numpy alone makes: its shape in Blender's axes, teeth, lids, weights, painted eyes; on any thread."""
