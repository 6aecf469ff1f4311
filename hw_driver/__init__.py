"""Companion driver: payment terminals' own protocols on one side, a small HTTP API on the other."""

__version__ = "1.0.0"
