"""Functions of apps: what they are, deploying them, and calling them."""
