"""Which pixels show skin: segmentation, strands of hair, glasses, what covers the face, the mask of it all."""
