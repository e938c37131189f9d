"""The 52 shapes of a face: their groups, faces at random, and recordings played on a head."""
