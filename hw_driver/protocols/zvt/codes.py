"""What the numbers mean: results, what the terminal is doing, its state, cards. Source: P15 10, 11, 12, table 17."""

from __future__ import annotations

from typing import NamedTuple

from ..states import State


class Result(NamedTuple):
    """How something ended that was not done: a word for programs, a sentence for people."""

    state: State
    code: str
    text: str


def _declined(code: str, text: str) -> Result:
    return Result(State.DECLINED, code, f"{text} Nothing was charged.")


def _failed(code: str, text: str) -> Result:
    return Result(State.FAILED, code, f"{text} Nothing was charged.")


DONE = 0x00
ABORTED = 0x6C
WRONG_PIN = 0x37  # 55: the cardholder may try again, and another status information follows
WAIT = 0x9C
UPDATE_FOLLOWS = 0xE0

_CALL = _declined("phone_referral", "The bank asks for a call.")
_KEEP = _declined("keep_card", "The bank wants the card to be kept.")
_BANK = _declined("declined", "Declined by the bank.")
_PIN = _declined("wrong_pin", "The PIN was wrong.")
_EXPIRED = _declined("card_expired", "The card has expired.")
_CARD = _declined("card_refused", "The terminal does not take this card.")
_UNREADABLE = _declined("card_unreadable", "The card could not be read.")
_LINE = _failed("no_connection", "The terminal has no connection to its payment network.")
_REPAIR = _failed("terminal_defective", "The terminal is not in order: call its provider.")
_FULL = _failed("memory_full", "The terminal's memory is full: make an end of day.")
_CURRENCY = _failed("currency_refused", "The terminal does not take this currency.")
_SETUP = _failed("not_set_up", "The terminal is not set up for this: call its provider.")
_BUSY = _failed("terminal_busy", "The terminal is busy: wait until its display is back at the start.")

