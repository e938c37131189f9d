"""A head on a body: a MakeHuman human of the scene takes the shape, the skin and the parts of a head."""
