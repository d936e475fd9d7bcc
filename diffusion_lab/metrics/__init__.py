"""How good are the samples? Distances between sets of features, and what each of them cannot see."""
