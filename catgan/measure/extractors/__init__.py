"""What sees features in images: the network that comes with catgan, and those of papers."""
