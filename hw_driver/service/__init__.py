"""The driver's HTTP API, its doors, and its link to Odoo (docs/api.md)."""

import os

# aiohttp keeps a few lists in this package; its compiled part would load the C++ library (1 MiB) for them.
os.environ.setdefault("FROZENLIST_NO_EXTENSIONS", "1")
