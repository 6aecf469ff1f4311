"""A till that is not ours: pyTeliumManager. Runs as a program of its own, in its own environment.

    python pytelium_till.py DEVICE '{"amount": 12.5, "transaction_type": "0", …}'

Prints what came of it as JSON. Imports nothing of the product.
"""

import json
import sys

from telium import Telium, TeliumAsk

device, words = sys.argv[1:]
ask = TeliumAsk("1", currency_numeric="978", delay="A010", **json.loads(words))
till = Telium(device, timeout=10)
taken = till.ask(ask)
answer = till.verify(ask, waiting_timeout=20) if taken else None
till.close()
print(
    json.dumps(
        {
            "taken": taken,
            "answered": answer is not None,
            "succeeded": answer is not None and answer.has_succeeded,
            "amount": answer and answer.amount,
            "card": answer and answer.card_id,
        }
    )
)
