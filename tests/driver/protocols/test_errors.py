"""Every error of the driver says what is known of the customer's money."""

import importlib
import pkgutil

import hw_driver
from hw_driver.protocols.machine import CardTerminalError
from hw_driver.protocols.states import Money


def subclasses(cls):
    for subclass in cls.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


def test_every_error_says_what_is_known_of_the_money():
    for module in pkgutil.walk_packages(hw_driver.__path__, "hw_driver."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    errors = list(subclasses(CardTerminalError))
    assert len(errors) > 3
    assert [error.__qualname__ for error in errors if not isinstance(getattr(error, "money", None), Money)] == []
