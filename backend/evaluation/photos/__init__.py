"""The table `photos`: what becomes of each photo of a folder, said and shown."""
