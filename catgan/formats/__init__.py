"""What catgan leaves on disk: each format has one module, which writes it, reads it and checks it.

`docs/formats.md` describes them. Fields are only ever added; what an older catgan wrote is still
read. Checkpoints are PyTorch's, and have their module in `catgan.model`.
"""
