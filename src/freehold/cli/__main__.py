"""`python -m freehold.cli`, for debuggers."""

from freehold.cli.entry import main

main()
