import * as Chrome from "@point_of_sale/../tests/pos/tours/utils/chrome_util";
import * as Dialog from "@point_of_sale/../tests/generic_helpers/dialog_util";
import * as Notification from "@point_of_sale/../tests/generic_helpers/notification_util";
import * as PaymentScreen from "@point_of_sale/../tests/pos/tours/utils/payment_screen_util";
import * as ProductScreen from "@point_of_sale/../tests/pos/tours/utils/product_screen_util";
import * as ReceiptScreen from "@point_of_sale/../tests/pos/tours/utils/receipt_screen_util";
import * as TicketScreen from "@point_of_sale/../tests/pos/tours/utils/ticket_screen_util";
import { refresh } from "@point_of_sale/../tests/generic_helpers/utils";
import { click, isNotThere, isThere, lineIs, presentCard, shop, tour } from "./card_terminal_util";

/** From the products to one press on Card. */
const SELL = [
    ProductScreen.addOrderline("Desk Pad"),
    ProductScreen.clickPayButton(),
    PaymentScreen.clickPaymentMethod("Card"),
];

/** The order was validated: the receipt, and on to the next order. */
const RECEIPT = [ReceiptScreen.isShown(), ReceiptScreen.clickNextOrder(), ProductScreen.isShown()];

/** Pays what is due in cash. */
const CASH = [PaymentScreen.clickPaymentMethod("Cash"), PaymentScreen.clickValidate()];

/** From a paid order to one press on Refund, by card. */
const REFUND_BY_CARD = [
    Chrome.clickOrders(),
    TicketScreen.selectFilter("Paid"),
    TicketScreen.selectOrder("001"),
    ProductScreen.clickNumpad("1"),
    TicketScreen.confirmRefund(),
    PaymentScreen.clickPaymentMethod("Card"),
    PaymentScreen.clickRefundButton(),
];

tour(
    "card_terminal_approved",
    SELL,
    lineIs("sent", "press the red key"),
    isThere(".card-terminal-countdown:contains('left')"),
    isNotThere(".card-terminal-cancel"),
    isNotThere(".send_force_done"),
    presentCard(),
    RECEIPT
);

tour(
    "card_terminal_declined_then_retried",
    SELL,
    presentCard(),
    lineIs("declined", "Declined by the bank"),
    click(".card-terminal-retry"),
    presentCard(),
    RECEIPT
);

tour(
    "card_terminal_aborted_then_cash",
    SELL,
    lineIs("sent"),
    shop("counter/key/red"),
    lineIs("cancelled"),
    CASH,
    RECEIPT
);

tour(
    "card_terminal_partial",
    SELL,
    presentCard(),
    lineIs("approved", "Approved"),
    PaymentScreen.remainingIs("0.99"),
    CASH,
    RECEIPT
);

tour(
    "card_terminal_refund",
    SELL,
    presentCard(),
    RECEIPT,
    REFUND_BY_CARD,
    presentCard(),
    RECEIPT
);

tour(
    "card_terminal_refund_refused",
    ProductScreen.addOrderline("Desk Pad"),
    ProductScreen.clickPayButton(),
    CASH,
    RECEIPT,
    REFUND_BY_CARD,
    lineIs("failed", "no card payment that this money could go back to"),
    CASH,
    RECEIPT
);

tour(
    "card_terminal_unplugged_then_spare",
    SELL,
    lineIs("failed", "does not answer"),
    isThere(".card-terminal-current:contains('Counter')"),
    click(".card-terminal-switch"),
    click(".selection-item:contains('Spare')"),
    isThere(".card-terminal-current:contains('Spare')"),
    click(".card-terminal-retry"),
    presentCard("spare"),
    RECEIPT
);

tour(
    "card_terminal_reload_while_waiting",
    SELL,
    lineIs("sent"),
    refresh(),
    lineIs("sent", "press the red key"),
    presentCard(),
    RECEIPT
);

tour(
    "card_terminal_approved_while_another_is_served",
    SELL,
    lineIs("sent"),
    click(".card-terminal-park"),
    ProductScreen.addOrderline("Letter Tray"),
    shop("counter/card/contactless"),
    Notification.has("the card payment was approved"),
    ProductScreen.isShown(),
    ProductScreen.totalAmountIs("5.28")
);

tour(
    "card_terminal_busy_then_spare",
    SELL,
    lineIs("sent"),
    click(".card-terminal-park"),
    SELL,
    lineIs("failed", "in use by Shop"),
    click(".card-terminal-switch"),
    click(".selection-item:contains('Spare')"),
    click(".card-terminal-retry"),
    presentCard("spare"),
    RECEIPT,
    shop("counter/card/contactless"),
    Notification.has("the card payment was approved")
);

tour(
    "card_terminal_driver_stopped",
    SELL,
    presentCard(),
    RECEIPT,
    shop("driver/stop"),
    SELL,
    lineIs("failed", "does not run"),
    CASH,
    RECEIPT
);

tour(
    "card_terminal_unknown",
    SELL,
    isThere(".card-terminal-unknown:contains('Do not take the card again')"),
    click(".card-terminal-unknown .answer-park"),
    ProductScreen.isShown(),

    // the next sale on that terminal shows the open question first, then goes on
    shop("replay/behave/approve"),
    SELL,
    isThere(".card-terminal-unknown"),
    click(".answer-paid"),
    { trigger: ".card-terminal-unknown .authorisation", run: "edit 123456" },
    click(".answer-paid-confirm"),
    RECEIPT,

    // the order is frozen: it opens on its payment, takes no cash and loses nothing
    Chrome.clickOrders(),
    TicketScreen.selectOrder("001"),
    TicketScreen.loadSelectedOrder(),
    lineIs("unknown", "Waiting for a manager"),
    PaymentScreen.clickPaymentMethod("Cash"),
    Dialog.is({ title: "The order is frozen" }),
    Dialog.confirm(),
    click(".paymentline.selected .delete-button"),
    Dialog.is({ title: "cannot be deleted" }),
    Dialog.confirm(),
    refresh(),
    lineIs("unknown", "Waiting for a manager")
);
