"""Small camt messages of our own, and what the importers read out of them."""

import io

from reconciliation.importers import (
    FORMATS,
    ParsedLine,
    Record,
    RejectedLine,
    StatementTrailer,
)

NAMESPACE = ' xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"'
FRAME = (
    "<Id>STM-7</Id><ElctrncSeqNb>7</ElctrncSeqNb><CreDtTm>2026-03-20T22:00:00+01:00</CreDtTm>"
    "<FrToDt><FrDtTm>2026-03-19T00:00:00</FrDtTm><ToDtTm>2026-03-20T23:59:59</ToDtTm></FrToDt>"
    "<Acct><Id><IBAN>DE89 3704 0044 0532 0130 00</IBAN></Id><Ccy>EUR</Ccy></Acct>"
)
BOOKED = "<BookgDt><Dt>2026-03-19</Dt></BookgDt>"


def document(*statements: str, namespace: str = NAMESPACE, header: str = "") -> bytes:
    body = "".join(f"<Stmt>{statement}</Stmt>" for statement in statements)
    text = (
        f"<Document{namespace}><BkToCstmrStmt>"
        f"<GrpHdr><MsgId>MSG</MsgId>{header}</GrpHdr>{body}</BkToCstmrStmt></Document>"
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def entry(
    amount: str = "12.34", mark: str = "CRDT", rest: str = BOOKED, currency: str = "EUR"
) -> str:
    return f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd>{rest}</Ntry>'


def details(*transactions: str, batch: str = "") -> str:
    inner = "".join(f"<TxDtls>{transaction}</TxDtls>" for transaction in transactions)
    return f"<NtryDtls>{batch}{inner}</NtryDtls>"


def balance(code: str, amount: str, day: str, mark: str = "CRDT", currency: str = "EUR") -> str:
    direction = f"<CdtDbtInd>{mark}</CdtDbtInd>" if mark else ""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount}</Amt>{direction}<Dt><Dt>{day}</Dt></Dt></Bal>'
    )


def records(data: bytes, code: str = "camt.053") -> list[Record]:
    return list(FORMATS[code](io.BytesIO(data)))


def lines(*entries: str, frame: str = FRAME) -> list[ParsedLine]:
    found = records(document(frame + "".join(entries)))
    assert not [record for record in found if isinstance(record, RejectedLine)]
    return [record for record in found if isinstance(record, ParsedLine)]


def rejected(*entries: str, frame: str = FRAME) -> list[RejectedLine]:
    found = records(document(frame + "".join(entries)))
    return [record for record in found if isinstance(record, RejectedLine)]


def trailer(*children: str) -> StatementTrailer:
    found = records(document(FRAME + "".join(children)))[-1]
    assert isinstance(found, StatementTrailer)
    return found
