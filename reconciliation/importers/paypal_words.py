"""The languages of PayPal's activity download: its column names, statuses and types.

Names as readers of such files have them; a download in another language is read with a column
mapping of its source.
"""

from .paypal_events import kind_of_event
from .records import LineKind

COLUMNS = {
    "date": ("Date", "Datum", "Fecha", "Data"),
    "currency": ("Currency", "Währung", "Divisa", "Moneda", "Devise", "Valuta", "Moeda"),
    "gross": ("Gross", "Brutto", "Bruto", "Avant commission", "Brut", "Lordo"),
    "fee": ("Fee", "Gebühr", "Entgelt", "Tarifa", "Comisión", "Commission", "Tariffa", "Kosten"),
    "net": ("Net", "Netto", "Neto", "Líquido"),
    "id": (
        "Transaction ID",
        "Transaktionscode",
        "Id. de transacción",
        "Numéro de transaction",
        "Codice transazione",
        "Transactiereferentie",
        "ID da transação",
    ),
    "type": (
        "Type",
        "Description",
        "Typ",
        "Beschreibung",
        "Tipo",
        "Descripción",
        "Descrizione",
        "Omschrijving",
        "Descrição",
    ),
    "event": ("Transaction Event Code", "Transaktionsereigniscode"),
    "status": ("Status", "Estado", "État", "Stato"),
    "impact": (
        "Balance Impact",
        "Auswirkung auf Guthaben",
        "Effect op saldo",
        "Impact sur le solde",
        "Impacto en el saldo",
        "Impatto sul saldo",
    ),
    "name": ("Name", "Nombre", "Nom", "Nome", "Naam"),
    "invoice": (
        "Invoice Number",
        "Invoice ID",
        "Rechnungsnummer",
        "Número de factura",
        "Numéro de facture",
        "Numero fattura",
        "Factuurnummer",
        "Factuurreferentie",
        "Número da fatura",
    ),
    "parent": (
        "Reference Txn ID",
        "Zugehöriger Transaktionscode",
        "Id. de referencia de trans.",
        "Numéro de la transaction de référence",
        "Codice transazione di riferimento",
    ),
    "custom": ("Custom Number", "Custom Field"),
    "bank": ("Bank Reference ID", "Bankreferenz"),
    "receipt": ("Receipt ID", "Empfangsnummer"),
}
NEEDED = ("date", "currency", "gross", "fee", "net", "id")

DONE = frozenset(
    "completed|cleared|refunded|partially refunded|reversed|partially reversed|returned|paid"
    "|abgeschlossen|zurückgezahlt|teilweise zurückgezahlt"
    "|completado|completada|reembolsado|reembolsada|parcialmente reembolsado"
    "|terminé|effectué|remboursé|partiellement remboursé"
    "|completato|completata|rimborsato|parzialmente rimborsato"
    "|voltooid|terugbetaald|gedeeltelijk terugbetaald"
    "|concluído|concluída".split("|")
)
NOT_DONE = frozenset(
    "pending|denied|canceled|cancelled|expired|voided|removed|failed|held|placed|unclaimed"
    "|uncleared|ausstehend|offen|abgelehnt|storniert|abgelaufen"
    "|pendiente|denegado|denegada|cancelado|cancelada|en attente|refusé|annulé"
    "|in sospeso|negato|annullato|in behandeling|geweigerd|geannuleerd|pendente|negado"
    "".split("|")
)
# A row for information, in the column of the effect on the balance.
MEMO = "memo"

_HOLDS = ("hold", "reserve", "einbehalt", "retención", "blocage", "trattenuta")
_FEES = ("fee", "gebühr", "frais", "comisión", "commissione")
_DISPUTES = ("chargeback", "payment reversal", "rückbuchung", "rétrofacturation", "contracargo")
_REFUNDS = ("refund", "rückzahlung", "reembolso", "remboursement", "rimborso", "terugbetaling")
_WITHDRAWALS = ("withdrawal", "abbuchung", "retrait", "retirada", "retiro", "prelievo", "opname")
_PAYMENTS = ("payment", "zahlung", "pago", "paiement", "pagamento", "betaling", "donation")


def kind_of(event: str, type_: str, *, is_credit: bool) -> LineKind:
    """The kind by the event code if the download has it, else by words of the type."""
    if event:
        return kind_of_event(event, is_credit=is_credit)
    said = type_.casefold()
    if _has(said, _HOLDS):
        return LineKind.ADJUSTMENT
    if _has(said, _FEES):
        return LineKind.FEE
    if _has(said, _DISPUTES):
        return LineKind.DISPUTE_REVERSAL if is_credit else LineKind.DISPUTE
    if _has(said, _REFUNDS):
        return LineKind.REFUND
    if _has(said, _WITHDRAWALS) and not is_credit:
        return LineKind.PAYOUT
    return LineKind.CHARGE if _has(said, _PAYMENTS) and is_credit else LineKind.ADJUSTMENT


def _has(said: str, words: tuple[str, ...]) -> bool:
    return any(word in said for word in words)
