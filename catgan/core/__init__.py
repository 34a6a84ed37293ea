"""What every command stands on: pictures, data sets, runs, settings, errors, whole files."""
