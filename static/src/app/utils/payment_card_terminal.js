import { PaymentInterface } from "@point_of_sale/app/utils/payment/payment_interface";
import { register_payment_method } from "@point_of_sale/app/services/pos_store";

/** The POS's payment interface for card terminals. Its promises always settle and never reject. */
export class PaymentCardTerminal extends PaymentInterface {
    /** One press on Card sends. */
    get fastPayments() {
        return true;
    }

    /** @returns {Promise<boolean>} whether the line is paid; what it is otherwise stands on the line */
    sendPaymentRequest(uuid) {
        return this.pos.cardPayments.pay(this._line(uuid));
    }

    /** @returns {Promise<boolean>} whether the terminal said that it gave up; asking is not enough */
    async sendPaymentCancel(order, uuid) {
        const line = this._line(uuid);
        return line.cardIsOpen ? this.pos.cardPayments.cancel(line) : !line.cardIsKept;
    }

    async sendPaymentReversal(uuid) {
        return false;
    }

    _line(uuid) {
        return this.pos.models["pos.payment"].getBy("uuid", uuid);
    }
}

register_payment_method("card_terminal", PaymentCardTerminal);
