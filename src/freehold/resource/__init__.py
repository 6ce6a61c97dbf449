"""The declaration: resources, access rules, invariants, principals. Pure: no I/O, no FastAPI."""
