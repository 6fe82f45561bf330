"""The programme's average effect, by several estimators, and what would overturn it."""
