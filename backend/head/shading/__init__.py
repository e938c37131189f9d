"""The photometric refinement: a fit whose shaded, coarsely coloured skin looks like the photo."""
