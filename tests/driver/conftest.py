"""Every test of the driver. This folder is no package, so that the addon's root stays out."""

pytest_plugins = ["kit.unsteady"]
