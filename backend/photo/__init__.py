"""From the bytes of a photo to the face in it: reading, landmarks, which pixels are skin."""
