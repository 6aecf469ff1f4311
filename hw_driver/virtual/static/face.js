/* The page shows the terminal's state, which comes as server-sent events, and sends presses back. It keeps none itself. */

const PICTURES = {
    idle: "waves", card: "waves", pin: "lock", authorising: "turn",
    approved: "yes", declined: "no", cancelled: "no", off: "turn",
};
const ADVICE = {
    idle: "The till has to send an amount first.", card: "Hold one to the terminal.",
    pin: "Any four digits, then the green key.", authorising: "The bank is being asked.",
    approved: "Done.", declined: "Refused: nothing was charged.", cancelled: "Given up: nothing was charged.",
    off: "The terminal restarts.",
};
const UNREACHABLE = "The virtual terminal does not answer. It is tried again by itself.";
const KEYS = [..."123456789", null, "0", null, "red", "yellow", "green"];
const KEY_NAMES = {
    red: { sign: "✕", name: "Red: cancel" },
    yellow: { sign: "‹", name: "Yellow: correct" },
    green: { sign: "○", name: "Green: confirm" },
};
const KEYBOARD = { Enter: "green", Backspace: "yellow", Escape: "red" };
const MODES = [[null, "Off"], ["once", "Once"], ["always", "Always"]];
const OUTCOMES = { approved: "Approved", declined: "Declined", cancelled: "Cancelled" };
const UNITS = { seconds: "s", cents: "ct", bytes: "B" };
const KINDS = { sale: "Sale", refund: "Refund" };

const byId = (id) => document.getElementById(id);
const controls = { cards: new Map(), faults: new Map() };
let entriesShown = -1;
let receiptShown = "";

async function post(path, body) {
    try {
        const response = await fetch(path, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify(body),
        });
        tell(response.ok ? "" : (await response.json()).error);
    } catch {
        tell(UNREACHABLE);
    }
}

function tell(trouble) {
    byId("trouble").textContent = trouble;
    byId("trouble").hidden = !trouble;
}

function element(tag, text = "", className = "") {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = className;
    return made;
}

function buildKeypad() {
    for (const key of KEYS) {
        if (key === null) {
            byId("keypad").append(element("span", "", "no-key"));
            continue;
        }
        const button = element("button", KEY_NAMES[key]?.sign ?? key, `key ${KEY_NAMES[key] ? key : ""}`);
        button.type = "button";
        button.dataset.key = key;
        button.ariaLabel = KEY_NAMES[key]?.name ?? key;
        button.addEventListener("click", () => post("/api/key", { key }));
        byId("keypad").append(button);
    }
}

function buildCards(cards) {
    for (const card of cards) {
        const button = byId("card-template").content.firstElementChild.cloneNode(true);
        button.dataset.card = card.name;
        button.querySelector(".card-label").textContent = card.label;
        button.querySelector(".card-number").textContent = `•••• ${card.last4}`;
        button.querySelector(".card-hint").textContent = card.hint;
        button.querySelector("use").setAttribute("href", card.pin ? "#icon-chip" : "#icon-waves");
        button.addEventListener("click", () => post("/api/card", { card: card.name }));
        byId("auto").parentElement.before(button);
        controls.cards.set(card.name, button);
    }
    const choices = [["", "I pay myself"], ...cards.map((card) => [card.name, card.label]), ["abort", "Red key"]];
    byId("auto").append(...choices.map(([value, label]) => new Option(label, value)));
}

function buildFaults(faults) {
    const groups = new Map();
    for (const fault of faults) {
        groups.set(fault.group, [...(groups.get(fault.group) ?? []), fault]);
    }
    for (const [group, members] of groups) {
        const section = element("section", "", "group");
        section.append(element("h3", group), ...members.map(buildFault));
        byId("faults").append(section);
    }
}

function buildFault(fault) {
    const row = byId("fault-template").content.firstElementChild.cloneNode(true);
    row.querySelector("h4").textContent = fault.title;
    row.querySelector("p").textContent = fault.text;
    row.querySelector(".modes").ariaLabel = fault.title;
    const value = buildValue(fault, row.querySelector(".fault-value"));
    const buttons = MODES.map(([mode, label]) => {
        const button = element("button", label);
        button.type = "button";
        button.dataset.mode = mode ?? "off";
        button.addEventListener("click", () => setFault(fault.name, mode));
        return button;
    });
    row.querySelector(".modes").append(...buttons);
    value?.addEventListener("change", () => row.dataset.mode !== "off" && setFault(fault.name, row.dataset.mode));
    row.dataset.fault = fault.name;
    controls.faults.set(fault.name, { row, value, buttons });
    return row;
}

function buildValue(fault, label) {
    if (!fault.unit) {
        label.remove();
        return null;
    }
    label.firstElementChild.textContent = `${fault.title}: ${fault.unit}`;
    const value = element(fault.choices.length ? "select" : "input");
    if (fault.choices.length) {
        value.append(...fault.choices.map((choice) => new Option(String(choice).padStart(4, "0"), choice)));
    } else {
        Object.assign(value, { type: "number", min: 0, step: 1 });
    }
    label.append(value, element("span", UNITS[fault.unit] ?? "", "unit"));
    value.value = fault.default;
    return value;
}

function setFault(name, mode) {
    const { value } = controls.faults.get(name);
    const setting = value ? { mode, value: Number(value.value) } : { mode };
    return post("/api/faults", { [name]: mode && setting });
}

