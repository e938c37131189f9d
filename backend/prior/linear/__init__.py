"""The linear prior: a joint Gaussian over all maps, conditioned on what was seen in closed form."""
