"""Measurements: seeded, side by side with their peers in one run, three repeats, medians. `make bench` runs them all."""
