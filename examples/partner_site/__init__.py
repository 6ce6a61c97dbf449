"""A site of somebody else's, where people log in with their account of Imba."""
