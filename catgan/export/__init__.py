"""The command `export`: a trained generator in formats that others read, with a card."""
