"""`catgan compare`: what runs have learnt, side by side, in images and honest numbers."""
