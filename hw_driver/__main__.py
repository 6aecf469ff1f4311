"""`python3 -m hw_driver` is `card-terminal`."""

import sys

from .cli import main

sys.exit(main())
