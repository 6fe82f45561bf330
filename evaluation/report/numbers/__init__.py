"""Whether the numbers that a report prints are those of its results, in all its files."""
