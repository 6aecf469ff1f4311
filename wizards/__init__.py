from . import card_driver_connect
from . import card_driver_replace
from . import card_decision
from . import card_exception_acknowledge
from . import card_notice_done
from . import card_timeline_export
from . import card_transaction_export
from . import card_transaction_settle
