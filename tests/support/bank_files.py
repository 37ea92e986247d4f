"""Small camt messages and archives, right or wrong in one way."""

import gzip
import io
import re
import stat
import zipfile
from decimal import Decimal

from tests.support.reports import IBAN

_AMOUNT = re.compile(r">([0-9]+\.[0-9]+)</Amt>")
NAMES = {
    "camt.053.001.08": ("BkToCstmrStmt", "Stmt"),
    "camt.052.001.08": ("BkToCstmrAcctRpt", "Rpt"),
    "camt.054.001.08": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


def entry(
    amount: str = "5.00",
    *,
    ref: str = "",
    day: str = "2026-03-19",
    text: str = "COFFEE",
    status: str = "BOOK",
    currency: str = "EUR",
    mark: str | None = None,
    booked: str | None = None,
) -> str:
    """One entry of a statement; a negative amount is a debit."""
    mark = mark or ("DBIT" if amount.startswith("-") else "CRDT")
    name = f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount.lstrip("-")}</Amt><CdtDbtInd>{mark}</CdtDbtInd>'
        f"<Sts><Cd>{status}</Cd></Sts><BookgDt><Dt>{booked or day}</Dt></BookgDt>"
        f"<ValDt><Dt>{day}</Dt></ValDt>{name}<AddtlNtryInf>{text}</AddtlNtryInf></Ntry>"
    )


def balance(code: str, amount: str, day: str, currency: str = "EUR") -> str:
    mark = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount.lstrip("-")}</Amt><CdtDbtInd>{mark}</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def statement(
    *entries: str,
    name: str = "S1",
    sequence: str = "1",
    day: str = "2026-03-19",
    last_day: str | None = None,
    opening: str | None = "100.00",
    closing: str | None = "right",
    iban: str = IBAN,
    currency: str = "EUR",
    totals: str = "",
    element: str = "Stmt",
) -> str:
    """A statement whose closing balance is right unless another one is given."""
    booked = (each for each in entries if "BOOK" in each)
    amounts = ((_AMOUNT.search(each), "DBIT" in each) for each in booked)
    moved = sum(Decimal(found[1]) * (-1 if is_debit else 1) for found, is_debit in amounts if found)
    last_day = last_day or day
    if closing == "right":
        closing = f"{Decimal(opening or '0') + moved:.2f}" if opening is not None else None
    balances = balance("OPBD", opening, day, currency) if opening is not None else ""
    balances += balance("CLBD", closing, last_day, currency) if closing is not None else ""
    return (
        f"<{element}><Id>{name}</Id><ElctrncSeqNb>{sequence}</ElctrncSeqNb>"
        f"<FrToDt><FrDtTm>{day}T00:00:00</FrDtTm><ToDtTm>{last_day}T23:59:59</ToDtTm></FrToDt>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>{balances}{totals}"
        f"{''.join(entries)}</{element}>"
    )


def message(*statements: str, version: str = "camt.053.001.08") -> bytes:
    outer, _ = NAMES[version]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{version}"><{outer}><GrpHdr>'
        f"<MsgId>M1</MsgId></GrpHdr>{''.join(statements)}</{outer}></Document>"
    ).encode()


def camt(*entries: str, version: str = "camt.053.001.08", **terms: str | None) -> bytes:
    """A message of one statement."""
    _, element = NAMES[version]
    return message(statement(*entries, element=element, **terms), version=version)


def totals(count: int | None = None, credit: str = "", debit: str = "") -> str:
    """What a statement says that its entries are and add up to."""
    said = f"<TtlNtries><NbOfNtries>{count}</NbOfNtries></TtlNtries>" if count is not None else ""
    said += f"<TtlCdtNtries><Sum>{credit}</Sum></TtlCdtNtries>" if credit else ""
    said += f"<TtlDbtNtries><Sum>{debit}</Sum></TtlDbtNtries>" if debit else ""
    return f"<TxsSummry>{said}</TxsSummry>"


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def zipped_link(target: str) -> bytes:
    """An archive with a symbolic link in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, target)
    return out.getvalue()


def encrypted(archive: bytes) -> bytes:
    """The archive with the mark of encryption on its only member, in both of its headers."""
    changed = bytearray(archive)
    changed[6] |= 1
    changed[archive.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def lying_about_size(archive: bytes, size: int) -> bytes:
    """The archive with another size of its only member in its directory and header."""
    changed = bytearray(archive)
    changed[22:26] = size.to_bytes(4, "little")
    place = archive.rindex(b"PK\x01\x02") + 24
    changed[place : place + 4] = size.to_bytes(4, "little")
    return bytes(changed)


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
