from . import card_exception_acknowledge
from . import card_transaction_export
from . import card_transaction_settle
