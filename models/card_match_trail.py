"""The trail of many changes in a few statements: the same messages that Odoo writes one by one.

Odoo logs each journal item and each tracked field in a message of its own, and each message in statements of its own.
Where payouts are posted by the hundred, the messages are gathered and written together; none is left out.
"""

from contextlib import contextmanager

from odoo import models

#: Models whose tracked fields change when payouts are posted.
TRACKED = ("account.move", "account.payment", "card.match")


class _Waiting:
    """Messages to be written. In a context it equals itself alone: environments are told apart by it."""

    def __init__(self):
        self.messages = []


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @contextmanager
    def _card_trail(self):
        """Give this recordset in an environment whose logged messages are written together at the end."""
        waiting = _Waiting()
        gathering = self.with_context(card_trail=waiting)
        yield gathering
        self.env.flush_all()
        for model in TRACKED:
            gathering.env[model]._track_finalize()
        changes = [values.pop("tracking_value_ids", None) or [] for values in waiting.messages]
        messages = self.sudo()._message_create(waiting.messages)
        self.env["mail.tracking.value"].sudo().create([
            {**values, "mail_message_id": message.id}
            for message, own in zip(messages, changes, strict=True)
            for _create, _id, values in own
        ])  # fmt: skip

    def _message_log_batch(self, *args, **kwargs):
        waiting = self.env.context.get("card_trail")
        thread = self.with_context(card_trail_log=waiting) if isinstance(waiting, _Waiting) else self
        return super(MailThread, thread)._message_log_batch(*args, **kwargs)

    def _message_create(self, values_list):
        waiting = self.env.context.get("card_trail_log")
        if not isinstance(waiting, _Waiting):  # nobody keeps messages back from outside
            return super()._message_create(values_list)
        waiting.messages.extend(values_list)
        return self.env["mail.message"]
