"""The tests. Fixtures come from `freehold.testing`; each test runs in a transaction that is undone."""
