import { _t } from "@web/core/l10n/translation";
import { CardSlip } from "../components/card_slip/card_slip";

/**
 * Cards that are paid with a signature: the merchant's slip is printed, the customer signs it, and the cashier compares.
 *
 * The answer stands on the payment line, so that it is asked again after a reload. Until it is given the order is not
 * validated; "no" takes the payment back on the terminal (reversal, else refund), as Odoo allows it.
 */
export class CardSignatures {
    constructor(pos, terminals, follower, givingBack) {
        this.pos = pos;
        this.terminals = terminals;
        this.follower = follower;
        this.givingBack = givingBack;
    }

    /** A payment was approved: its merchant's slip is printed where somebody needs it. */
    approved(line) {
        const isNeeded = line.card_signature === "wanted" || this.pos.config.card_terminal_merchant_slips;
        if (isNeeded && line.uiState.cardStartedHere) {
            this.print(line);
        }
    }

    good(line) {
        line.card_signature = "good";
        this.pos.data.synchronizeLocalDataInIndexedDB();
        return this.follower.validate(line);
    }

    bad(line) {
        line.card_signature = "bad";
        this.pos.data.synchronizeLocalDataInIndexedDB();
        return this.givingBack.start(line, line.pos_order_id);
    }

    /** Printing trouble is told, and changes nothing about the payment. */
    async print(line) {
        try {
            const text = await this.merchantSlip(line);
            if (!text) {
                throw new Error("the terminal gave no slip");
            }
            await this.pos.printer.print(CardSlip, { text }, { webPrintFallback: true });
        } catch (error) {
            console.warn("merchant's slip", error);
            const said = _t("The merchant's slip could not be printed here. Print it again on the terminal.");
            this.pos.notification.add(said, { type: "warning" });
        }
    }

    /** The merchant's slip of a payment: what this page still knows, else the driver, else Odoo; "" where none came. */
    async merchantSlip(line) {
        if (!line.uiState.cardMerchantSlip) {
            const uuid = line.card_transaction_uuid;
            const answer = await this.terminals.client(line.card_driver_ref)?.transaction(uuid, {});
            const told = answer?.ok && answer.body.outcome?.merchant_receipt;
            line.uiState.cardMerchantSlip = told || (await this.terminals.rpc("card_terminal_merchant_slip", { uuid }));
        }
        return line.uiState.cardMerchantSlip;
    }
}
