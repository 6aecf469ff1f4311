"""Start a command of `dev/`: find a Python that will do, run it, and show errors as one line.

This file is read by whatever `python3` there is, so it keeps to syntax that old ones know.
"""

import errno
import importlib
import os
import shutil
import sys

OLDEST, NEWEST = (3, 11), (3, 13)


def run(module_name):
    """Run `main(arguments)` of a module of this package and exit with what it returns."""
    _use_a_suitable_python()
    from kit.errors import DISK_FULL, SetupError

    command = os.path.join("dev", os.path.basename(sys.argv[0]))
    try:
        sys.exit(importlib.import_module(module_name).main(sys.argv[1:]))
    except SetupError as error:
        sys.stderr.write("%s: %s\n" % (command, error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("\n%s: interrupted; start it again to go on\n" % command)
        sys.exit(130)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.stderr.write("%s: %s\n" % (command, DISK_FULL))
        sys.exit(1)


def _use_a_suitable_python():
    """Go on in another Python where this one is too old or too new for the locked packages."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which("python3.%d" % minor)
        if other:
            os.execv(other, [other] + sys.argv)
    sys.stderr.write(
        "Python 3.%d to 3.%d is needed and this is %d.%d: install one of them, for example python3.%d\n"
        % (OLDEST[1], NEWEST[1], sys.version_info[0], sys.version_info[1], OLDEST[1])
    )
    sys.exit(1)
