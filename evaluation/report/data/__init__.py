"""What a study holds: the first chapter's tables and figures."""
