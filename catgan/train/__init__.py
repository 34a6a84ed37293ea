"""`catgan train`: a data set to a DCGAN run that can be stopped and carried on."""