#: Codes in a status information (BMP 27), an abort (06 1E) and a refusal (84 xx). 01 to 63 are the bank's, as numbers.
RESULTS: dict[int, Result] = {
    **dict.fromkeys((1, 2), _CALL),
    **dict.fromkeys((4, 7, 33, 41, 43), _KEEP),
    **dict.fromkeys((36, 38, 55, 56), _PIN),
    54: _EXPIRED,
    51: _declined("no_funds", "There is not enough money on the account."),
    13: _declined("amount_refused", "The bank does not take this amount."),
    0x64: _UNREADABLE,
    0x65: _UNREADABLE,
    0x66: _failed("processing_error", "The terminal could not do it."),
    0x67: _CARD,
    0x68: _CARD,
    0x6A: _FULL,
    0x6B: _failed("not_registered", "The terminal does not know this cash register."),
    0x6C: Result(State.CANCELLED, "aborted", "Given up on the terminal. Nothing was charged."),
    0x6E: _declined("card_blocked", "This card is blocked."),
    0x6F: _CURRENCY,
    0x71: _declined("no_funds", "There is not enough money on the card."),
    0x72: _UNREADABLE,
    0x73: _declined("card_data_wrong", "The card's data are wrong."),
    0x74: _REPAIR,
    0x75: _REPAIR,
    0x76: _CARD,
    0x77: _failed("not_possible", "An end of day is not possible now."),
    0x78: _EXPIRED,
    0x79: _declined("card_not_yet_valid", "The card is not valid yet."),
    0x7A: _declined("card_unknown", "The terminal does not know this card."),
    **dict.fromkeys((0x7B, 0x7C, 0x7E), _UNREADABLE),
    0x7D: _LINE,
    0x83: _failed("not_supported", "The terminal cannot do this."),
    0x85: _SETUP,
    0x89: _REPAIR,
    0x9A: _failed("message_refused", "The terminal did not understand the request."),
    0x9B: _LINE,
    0x9C: _BUSY,
    0x9D: _failed("refused", "The terminal refused."),
    0xA0: _BUSY,
    **dict.fromkeys((0xA1, 0xA3), _LINE),
    0xA4: _failed("processing_error", "The terminal could not do it."),
    0xA5: _REPAIR,
    **dict.fromkeys((0xB1, 0xB2), _FULL),
    0xB4: _declined("already_reversed", "This payment has been reversed already."),
    0xB5: _declined("reversal_not_possible", "The terminal cannot reverse this payment. Make a refund instead."),
    0xB7: _declined("amount_refused", "The amount does not fit what is reserved."),
    0xB8: _declined("preauth_refused", "The terminal knows no such reservation."),
    0xBF: _REPAIR,
    **dict.fromkeys((0xC0, 0xC1), _failed("terminal_locked", "The terminal is locked.")),
    0xC2: _failed("diagnosis_needed", "The terminal wants a diagnosis first."),
    0xC3: _declined("amount_refused", "The amount is above what the terminal may take."),
    0xC4: _SETUP,
    0xC5: _failed("not_supported", "The terminal does not take this means of payment."),
    0xC6: _CURRENCY,
    **dict.fromkeys((0xC8, 0xC9), _declined("amount_refused", "The amount is too small.")),
    0xCB: _CURRENCY,
    0xCC: _failed("printer_not_ready", "The terminal's printer is not ready: put in paper."),
    0xCD: _declined("no_cashback", "No cash can be paid out."),
    0xDC: _failed("card_inserted", "There is a card in the terminal: take it out."),
    **dict.fromkeys((0xDD, 0xDE), _UNREADABLE),
    0xDF: _REPAIR,
    0xE0: _failed("maintenance", "The terminal is being maintained: wait until it is ready again."),
    0xE1: _failed("card_inserted", "There is a card in the terminal: take it out."),
    **dict.fromkeys((0xE2, 0xE3), _REPAIR),
    0xE4: _SETUP,
    0xEB: _PIN,
    0xF0: _failed("day_open", "The terminal wants an end of day first."),
    0xF1: _LINE,
    0xFA: _failed("processing_error", "The end of day failed."),
    0xFB: _failed("processing_error", "The terminal's turnover is damaged: call its provider."),
    0xFC: _REPAIR,
    0xFD: _SETUP,
    0xFE: _failed("not_registered", "The terminal does not know this cash register."),
    0xFF: _failed("system_error", "The terminal reports an error."),
}
_LAST_OF_BANK = 0x63
_OTHER = _failed("refused", "The terminal refused.")


def result_of(code: int) -> Result:
    """Return what a code other than 00 means."""
    return RESULTS.get(code) or (_BANK if 0 < code <= _LAST_OF_BANK else _OTHER)


