"""Two runs held against each other: whether they say the same, and if not, why."""
