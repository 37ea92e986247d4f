"""The mapping that a user of each bank would write, by a part of the name of its sample file."""

import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "bank_mappings"
BANKS = {
    "20171001-20171106": "n26",
    "bunq-transactieoverzicht": "bunq",
    "MS_JANE_SMITH": "card_with_pending_rows",
    "MonzoDataExport": "monzo",
    "TH_20180521": "csas",
    "TransactionHistory_": "ocbc",
    "Umsaetze_KtoNr": "comdirect",
    "W80844_EBH": "erste_hu",
    "BOI_TransactionExport": "bank_of_ireland",
    "test_raiffeisen": "raiffeisen_at",
    "austrian_example": "easybank",
    "easybank-giro": "easybank",
    "chase": "chase",
    "french_example": "credit_agricole",
    "german_date_example": "us_two_columns_with_german_dates",
    "two_money_columns": "us_two_columns",
    "intuit_mint": "mint",
    "inversed_credit_card": "inverted_card",
    "nationwide": "nationwide",
    "viseca": "viseca",
    "vtb": "vtb",
    "Knab": "knab",
    "ing_ok": "ing_nl",
    "2021-october": "revolut",
    "oberbank": "oberbank",
    "__balance": "oca_in_usd",
    "debit_credit": "oca_marked",
    "multi_currency": "oca_currencies",
    "sample_statement_en": "oca_currencies",
    "csv_european_decimals": "german_decimals",
    "sample_split_amounts": "split_amounts",
}


def mapping(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


MAPPINGS = {part: (FOLDER / f"{bank}.toml").read_text() for part, bank in BANKS.items()}
