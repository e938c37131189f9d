"""The add-on's preferences, and how they are drawn."""
