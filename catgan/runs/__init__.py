"""The command `runs`: what catgan keeps on disk, and how to be rid of it."""
