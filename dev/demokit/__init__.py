"""The demo: a French shop on a real Odoo, a driver and a virtual terminal, and a browser that plays one sale.

`shop`, `client`, `processes` and `till` serve the live tests as well. Nothing here imports the driver: it is run, as a
shop would run it, and looked at from outside.
"""
