"""Small made-up files, one of each format that tests share; and what tests do with them."""

import io
from collections.abc import Mapping
from typing import Any

import pytest

from reconciliation.importers import (
    FORMATS,
    ImportRefused,
    ParsedLine,
    Record,
    RejectedLine,
    recognise,
)

OFX_SGML = b"""OFXHEADER:100
DATA:OFXSGML
VERSION:102
ENCODING:USASCII
CHARSET:1252

<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS>
<STMTRS><CURDEF>EUR
<BANKACCTFROM><BANKID>100<ACCTID>12 34 5<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260301<DTEND>20260302
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260301233000[-5:EST]<TRNAMT>120.50<FITID>F1<REFNUM>R1
<NAME>ACME & SONS<MEMO>po_1 &lt;PAYOUT&gt;
</STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260302<TRNAMT>-20,25<FITID>F2<CHECKNUM>000<NAME>RENT</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>1100.25<DTASOF>20260302</LEDGERBAL>
<AVAILBAL><BALAMT>7.00<DTASOF>20260302</AVAILBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""

PAYPAL_NAMES = (
    b'"CH","Transaction ID","Invoice ID","PayPal Reference ID","PayPal Reference ID Type",'
    b'"Transaction Event Code","Transaction Initiation Date","Transaction Completion Date",'
    b'"Transaction  Debit or Credit","Gross Transaction Amount","Gross Transaction Currency",'
    b'"Fee Debit or Credit","Fee Amount","Fee Currency","Custom Field","Bank Reference ID"\n'
)
_DAYS = b"2026/01/06 00:00:30 -0800,2026/01/06 00:00:31 -0800"
PAYPAL_SETTLEMENT = (
    b'"RH",2026/01/07 03:00:00 -0800,"R","ACC1",009,\n"FH",01\n'
    b'"SH",2026/01/06 00:00:00 -0800,2026/01/06 23:59:59 -0800,"ACC1",""\n'
    + PAYPAL_NAMES
    + b'"SB","T1","M1-A","","","T0006",'
    + _DAYS
    + b',"CR",5200,"EUR","DR",225,"EUR","",""\n'
    + b'"SB","T2","M1-A","T1","TXN","T1107",'
    + _DAYS
    + b',"DR",1000,"EUR","CR",10,"EUR","",""\n'
    + b'"SB","T3","","","","T0006",'
    + _DAYS
    + b',"CR",10000,"JPY","DR",300,"JPY","M2-B",""\n'
    + b'"SB","T4","","","","T0400",'
    + _DAYS
    + b',"DR",3000,"EUR","",,"","","BANK9"\n'
    + b'"SF","EUR",5200,4000,10,225,"CR",500,"CR",1485,"CR",1485,"CR",0,3\n'
    + b'"SF","JPY",10000,0,0,300,"CR",0,"CR",9700,"CR",9700,"CR",0,1\n'
    + b'"SC",4\n"RF","EUR",5200,4000,10,225,"CR",500,"CR",1485,"CR",1485,"CR",0,3\n'
    + b'"RC",4\n"FF",13\n'
)
PAYPAL_TRANSACTIONS = (
    PAYPAL_NAMES.replace(b',"Bank Reference ID"', b',"Transactional Status"')
    + b'"SB","T1","M1-A","","","T0006",'
    + _DAYS
    + b',"CR",5200,"EUR","DR",225,"EUR","","S"\n'
    + b'"SB","T2","M1-B","","","T0006",'
    + _DAYS
    + b',"CR",900,"EUR","DR",25,"EUR","","P"\n'
)
PAYPAL_ACTIVITY = (
    '\ufeff"Datum","Uhrzeit","Zeitzone","Name","Typ","Status","Währung","Brutto","Gebühr",'
    '"Netto","Transaktionscode","Zugehöriger Transaktionscode","Rechnungsnummer","Guthaben",'
    '"Auswirkung auf Guthaben"\n'
    '"04.03.2026","10:00:00","CET","Erika M","PayPal Express-Zahlung","Abgeschlossen","EUR",'
    '"1.200,50","-12,25","1.188,25","T1","","M1-A","1.188,25","Haben"\n'
    '"05.03.2026","10:00:00","CET","Erika M","Rückzahlung","Abgeschlossen","EUR",'
    '"-100,00","1,00","-99,00","T2","T1","M1-A","1.089,25","Soll"\n'
    '"05.03.2026","11:00:00","CET","","Allgemeine Abbuchung","Abgeschlossen","EUR",'
    '"-1.000,00","0,00","-1.000,00","T3","","","89,25","Soll"\n'
    '"06.03.2026","11:00:00","CET","X","Zahlung","Ausstehend","EUR",'
    '"5,00","0,00","5,00","T4","","","89,25","Memo"\n'
).encode()
STRIPE_HISTORY = (
    b"id,Type,Source,Amount,Fee,Net,Currency,Created (UTC),Available On (UTC),Description,"
    b"Customer Facing Amount,Customer Facing Currency,Transfer,Transfer Date (UTC),"
    b"Transfer Group,reference (metadata)\n"
    b"txn_1,charge,ch_1,25.00,0.95,24.05,eur,2026-03-01 10:11,2026-03-03 00:00,Order,28.00,usd,"
    b"po_1,2026-03-04 00:00,,M1-A\n"
    b"txn_2,adjustment,dp_1,-25.00,15.00,-40.00,eur,2026-03-02 10:11,2026-03-02 10:11,Chargeback"
    b" withdrawal for ch_1,,,po_1,,,M1-A\n"
    b"txn_3,payout,po_1,15.95,0.00,15.95,eur,2026-03-04 00:00,2026-03-04 00:00,STRIPE PAYOUT,,,"
    b",,,\n"
)
STRIPE_TRANSACTIONS = (
    b"id,amount,available_on,created,currency,description,exchange_rate,fee,net,source,status,"
    b"type,payout_id\n"
    b"txn_1,2500,2026-03-03 00:00:00,2026-03-01 10:11:12,usd,Order,,95,2405,ch_1,available,charge,"
    b"po_1\n"
    b"txn_2,-2405,2026-03-04 00:00:00,2026-03-04 00:00:00,jpy,,,0,-2405,po_1,available,payout,\n"
)
STRIPE_PAYOUTS = (
    b"id,Amount,Created (UTC),Currency,Arrival Date (UTC),Source Type,Status,Type,Description,"
    b"Balance Transaction\n"
    b"po_1,24.05,2026-03-04 00:00,eur,2026-03-06 00:00,card,paid,bank_account,STRIPE PAYOUT,txn_9\n"
    b"po_2,1.00,2026-03-04 00:00,eur,2026-03-06 00:00,card,failed,bank_account,STRIPE PAYOUT,\n"
)
STRIPE_PAYOUT_OBJECTS = (
    b"id,amount,arrival_date,created,currency,livemode,source_type,status\n"
    b"po_1,-2405,2026-03-06 00:00:00,2026-03-04 00:00:00,eur,TRUE,card,in_transit\n"
)
ADYEN_ACCOUNTING = (
    b"Company Account,Merchant Account,Psp Reference,Merchant Reference,Booking Date,TimeZone,"
    b"Record Type,Modification Psp Reference,Main Currency,Main Amount,Payment Currency,"
    b"Settlement Currency,Payable (SC),Commission (SC),Markup (SC),Scheme Fees (SC),"
    b"Interchange (SC),Modification Merchant Reference,Original Amount\n"
    b"C,M1,P1,M1-A,2026-03-01 10:04:35,CET,Authorised,,EUR,10.00,EUR,,,,,,,,10.00\n"
    b"C,M1,P1,M1-A,2026-03-02 10:04:35,CET,Settled,X1,EUR,9.55,USD,EUR,9.55,,0.20,0.05,0.20,,"
    b"11.00\n"
    b"C,M1,P1,M1-A,2026-03-03 10:04:35,CET,Refunded,X2,EUR,4.10,USD,EUR,-4.10,0.10,,,,R-1,4.40\n"
)
CHECKOUT_BREAKDOWN = (
    b"Client Entity ID,Type,Payment ID,Reference,Processed On,Available On,Holding Currency,"
    b"Payout ID,Gross In Holding Currency,Deduction In Holding Currency,Net In Holding Currency,"
    b"Processing Currency,Gross In Processing Currency,Action ID\n"
    b"ent_1,Charge,pay_1,M1-A,2026-07-01T10:00:00.000,2026-07-02T00:00:00.000,EUR,K599,50,-1.5,"
    b"48.5,USD,55,act_1\n"
    b"ent_1,Refund,pay_1,M1-A,2026-07-01T11:00:00.000,2026-07-02T00:00:00.000,EUR,K599,-5,-0.1,"
    b"-5.1,USD,-5.5,act_2\n"
    b"ent_1,Network Token,pay_2,,2026-07-01T11:00:00.000,2026-07-02T00:00:00.000,EUR,K599,0,-0.3,"
    b"-0.3,,,act_3\n"
)
CHECKOUT_PAYOUTS = (
    b"Client Entity ID,Sub Entity ID,Currency Account ID,Holding Currency,Payout ID,Payout Date,"
    b"Payout Amount,Payments\nent_1,,ca_1,EUR,K599,2026-07-02T02:00:00.000,43.1,50\n"
)
DLOCAL = (
    b"ROW_TYPE,TRANSFER_ID,TRANSFER_DATE,SETTLEMENT_CURRENCY,NET_TOTAL_AMOUNT\n"
    b"HEADER,6429,2026-01-09,USD,2.70\n"
    b"ROW_TYPE,DLOCAL_TRANSACTION_ID,TRANSACTION_ID,CREATION_DATE,APPROVED_DATE,LOCAL_CURRENCY,"
    b"LOCAL_AMOUNT,FX_RATE,GROSS_AMOUNT,FEE_AMOUNT,NET_AMOUNT\n"
    b"PAYMENT,D-1,M1-A,2026-01-08 10:00:00,2026-01-08 10:00:01,MXN,70.00,18.557000,3.772174,"
    b"-0.075443,3.696731\n"
    b"SETTLEMENT_FEE,6429,,,,,,,0,-1.000000,-1.000000\n"
)
TRUSTLY_SETTLEMENT = (
    b"H,P11KFUN,1.0.0,2026-02-01T12:00:00.000Z,2026-02-02T12:00:00.000Z,36,0001of0001\n"
    b"I,11,2026-02-01T12:05:14.117Z,10,36,Deferred,1,51,5314,M1-A,Capture,Completed,"
    b"2026-02-02T05:00:00Z,2026-02-02T05:52:53.626Z,USD,5.00,TR1,AC118,B1,Sale,,ptx-1,-0.10\n"
    b"I,12,2026-02-01T12:05:14.117Z,10,36,Deferred,1,51,5314,M1-B,Capture,Completed,"
    b"2026-02-02T05:00:00Z,2026-02-02T05:52:53.626Z,USD,-2.00,TR2,R08,B1,Return,M1-B,ptx-2,\n"
    b"F,ACME,x,B1,USD,2.90,2026-02-03T00:00:00Z\nL,3,5.00,4.90\n"
)
TRUSTLY_TRANSACTIONS = (
    b"H,P11KREC,1.0.0,2026-02-01T12:00:00.000Z,2026-02-02T12:00:00.000Z,36,0001of0001\n"
    b"T,11,2026-02-01T12:05:14.117Z,10,36,Deferred,1,51,5314,M1-A,Capture,Processed,"
    b"2026-02-02T05:52:53.626Z,USD,5.00,,,,,USD,,No,ptx-1\n"
    b"T,12,2026-02-01T12:05:14.117Z,10,36,Deferred,1,51,5314,M1-A,Refund,Processed,"
    b"2026-02-02T05:52:53.626Z,USD,1.00,,,,,USD,,No,ptx-2\nL,2,5.00,1.00\n"
)

SAMPLES: Mapping[str, bytes] = {
    "ofx": OFX_SGML,
    "paypal.settlement": PAYPAL_SETTLEMENT,
    "paypal.transactions": PAYPAL_TRANSACTIONS,
    "paypal.activity": PAYPAL_ACTIVITY,
    "stripe.balance_history": STRIPE_HISTORY,
    "stripe.balance_transactions": STRIPE_TRANSACTIONS,
    "stripe.payouts": STRIPE_PAYOUTS,
    "stripe.payout_objects": STRIPE_PAYOUT_OBJECTS,
    "adyen.payments_accounting": ADYEN_ACCOUNTING,
    "checkout.settlement_breakdown": CHECKOUT_BREAKDOWN,
    "checkout.payouts": CHECKOUT_PAYOUTS,
    "dlocal.settlement": DLOCAL,
    "trustly.settlement": TRUSTLY_SETTLEMENT,
    "trustly.transactions": TRUSTLY_TRANSACTIONS,
}


def read(code: str, data: bytes, options: Mapping[str, Any] | None = None) -> list[Record]:
    file = io.BytesIO(data)
    return list(FORMATS[code](file, options or {}))


def lines(code: str, data: bytes, options: Mapping[str, Any] | None = None) -> list[ParsedLine]:
    found = read(code, data, options)
    assert not rejected(found)
    return [record for record in found if isinstance(record, ParsedLine)]


def rejected(found: list[Record]) -> list[RejectedLine]:
    return [record for record in found if isinstance(record, RejectedLine)]


def refusal(code: str, data: bytes, options: Mapping[str, Any] | None = None) -> ImportRefused:
    with pytest.raises(ImportRefused) as refused:
        read(code, data, options)
    return refused.value


def recognised(data: bytes) -> str:
    return recognise(io.BytesIO(data))
