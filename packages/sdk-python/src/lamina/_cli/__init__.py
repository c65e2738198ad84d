"""What the command line has done by Python: running and deploying files in it."""
