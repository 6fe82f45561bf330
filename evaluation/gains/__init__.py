"""Income gains per village: counterfactual, intervals, shrinkage, ranks."""