#: What the terminal says it is doing (04 FF): a word for programs; English, German, French. 40 more: "remove the card".
DOING: dict[int, tuple[str, str, str, str]] = {
    0x00: ("confirm_amount", "Waiting for the amount to be confirmed", "Betrag bestätigen", "Confirmer le montant"),
    0x01: ("pin", "Please look at the PIN pad", "Bitte Anzeigen auf dem PIN-Pad beachten", "Suivre le clavier PIN"),
    0x02: ("pin", "Please look at the PIN pad", "Bitte Anzeigen auf dem PIN-Pad beachten", "Suivre le clavier PIN"),
    0x03: ("not_accepted", "Not accepted", "Vorgang nicht möglich", "Non accepté"),
    0x04: ("waiting_for_host", "Waiting for the bank", "Warten auf Antwort der Bank", "Attente de la banque"),
    0x05: ("reversing", "The terminal takes the payment back", "Automatischer Storno", "Annulation automatique"),
    0x06: ("booking", "The terminal books what is left", "Nachbuchungen", "Envoi des transactions"),
    0x07: ("card_refused", "Card not admitted", "Karte nicht zugelassen", "Carte non admise"),
    0x08: ("card_refused", "Card unknown", "Karte unbekannt", "Carte inconnue"),
    0x09: ("card_refused", "Card expired", "Karte verfallen", "Carte expirée"),
    0x0A: ("waiting_for_card", "Present or insert the card", "Karte vorhalten oder einstecken", "Présenter la carte"),
    0x0B: ("remove_card", "Please remove the card", "Bitte Karte entnehmen", "Retirer la carte"),
    0x0C: ("card_refused", "Card cannot be read", "Karte nicht lesbar", "Carte illisible"),
    0x0D: ("aborted", "Processing error", "Vorgang abgebrochen", "Erreur de traitement"),
    0x0E: ("please_wait", "Please wait", "Vorgang wird bearbeitet, bitte warten", "Veuillez patienter"),
    0x0F: ("settling", "Automatic end of day", "Automatischer Kassenabschluss", "Clôture automatique"),
    0x10: ("card_refused", "Card invalid", "Karte ungültig", "Carte invalide"),
    0x11: ("balance", "Balance display", "Guthabenanzeige", "Affichage du solde"),
    0x12: ("system_error", "The terminal reports a malfunction", "Systemfehler", "Erreur système"),
    0x13: ("not_possible", "Payment not possible", "Zahlung nicht möglich", "Paiement impossible"),
    0x14: ("no_funds", "Not enough credit", "Guthaben nicht ausreichend", "Solde insuffisant"),
    0x15: ("pin", "Wrong PIN", "Geheimzahl falsch", "Code PIN erroné"),
    0x16: ("no_funds", "Limit not sufficient", "Limit nicht ausreichend", "Limite insuffisante"),
    0x17: ("please_wait", "Please wait", "Bitte warten", "Veuillez patienter"),
    0x18: ("pin", "PIN wrong too often", "Geheimzahl zu oft falsch", "Code PIN erroné trop de fois"),
    0x19: ("card_refused", "Card data wrong", "Kartendaten falsch", "Données de carte erronées"),
    0x1A: ("service", "Service mode", "Servicemodus", "Mode service"),
    0x1B: ("authorised", "Authorisation given: please fill up", "Autorisierung erfolgt, bitte tanken", "Autorisé"),
    0x1C: ("authorised", "Payment done: take the goods", "Zahlung erfolgt, bitte Ware entnehmen", "Paiement effectué"),
    0x1D: ("declined", "Declined", "Autorisierung nicht möglich", "Refusé"),
    0x26: ("input", "Enter the telephone number", "Eingabe der Mobilfunknummer", "Saisir le numéro de téléphone"),
    0x27: ("input", "Repeat the telephone number", "Wiederholung der Mobilfunknummer", "Répéter le numéro"),
    0x28: ("selection", "Choose the currency", "Währungsauswahl, bitte warten", "Choix de la devise"),
    0x29: ("selection", "Choose the language", "Sprachauswahl, bitte warten", "Choix de la langue"),
    0x2A: ("waiting_for_card", "Insert the card to load it", "Zur Aufladung Karte einstecken", "Insérer la carte"),
    0x2B: ("please_wait", "Offline emergency mode", "Notbetrieb offline", "Mode hors ligne"),
    0x2C: ("selection", "Choose the application", "Auswahl Anwendung", "Choix de l'application"),
    0x68: ("please_wait", "Card inserted", "Karte eingesteckt", "Carte insérée"),
    0x69: ("selection", "Choose the currency", "Bitte Währung wählen", "Choix de la devise"),
    0xC7: ("input", "Enter the mileage", "Eingabe Kilometerstand", "Saisir le kilométrage"),
    0xC8: ("input", "Cashier number", "Kassierernummer", "Numéro de caissier"),
    0xC9: ("please_wait", "Automatic diagnosis", "Automatische Diagnose", "Diagnostic automatique"),
    0xCA: ("please_wait", "Automatic initialisation", "Automatische Initialisierung", "Initialisation automatique"),
    0xCB: ("memory_full", "The merchant's journal is full", "Händlerjournal voll", "Journal plein"),
    0xCC: ("pin", "PIN needed", "Lastschrift nicht möglich, Geheimzahl notwendig", "Code PIN nécessaire"),
    0xD2: ("connecting", "Connecting", "Verbindungsaufbau", "Connexion en cours"),
    0xD3: ("connecting", "Connecting", "Verbindung steht, bitte warten", "Connexion en cours"),
    0xE0: ("selection", "Choose the application", "Auswahl der Anwendung", "Choix de l'application"),
    0xE1: ("selection", "Choose the language", "Sprachauswahl", "Choix de la langue"),
    0xE2: ("service", "Use the cleaning card", "Reinigungskarte einführen", "Carte de nettoyage"),
    0xF1: ("please_wait", "Offline", "Offline", "Hors ligne"),
    0xF2: ("please_wait", "Online", "Online", "En ligne"),
    0xF3: ("please_wait", "Offline transaction", "Offline-Transaktion", "Transaction hors ligne"),
}
LANGUAGES = {"en": 1, "de": 2, "fr": 3}
_REMOVE = {"en": "please remove the card", "de": "bitte Karte entnehmen", "fr": "retirer la carte"}
_REMOVABLE = frozenset({*range(0x41, 0x5E), 0x66, 0x67})
_WAIT = ("please_wait", "Please wait", "Bitte warten", "Veuillez patienter")


