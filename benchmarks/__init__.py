"""Measurements on a machine with labelled photos, and the scripts that made what catgan ships."""
