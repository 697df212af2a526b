"""``python -m apnet`` and ``torchrun -m apnet`` run the command line."""

from apnet.cli import main

if __name__ == "__main__":
    main()
