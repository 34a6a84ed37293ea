"""What is measured of samples, each quantity in one place: how it is computed, said and ranked."""
