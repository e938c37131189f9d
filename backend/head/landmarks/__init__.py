"""Camera, identity and expression from landmarks: a first pose, the solve, contours that slide, the focal length."""
