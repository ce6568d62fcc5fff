"""Records of games and of simulation runs, and the repository that keeps them."""
