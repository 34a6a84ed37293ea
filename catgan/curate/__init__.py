"""`catgan curate`: photos to clean data sets. OpenCV is used here and nowhere else."""
