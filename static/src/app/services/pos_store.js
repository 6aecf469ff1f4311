import { AlertDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { PosStore } from "@point_of_sale/app/services/pos_store";
import { FROZEN } from "../models/pos_order";
import { CardPayments } from "./card_payments";

patch(PosStore.prototype, {
    async processServerData() {
        this.cardPayments = new CardPayments(this);
        return super.processServerData(...arguments);
    },

    async initServerData() {
        const result = await super.initServerData(...arguments);
        const { follower } = this.cardPayments;
        const wake = () => follower.wake();
        this.data.connectWebSocket("CARD_TERMINAL", (news) => this._onCardTerminalNews(news));
        this.bus.addEventListener("BUS:RECONNECT", wake);
        window.addEventListener("pos-network-online", wake);
        window.addEventListener("online", wake);
        document.addEventListener("visibilitychange", () => document.hidden || wake());
        follower.resume({ validate: true });
        this.cardPayments.questions.saveDrafts();
        this.cardPayments.terminals.refresh();
        this.cardPayments.desk.refresh();
        window.addEventListener("pos-network-online", () => this.cardPayments.desk.refresh());
        return result;
    },

    async _onCardTerminalNews({ uuid, order }) {
        const known = this.models["pos.order"].getBy("uuid", order);
        this.cardPayments.desk.nudged();
        await this.cardPayments.follower.nudged(uuid);
        if (known?.uiState.cardElsewhere) {
            await this.cardPayments.otherTills.check(known);
        }
    },

    /** Odoo takes an order for sent once it is written down for sending; where the line broke then, it is not. */
    async syncAllOrders() {
        try {
            return await super.syncAllOrders(...arguments);
        } finally {
            const { orderToCreate, orderToUpdate } = this.getPendingOrder();
            const left = [...orderToCreate, ...orderToUpdate].filter((order) => !this.syncingOrders.has(order.uuid));
            left.forEach((order) => order._markDirty());
        }
    },

    /** The order that is served next is never one that waits for an answer. */
    get openOrder() {
        const free = this.models["pos.order"].find((order) => order.state === "draft" && !order.cardIsFrozen);
        return free || this.addNewOrder();
    },

    /** A frozen order cannot be changed: what would show its products shows its payment. */
    navigate(routeName, routeParams = {}) {
        const order = this.models["pos.order"].getBy("uuid", routeParams.orderUuid);
        if (routeName !== "ProductScreen" || !order?.cardIsFrozen) {
            return super.navigate(...arguments);
        }
        if (this.router.state.current === "PaymentScreen") {
            this.notification.add(FROZEN, { type: "warning" });
        }
        return super.navigate("PaymentScreen", routeParams);
    },

    async addLineToOrder(vals, order) {
        if (order.cardIsFrozen) {
            this.refuseFrozen();
            return;
        }
        return super.addLineToOrder(...arguments);
    },

    /** A tip changes what is due. */
    async setTip() {
        return this.getOrder()?.cardIsFrozen ? this.refuseFrozen() : super.setTip(...arguments);
    },

    async onDeleteOrder(order) {
        return order.cardIsKept ? this.refuseKept([order]) : super.onDeleteOrder(...arguments);
    },

    async deleteOrders(orders) {
        const kept = orders.filter((order) => order?.cardIsKept);
        return kept.length ? this.refuseKept(kept) : super.deleteOrders(...arguments);
    },

    removeOrder(order) {
        return order.cardIsKept ? false : super.removeOrder(...arguments);
    },

    /** Closing asks once more about everything that is open, and refuses with the list. */
    async closeSession() {
        const { follower } = this.cardPayments;
        await follower.resume();
        const open = this.models["pos.order"].filter((order) => order.cardIsFrozen && !order.finalized);
        if (open.length) {
            this.dialog.add(AlertDialog, {
                title: _t("Card payments are not settled"),
                body: _t(
                    "The session cannot be closed: the result of a card payment is not known for %s. Open each order, answer what the terminal's slip says, and let a manager confirm it.",
                    open.map((order) => order.pos_reference).join(", ")
                ),
            });
            return;
        }
        return (await this.cardPayments.dayEnd.beforeClosing()) ? super.closeSession(...arguments) : undefined;
    },

    refuseFrozen() {
        this.dialog.add(AlertDialog, { title: _t("The order is frozen"), body: FROZEN });
        return false;
    },

    refuseKept(orders) {
        const names = orders.map((order) => order.pos_reference).join(", ");
        this.dialog.add(AlertDialog, {
            title: _t("The order cannot be deleted"),
            body: orders.some((order) => order.cardIsFrozen)
                ? _t("%s: a card payment is not finished. Leave the order as it is and serve the next customer.", names)
                : _t("%s: a card has paid. Finish the order, then refund it.", names),
        });
        return false;
    },
});
