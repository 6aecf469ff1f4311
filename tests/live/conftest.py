pytest_plugins = ["kit.live"]
