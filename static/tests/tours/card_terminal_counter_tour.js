import * as Chrome from "@point_of_sale/../tests/pos/tours/utils/chrome_util";
import * as Dialog from "@point_of_sale/../tests/generic_helpers/dialog_util";
import * as PaymentScreen from "@point_of_sale/../tests/pos/tours/utils/payment_screen_util";
import * as ProductScreen from "@point_of_sale/../tests/pos/tours/utils/product_screen_util";
import * as ReceiptScreen from "@point_of_sale/../tests/pos/tours/utils/receipt_screen_util";
import * as TicketScreen from "@point_of_sale/../tests/pos/tours/utils/ticket_screen_util";
import { click, isNotThere, isThere, lineIs, presentCard, shop, tour } from "./card_terminal_util";

const TO_PAYMENT = [ProductScreen.addOrderline("Desk Pad"), ProductScreen.clickPayButton()];
const SELL = [...TO_PAYMENT, PaymentScreen.clickPaymentMethod("Card")];
const RECEIPT = [ReceiptScreen.isShown(), ReceiptScreen.clickNextOrder(), ProductScreen.isShown()];
const CASH = [PaymentScreen.clickPaymentMethod("Cash"), PaymentScreen.clickValidate()];
const TO_PAID_ORDER = [Chrome.clickOrders(), TicketScreen.selectFilter("Paid"), TicketScreen.selectOrder("001")];
const MENU = ".pos-rightheader button:has(.fa-bars)";
const ITEM = ".pos-burger-menu-items .dropdown-item";

/** The terminal asks for the card of the payment that it takes back. */
const CARD_AGAIN = [shop("counter/card/contactless")];

tour(
    "card_terminal_given_back_before_paid",
    SELL,
    presentCard(),
    lineIs("approved", "Approved"),
    PaymentScreen.remainingIs("0.99"),
    click(".card-terminal-give-back[data-way='reversal']"),
    Dialog.confirm("Cancel the payment"),
    lineIs("sent"),
    CARD_AGAIN,
    lineIs("approved", "Given back"),
    lineIs("approved", "The money went back"),
    isNotThere(".card-terminal-give-back"),
    PaymentScreen.remainingIs("1.98"),
    CASH,
    RECEIPT
);

tour(
    "card_terminal_given_back_after_paid",
    SELL,
    presentCard(),
    ReceiptScreen.isShown(),
    isNotThere(".pos-payment-terminal-receipt"),
    ReceiptScreen.clickNextOrder(),
    TO_PAID_ORDER,
    click(".card-terminal-slip-button"),
    isThere(".card-terminal-slip pre:contains('TICKET CLIENT')"),
    Dialog.cancel(),
    click(".card-terminal-give-back:contains('Cancel on the terminal')"),
    Dialog.confirm("Cancel the payment"),
    lineIs("sent"),
    CARD_AGAIN,
    RECEIPT,
    TO_PAID_ORDER,
    isNotThere(".card-terminal-give-back")
);

tour(
    "card_terminal_refunded_where_it_cannot_cancel",
    SELL,
    presentCard(),
    RECEIPT,
    TO_PAID_ORDER,
    click(".card-terminal-give-back:contains('Refund by card')"),
    Dialog.confirm("Refund"),
    presentCard(),
    RECEIPT
);

tour(
    "card_terminal_cheque",
    TO_PAYMENT,
    PaymentScreen.clickPaymentMethod("Cheque"),
    lineIs("sent"),
    shop("spare/card/cheque"),
    RECEIPT,
    TO_PAYMENT,
    isNotThere(".paymentmethods .button:contains('Meal')"),
    CASH,
    RECEIPT
);

tour(
    "card_terminal_settled",
    SELL,
    presentCard(),
    RECEIPT,
    click(MENU),
    click(`${ITEM}:contains('Card settlement')`),
    click(".card-terminal-settle"),
    isThere("[data-step='done']:contains('Settled')"),
    isThere(".card-terminal-settlement:contains('told no totals')"),
    { trigger: ".card-terminal-ticket input[name='brand']", run: "edit CB" },
    { trigger: ".card-terminal-ticket input[name='count']", run: "edit 1" },
    { trigger: ".card-terminal-ticket input[name='amount']", run: "edit 1.9x" },
    click(".card-terminal-keep"),
    isThere(".card-terminal-settlement .alert-danger:contains('as the ticket says')"),
    { trigger: ".card-terminal-ticket input[name='amount']", run: "edit 1.98" },
    { trigger: ".card-terminal-settlement input[name='number']", run: "edit 0042" },
    click(".card-terminal-keep"),
    isThere("[data-step='kept']"),
    isThere(".card-terminal-totals td:contains('1.98')"),
    click(".card-terminal-settles:contains('Spare')"),
    isThere(".card-terminal-settlement:contains('settles by itself')"),
    isNotThere(".card-terminal-settle"),
    Dialog.cancel()
);
