"""Income gains: the third chapter's tables and figures."""
