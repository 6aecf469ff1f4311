import { _t } from "@web/core/l10n/translation";
import { Component, markup, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";

const strong = (text) => markup`<strong>${text}</strong>`;

/**
 * Says what the browser is about to ask and why, then lets it ask: on a press, so that nobody is surprised.
 * Afterwards, what to do where the answer was no.
 */
export class LocalAccessDialog extends Component {
    static template = "pos_card_terminal.LocalAccessDialog";
    static components = { Dialog };
    static props = {
        /** Where the driver is. */
        url: String,
        onThisMachine: Boolean,
        /** Calls the driver, whereupon the browser asks; resolves to whether it may be reached. */
        ask: Function,
        getPayload: Function,
        close: Function,
    };

    setup() {
        this.state = useState({ asking: false, refused: false });
    }

    get whatIsAsked() {
        const where = this.props.onThisMachine ? _t("other apps on this device") : _t("devices on your local network");
        return _t("Your browser now asks whether this page may connect to %(where)s. Press %(allow)s.", {
            where: strong(where),
            allow: strong(_t("Allow")),
        });
    }

    get why() {
        return _t(
            "The card terminal's driver is there (%s), and this page calls nothing else. You are asked once.",
            this.props.url
        );
    }

    /** The browser's own words for the permission, newer and older. */
    get howToAllow() {
        return _t(
            "To allow it: press the icon to the left of the address at the top of the browser, open the site's settings, set %(setting)s (or %(older)s) to %(allow)s, and reload this page.",
            {
                setting: strong(this.props.onThisMachine ? _t("Apps on device") : _t("Local network")),
                older: strong(_t("Local network access")),
                allow: strong(_t("Allow")),
            }
        );
    }

    async ask() {
        this.state.asking = true;
        const allowed = await this.props.ask();
        this.state.asking = false;
        this.state.refused = !allowed;
        if (allowed) {
            this.props.getPayload(true);
            this.props.close();
        }
    }
}
