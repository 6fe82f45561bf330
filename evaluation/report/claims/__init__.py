"""Published claims: the second chapter's tables and figures."""
