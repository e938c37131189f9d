"""Small reference maps of the whole pipeline: whoever moves code without meaning to change results is told here."""
