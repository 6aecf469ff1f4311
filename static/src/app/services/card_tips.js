import { majorUnits } from "../utils/amounts";

/** Tips that cardholders add on the terminal: Odoo's own article for tips, where this point of sale takes tips. */
export class CardTips {
    constructor(pos) {
        this.pos = pos;
    }

    /** Whether this point of sale books tips; where it does not, more than was asked is an exception. */
    get accepted() {
        return Boolean(this.pos.config.iface_tipproduct && this.pos.config.tip_product_id);
    }

    /**
     * Adds what the cardholder added to the order, and to its payment line.
     * @param {object} line the payment line, which holds what was asked
     * @param {number} tip minor units
     */
    async add(line, tip) {
        const order = line.pos_order_id;
        const { tip_product_id: product } = this.pos.config;
        const decimals = this.pos.currency.decimal_places;
        const sum = (before) => majorUnits(tip + Math.round(before * 10 ** decimals), decimals);
        const article = order.lines.find((each) => each.product_id.id === product.id);
        if (article) {
            article.setUnitPrice(sum(article.price_unit));
        } else {
            const vals = { product_id: product, price_unit: sum(0), product_tmpl_id: product.product_tmpl_id };
            await this.pos.addLineToOrder(vals, order, {}, false);
        }
        this._note(order, tip);
        line.amount = sum(line.amount);
    }

    /** Puts a tip that goes back with its payment (minor units) on a refund order. */
    async takeBack(order, tip) {
        const { tip_product_id: product } = this.pos.config;
        const price = majorUnits(tip, this.pos.currency.decimal_places);
        const vals = { product_id: product, price_unit: price, qty: -1, product_tmpl_id: product.product_tmpl_id };
        await this.pos.addLineToOrder(vals, order, {}, false);
        this._note(order, -tip);
    }

    _note(order, tip) {
        const decimals = this.pos.currency.decimal_places;
        order.is_tipped = true;
        order.tip_amount = majorUnits(tip + Math.round((order.tip_amount || 0) * 10 ** decimals), decimals);
    }
}
