"""What a run records of itself: inputs, parameters, code, versions, machine, outputs."""