def doing(code: int, language: str) -> tuple[str, str]:
    """Return the word and the sentence for a code of 04 FF."""
    removable = code in _REMOVABLE
    words = DOING.get(code - 0x40 if removable else code, _WAIT)
    text = words[LANGUAGES[language]]
    return words[0], f"{text}: {_REMOVE[language]}" if removable else text


#: Terminal states (05 01) in which something is under way, so that its last payment need not be its last.
AT_WORK = frozenset({0x9C, 0x9D, 0xE0})
READY = 0x00

#: Card types (BMP 8A, tag 41), decimal -> brand. The name on the card (8B) says it for all others.
BRANDS: dict[int, str] = {
    2: "girocard", 5: "girocard", 6: "Mastercard", 8: "American Express", 9: "ELV", 10: "Visa", 11: "Visa Electron",
    12: "Diners", 13: "V PAY", 14: "JCB", 15: "REKA", 30: "Geldkarte", 46: "Maestro", 69: "PostFinance",
    87: "Bancontact", 97: "Alipay", 107: "Alipay", 160: "AVIA", 196: "Dankort", 198: "UnionPay", 232: "Discover",
    260: "BlueCode",
}  # fmt: skip

#: The beginning of an application's identifier (ISO/IEC 7816-5 registered provider) -> brand.
PROVIDERS: dict[str, str] = {
    "a000000004": "Mastercard", "a000000003": "Visa", "a000000025": "American Express", "a000000065": "JCB",
    "a000000152": "Discover", "a000000333": "UnionPay", "a000000359": "girocard", "a000000672": "girocard",
    "d276000025": "girocard",
}  # fmt: skip
#: Whole applications that their provider's name does not tell.
APPLICATIONS: dict[str, str] = {
    "a0000000043060": "Maestro", "a0000000032020": "V PAY", "a0000000032010": "Visa Electron",
}  # fmt: skip

#: 1F10: how the cardholder was verified. Those with a signature ask for one on the merchant's slip (SM 4.2.3).
VERIFICATIONS: dict[str, str] = {
    "00": "none", "01": "signature", "02": "online PIN", "03": "PIN", "04": "PIN", "05": "PIN and signature",
    "06": "PIN and signature", "07": "online PIN and signature",
}  # fmt: skip
SIGNATURES = frozenset({"01", "05", "06", "07"})
#: 1F12, and BMP 19 where it is not there.
ENTRIES: dict[str, str] = {"00": "magstripe", "01": "contact", "02": "contactless"}
