from . import driver_file
from . import events
from . import pair
from . import relay
