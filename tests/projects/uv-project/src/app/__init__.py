"""A program with one dependency."""
