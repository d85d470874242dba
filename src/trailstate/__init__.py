"""Trailstate: AWS CloudTrail and AWS Config, self-hosted."""

__version__ = "0.1.0"
