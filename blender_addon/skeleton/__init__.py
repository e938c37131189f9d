"""A skeleton for the head: bones, skin weights, what follows what."""
