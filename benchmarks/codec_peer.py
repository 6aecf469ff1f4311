"""pyTeliumManager's codec, for `dev/bench codec` to compare with. Runs in an environment of its own.

Takes messages as hex, one JSON list on the first line of stdin, and keeps those it can read; for requests, those it
can also build to the same bytes. Answers with their places in the list. Each further line asks for a round of so many
CPU seconds for each work, and is answered with the seconds for one message.
"""

import json
import sys
import time

from telium import TeliumAsk
from telium.payment import TeliumData, TeliumDataException, TeliumResponse

REQUEST_BYTES = 37


def arguments(frame):
    """Return what builds this request, None where it is none of those it can build."""
    try:
        ask = TeliumAsk.decode(frame)
    except (TeliumDataException, ValueError, UnicodeDecodeError):
        return None
    words = (ask.pos_number, ask.answer_flag, ask.transaction_type, ask.payment_mode, ask.currency_numeric)
    words += (ask.delay, ask.authorization, ask.amount)
    return words if TeliumAsk(*words).encode().encode() == frame else None


def readable(frame):
    """Whether it reads this as an answer."""
    try:
        return len(frame) != REQUEST_BYTES and TeliumData.lrc_check(frame) and TeliumResponse.decode(frame) is not None
    except (TeliumDataException, ValueError, UnicodeDecodeError):
        return False


frames = [bytes.fromhex(text) for text in json.loads(sys.stdin.readline())]
asks = {place: words for place, frame in enumerate(frames) if (words := arguments(frame))}
answers = [place for place, frame in enumerate(frames) if place not in asks and readable(frame)]
print(json.dumps({"requests": list(asks), "answers": answers}), flush=True)

WORKS = {
    "encode": (lambda words: TeliumAsk(*words).encode().encode(), list(asks.values())),
    "decode requests": (TeliumAsk.decode, [frames[place] for place in asks]),
    "decode answers": (TeliumResponse.decode, [frames[place] for place in answers]),
}
for line in sys.stdin:
    seconds = {}
    for name, (work, items) in WORKS.items():
        began, passes = time.process_time(), 0
        while time.process_time() - began < float(line):
            for _ in range(5):
                for item in items:
                    work(item)
            passes += 5
        seconds[name] = (time.process_time() - began) / passes / len(items)
    print(json.dumps(seconds), flush=True)
