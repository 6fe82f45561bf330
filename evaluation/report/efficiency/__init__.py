"""What the money bought: the fifth chapter's tables and figures."""
