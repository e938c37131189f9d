"""Face embeddings, and how alike two faces are: they measure and guide, and nothing that ships is trained on them."""
