"""What the functions of the app run."""
