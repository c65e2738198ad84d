"""Local files: finding, hashing, what is left out, and trees of them."""
