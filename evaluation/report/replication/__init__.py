"""A replication package: a run, and all that making it again takes, in one zip."""
