"""The mapping that a user of each bank would write, by a part of the name of its sample file."""

import tomllib
from typing import Any


def mapping(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


N26 = """
currency = "EUR"
date_format = "YYYY-MM-DD"
[columns]
booked_on = "Datum"
counterparty = "Empfänger"
text = ["Transaktionstyp", "Verwendungszweck"]
amount = "Betrag (EUR)"
foreign_amount = "Betrag (Fremdwährung)"
foreign_currency = "Fremdwährung"
"""

BUNQ = """
currency = "EUR"
decimal = ","
thousands = "."
date_format = "YYYY-MM-DD"
[columns]
account = "Rekening"
booked_on = "Datum"
amount = "Bedrag"
counterparty = "Naam"
text = "Omschrijving"
references = "Tegenrekening"
"""

CARD_WITH_PENDING_ROWS = """
currency = "GBP"
thousands = ","
symbols = ["£"]
date_format = "DD-MON-YYYY"
order = "newest_first"
pending = [{ column = "Date Processed", is = ["Pending"] }]
[columns]
booked_on = "Date Processed"
text = "Description"
amount = "Amount"
[direction]
column = 4
credit = ["CR"]
debit = [""]
"""

MONZO = """
date_format = "YYYY-MM-DD"
[columns]
external_id = "id"
booked_on = "created"
amount = "amount"
currency = "currency"
foreign_amount = "local_amount"
foreign_currency = "local_currency"
text = ["description", "notes"]
"""

CSAS = """
delimiter = ";"
decimal = ","
currency = "CZK"
date_format = "YYYY/MM/DD"
[columns]
booked_on = "Posting date"
value_on = "Execution date"
amount = "Amount CZK"
external_id = "Transaction reference number"
counterparty = "Counteraccount name"
text = ["Message for payee", "Message for me", "Client note"]
references = ["Variable symbol 1", "Constant symbol", "Specific symbol", "Payment reference"]
"""

OCBC = """
currency = "SGD"
thousands = ","
date_format = "DD/MM/YYYY"
order = "newest_first"
continues = [{ column = "Transaction date", is = [""] }]
[columns]
booked_on = "Transaction date"
value_on = "Value date"
text = "Description"
debit = "Withdrawals (SGD)"
credit = "Deposits (SGD)"
[labels]
account = "Account details for"
closing = "Ledger Balance"
"""

COMDIRECT = """
delimiter = ";"
decimal = ","
thousands = "."
date_format = "DD.MM.YYYY"
[columns]
account = "IBAN Auftraggeberkonto"
booked_on = "Buchungstag"
value_on = "Wertstellung"
text = ["Umsatzart", "Buchungstext"]
amount = "Betrag"
currency = "Währung"
"""

ERSTE_HU = """
date_format = "YYYY.MM.DD."
order = "newest_first"
[columns]
account = "Számlaszám"
booked_on = "Tranzakció dátuma"
value_on = "Értéknap"
amount = "Tranzakció összege"
currency = "Tranzakció devizaneme"
balance = "Egyenleg"
counterparty = "Partner neve"
text = ["Közlemény", "Részletek"]
references = ["Partner számlaszáma", "Megbízás azonosító"]
[direction]
column = "Bevétel/Kiadás"
credit = ["inflow"]
debit = ["outflow"]
"""

BANK_OF_IRELAND = """
currency = "EUR"
date_format = "DD/MM/YYYY"
[columns]
booked_on = "Date"
text = "Details"
debit = "Debit"
credit = "Credit"
"""

RAIFFEISEN_AT = """
delimiter = ";"
header = false
decimal = ","
thousands = "."
date_format = "DD.MM.YYYY"
skip = [{ column = 1, begins = ["A null transaction"] }]
[columns]
booked_on = 1
text = 2
value_on = 3
amount = 4
currency = 5
"""

EASYBANK = """
encoding = "cp1252"
delimiter = ";"
header = false
decimal = ","
thousands = "."
date_format = "DD.MM.YYYY"
[columns]
account = 1
text = 2
booked_on = 3
value_on = 4
amount = 5
currency = 6
"""

CHASE = """
header = false
currency = "USD"
thousands = ","
date_format = "YYYYMMDD*"
order = "newest_first"
[columns]
booked_on = 2
text = 3
amount = 4
"""

CREDIT_AGRICOLE = """
delimiter = ";"
header = false
currency = "EUR"
decimal = ","
date_format = "DD/MM/YYYY"
[columns]
account = 1
booked_on = 2
text = 3
external_id = 4
amount = 5
"""

US_TWO_COLUMNS = """
header = false
currency = "USD"
thousands = ","
symbols = ["$"]
date_format = "M/D/YYYY"
order = "newest_first"
[columns]
booked_on = 1
text = 2
reference = 3
debit = 4
credit = 5
balance = 6
"""

MINT = """
header = false
currency = "CAD"
date_format = "M/D/YYYY"
[columns]
booked_on = 1
counterparty = 2
text = 3
amount = 4
account = 7
[direction]
column = 5
credit = ["credit"]
debit = ["debit"]
"""

INVERTED_CARD = """
header = false
currency = "NZD"
inverted = true
date_format = "YYYY/MM/DD"
[columns]
booked_on = 1
value_on = 2
external_id = 3
amount = 7
text = 6
references = 5
"""

NATIONWIDE = """
header = false
currency = "GBP"
thousands = ","
symbols = ["£"]
date_format = "DD MON YYYY"
[columns]
booked_on = 1
text = [2, 3]
debit = 4
credit = 5
balance = 6
"""

VISECA = """
inverted = true
date_format = "YYYY-MM-DD"
booked = [{ column = "StateType", is = ["BOOKED"] }]
[columns]
external_id = "TransactionId"
account = "CardId"
booked_on = "Date"
value_on = "ValutaDate"
amount = "Amount"
currency = "Currency"
foreign_amount = "OriginalAmount"
foreign_currency = "OriginalCurrency"
counterparty = "MerchantName"
text = ["MerchantName", "Details"]
"""

VTB = """
encoding = "windows-1251"
delimiter = ";"
decimal = ","
thousands = " "
date_format = "YYYY-MM-DD"
booked = [{ column = "Статус", is = ["Исполнено"] }]
[columns]
account = "Номер карты/счета/договора"
value_on = "Дата операции"
booked_on = "Дата обработки"
foreign_amount = "Сумма операции"
foreign_currency = "Валюта операции"
amount = "Сумма пересчитанная в валюту счета"
currency = "Валюта счета"
text = "Основание"
[currency_names]
RUR = "RUB"
[labels]
first_day = "Начало периода"
last_day = "Конец периода"
closing = "RUR"
"""

KNAB = """
delimiter = ";"
decimal = ","
date_format = "DD-MM-YYYY"
order = "newest_first"
[columns]
account = "Rekeningnummer"
booked_on = "Boekdatum"
value_on = "Valutadatum"
currency = "Valutacode"
amount = "Bedrag"
counterparty = "Tegenrekeninghouder"
text = ["Betaalwijze", "Omschrijving"]
external_id = "Referentie"
references = ["Tegenrekeningnummer", "Machtigingsnummer"]
[direction]
column = "CreditDebet"
credit = ["C"]
debit = ["D"]
"""

ING_NL = """
currency = "EUR"
decimal = ","
date_format = "YYYYMMDD"
order = "newest_first"
[columns]
account = "Rekening"
booked_on = "Datum"
amount = "Bedrag (EUR)"
counterparty = "Naam / Omschrijving"
text = ["MutatieSoort", "Mededelingen"]
references = "Tegenrekening"
[direction]
column = "Af Bij"
credit = ["Bij"]
debit = ["Af"]
"""

REVOLUT = """
date_format = "YYYY-MM-DD"
booked = [{ column = "State", is = ["COMPLETED"] }]
[columns]
booked_on = "Completed Date"
value_on = "Started Date"
amount = "Amount"
fee = "Fee"
balance = "Balance"
currency = "Currency"
text = ["Type", "Description"]
"""

OBERBANK = """
encoding = "cp1252"
delimiter = ";"
decimal = ","
thousands = "."
date_format = "DD.MM.YYYY"
[columns]
booked_on = "Buchungsdatum"
value_on = "Wertstellung"
amount = "Betrag"
currency = "Währung"
payer = "Auftraggebername"
payee = "Empfängername"
text = ["Text", "Verwendungszweck"]
"""

OCA = """
thousands = ","
date_format = "MM/DD/YYYY"
[columns]
booked_on = "Date"
text = "Label"
amount = "Amount"
counterparty = "Partner Name"
references = "Bank Account"
"""
OCA_IN_USD = 'currency = "USD"\n' + OCA + 'balance = "Balance"\n'
OCA_MARKED = (
    'currency = "USD"\nsign = "ignored"\n'
    + OCA
    + 'balance = "Balance"\n[direction]\ncolumn = "D/C"\ncredit = ["C"]\ndebit = ["D"]\n'
)
OCA_CURRENCIES = OCA + 'currency = "Currency"\n'

GERMAN_DECIMALS = """
delimiter = ";"
decimal = ","
thousands = "."
date_format = "YYYY-MM-DD"
[columns]
account = "IBAN"
booked_on = "Buchungstag"
text = "Verwendungszweck"
amount = "Betrag"
currency = "CCY"
external_id = "Ref"
"""

SPLIT_AMOUNTS = """
delimiter = ";"
decimal = ","
date_format = "YYYY-MM-DD"
[columns]
account = "IBAN"
booked_on = "Booking Date"
text = "Details"
credit = "Credit"
debit = "Debit"
balance = "Running Balance"
currency = "CCY"
external_id = "Ref"
"""

MAPPINGS = {
    "20171001-20171106": N26,
    "bunq-transactieoverzicht": BUNQ,
    "MS_JANE_SMITH": CARD_WITH_PENDING_ROWS,
    "MonzoDataExport": MONZO,
    "TH_20180521": CSAS,
    "TransactionHistory_": OCBC,
    "Umsaetze_KtoNr": COMDIRECT,
    "W80844_EBH": ERSTE_HU,
    "BOI_TransactionExport": BANK_OF_IRELAND,
    "test_raiffeisen": RAIFFEISEN_AT,
    "austrian_example": EASYBANK,
    "easybank-giro": EASYBANK,
    "chase": CHASE,
    "french_example": CREDIT_AGRICOLE,
    "german_date_example": US_TWO_COLUMNS.replace("M/D/YYYY", "DD.MM.YYYY"),
    "two_money_columns": US_TWO_COLUMNS,
    "intuit_mint": MINT,
    "inversed_credit_card": INVERTED_CARD,
    "nationwide": NATIONWIDE,
    "viseca": VISECA,
    "vtb": VTB,
    "Knab": KNAB,
    "ing_ok": ING_NL,
    "2021-october": REVOLUT,
    "oberbank": OBERBANK,
    "__balance": OCA_IN_USD,
    "debit_credit": OCA_MARKED,
    "multi_currency": OCA_CURRENCIES,
    "sample_statement_en": OCA_CURRENCIES,
    "csv_european_decimals": GERMAN_DECIMALS,
    "sample_split_amounts": SPLIT_AMOUNTS,
}
