"""One page over many runs."""
