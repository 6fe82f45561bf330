"""What a published text says, as bounds."""
