"""The two nets, the checkpoint file they live in, and drawing samples from it.

`train` makes checkpoints and `compare` reads them; neither knows the other, both know this.
"""
