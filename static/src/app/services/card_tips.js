import { majorUnits } from "../utils/amounts";

/** Odoo's word for a price from elsewhere; one that a cashier has changed ("manual") has an old price on French receipts. */
const TOLD = "automatic";

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
            article.price_type = TOLD;
        } else {
            await this._put(order, { price_unit: sum(0) });
        }
        this._note(order, tip);
        line.amount = sum(line.amount);
    }

    /** Puts a tip that goes back with its payment (minor units) on a refund order. */
    async takeBack(order, tip) {
        await this._put(order, { price_unit: majorUnits(tip, this.pos.currency.decimal_places), qty: -1 });
        this._note(order, -tip);
    }

    _put(order, vals) {
        const { tip_product_id: product } = this.pos.config;
        const article = { product_id: product, product_tmpl_id: product.product_tmpl_id, price_type: TOLD, ...vals };
        return this.pos.addLineToOrder(article, order, {}, false);
    }

    _note(order, tip) {
        const decimals = this.pos.currency.decimal_places;
        order.is_tipped = true;
        order.tip_amount = majorUnits(tip + Math.round((order.tip_amount || 0) * 10 ** decimals), decimals);
    }
}
