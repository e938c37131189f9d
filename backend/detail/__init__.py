"""From the maps of a prior at its working size to maps that an artist can zoom into."""
