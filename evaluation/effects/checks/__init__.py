"""Checks of the average effect: what would overturn it."""
