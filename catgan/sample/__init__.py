"""Draw from a trained generator: grids, single pictures, walks, and the training as a film."""
