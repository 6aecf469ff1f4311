"""The driver's HTTP API, its doors, and its link to Odoo (docs/api.md)."""
