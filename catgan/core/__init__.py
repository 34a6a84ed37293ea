"""What every command stands on: photos, pictures, settings, processes, errors, whole files."""
