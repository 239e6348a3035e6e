"""``python -m xltoken`` is the command ``xltoken``."""

from xltoken.cli import main

if __name__ == "__main__":
    main()
