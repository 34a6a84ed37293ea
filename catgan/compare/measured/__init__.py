"""What is measured: the real images of an arm, the samples of each run, and both as an arm."""
