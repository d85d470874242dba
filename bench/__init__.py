"""Measurements: seeded, side by side with their peers in one run, three repeats, medians. See `make bench`."""