function showScreen(screen) {
    byId("screen").dataset.phase = screen.phase;
    byId("device").dataset.inserted = ["pin", "authorising"].includes(screen.phase) && screen.contact;
    byId("amount").textContent = screen.amount;
    byId("message").textContent = screen.text;
    byId("picture").setAttribute("href", `#icon-${PICTURES[screen.phase]}`);
    byId("pin").hidden = screen.phase !== "pin";
    byId("pin").textContent = "●".repeat(screen.pin) + "○".repeat(4 - screen.pin);
    byId("pin").ariaLabel = `${screen.pin} / 4`;
    byId("paid-with").textContent = screen.card;
    byId("advice").textContent = ADVICE[screen.phase] ?? "";
    for (const button of controls.cards.values()) {
        button.disabled = screen.phase !== "card";
    }
    showReceipt(screen);
}

function showReceipt(screen) {
    const receipt = screen.receipt && `${screen.receipt_number}\n${screen.receipt}`;
    if (receipt === receiptShown) {
        return;
    }
    receiptShown = receipt;
    byId("paper").hidden = !receipt;
    byId("no-paper").hidden = Boolean(receipt);
    byId("paper").textContent = screen.receipt;
    byId("paper").getAnimations().forEach((animation) => (animation.currentTime = 0));
}

function showFaults(faults) {
    for (const fault of faults) {
        const { row, value, buttons } = controls.faults.get(fault.name);
        row.dataset.mode = fault.mode ?? "off";
        buttons.forEach((button) => (button.ariaPressed = String(button.dataset.mode === row.dataset.mode)));
        if (value && fault.mode && document.activeElement !== value) {
            value.value = fault.value;
        }
    }
    byId("clear").hidden = faults.every((fault) => !fault.mode);
}

function money(amount, currency) {
    return new Intl.NumberFormat("en", { style: "currency", currency }).format(amount / 100);
}

async function showLedger() {
    const { entries, totals } = await (await fetch("/api/ledger?limit=100")).json();
    const rows = entries.reverse().map((entry) => {
        const row = element("tr");
        const at = new Date(entry.at).toLocaleTimeString("en-GB");
        row.append(
            element("td", entry.number),
            element("td", at),
            element("td", KINDS[entry.kind]),
            element("td", entry.card ? `${entry.card.brand} ${entry.card.last4}` : "–"),
            element("td", entry.auth_code || "–"),
            element("td"),
            element("td", entry.amount ? money(entry.kind === "refund" ? -entry.amount : entry.amount, entry.currency) : "–", "number"),
        );
        const partial = entry.outcome === "approved" && entry.amount !== entry.asked;
        row.children[5].append(element("span", OUTCOMES[entry.outcome], `pill ${entry.outcome}`));
        if (partial) {
            row.children[5].append(element("small", ` of ${money(entry.asked, entry.currency)}`));
        }
        return row;
    });
    byId("entries").replaceChildren(...rows);
    byId("no-entries").hidden = rows.length > 0;
    const sums = Object.entries(totals).length ? Object.entries(totals) : [["EUR", { sales: 0, sales_amount: 0, refunds: 0, refunds_amount: 0, net: 0 }]];
    byId("totals").replaceChildren(...sums.flatMap(([currency, sum]) => [
        tile(`${sum.sales} ${sum.sales === 1 ? "sale" : "sales"}`, money(sum.sales_amount, currency)),
        tile(`${sum.refunds} ${sum.refunds === 1 ? "refund" : "refunds"}`, money(sum.refunds_amount, currency)),
        tile("Net", money(sum.net, currency)),
    ]));
}

function tile(label, value) {
    const made = element("div");
    made.append(element("dt", label), element("dd", value));
    return made;
}

function show(state) {
    if (!controls.cards.size) {
        buildCards(state.cards);
        buildFaults(state.faults);
    }
    byId("protocol").textContent = `${state.protocol} · ${state.place}`;
    showScreen(state.screen);
    showFaults(state.faults);
    if (document.activeElement !== byId("auto")) {
        byId("auto").value = state.auto;
    }
    if (state.entries !== entriesShown) {
        entriesShown = state.entries;
        showLedger();
    }
}

function listen() {
    const events = new EventSource("/api/events");
    events.onopen = () => tell("");
    events.onmessage = (event) => show(JSON.parse(event.data));
    events.onerror = () => tell(UNREACHABLE);
}

function tellTime() {
    byId("clock").textContent = new Date().toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" });
}

document.addEventListener("keydown", (event) => {
    const key = /^[0-9]$/.test(event.key) ? event.key : KEYBOARD[event.key];
    const elsewhere = event.target.closest("input, select") || (event.key === "Enter" && event.target.closest("button"));
    if (key && !elsewhere && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        post("/api/key", { key });
    }
});
byId("standalone").addEventListener("submit", (event) => {
    event.preventDefault();
    post("/api/standalone", { amount: Math.round(byId("standalone-amount").valueAsNumber * 100) });
});
byId("auto").addEventListener("change", (event) => post("/api/auto", { auto: event.target.value, delay: 2 }));
byId("clear").addEventListener("click", () =>
    post("/api/faults", Object.fromEntries([...controls.faults.keys()].map((name) => [name, null]))));
buildKeypad();
tellTime();
setInterval(tellTime, 10_000);
listen();
