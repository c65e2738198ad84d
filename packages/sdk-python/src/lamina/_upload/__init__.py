"""Sending local files to a platform."""
