"""`make load`: Imba under the load that its own declaration describes."""
