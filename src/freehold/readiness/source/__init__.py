"""The project's source, parsed once and never run: modules, names, calls, database sessions and what is done with them."""
