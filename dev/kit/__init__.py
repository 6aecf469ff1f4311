"""What `dev/test`, `dev/demo` and `dev/package` are made of: a real Odoo 19 and its tools in a cache folder.

The way in is `kit.setup.Workplace`; see its docstring. Modules up to `setup` need a bare Python only; `postgres`,
`database` and `server` run inside the virtual environment (`Workplace.enter`).
"""
