"""The panels of the tab *Face*; they only draw."""
