"""Funding efficiency: what each yuan bought, for whom, and how sure."""
