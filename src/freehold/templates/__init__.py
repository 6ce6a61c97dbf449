"""What `freehold new` and `freehold add` write: package data, rendered by `freehold.cli.rendering`. Holds no logic."""
