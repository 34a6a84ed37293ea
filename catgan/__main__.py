"""`python -m catgan` is `catgan`."""

from catgan.cli import main

if __name__ == "__main__":
    main()
