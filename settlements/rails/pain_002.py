"""The bank's answer to a payment order: ISO 20022 pain.002 (payment status report), any version."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from settlements.errors import StatusReportInvalid
from settlements.rails.safe_xml import (
    UnreadableMessage,
    child,
    children,
    one_line,
    read_message,
    text,
)

REJECTED = "RJCT"
PARTIAL = "PART"
# Technically, checked, in process, settled, on the creditor's account; with or without changes.
ACCEPTED = frozenset({"ACTC", "ACCP", "ACSP", "ACSC", "ACCC", "ACWC", "ACWP", "ACFC"})
WAITING = frozenset({"RCVD", "PDNG", "PATC"})
KNOWN = ACCEPTED | WAITING | {REJECTED, PARTIAL}
REASON_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bank says about a message, a block or a transfer: a status of ISO 20022's lists.

    `status` is empty where the bank says nothing; `code` and `reason` are why.
    """

    status: str = ""
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TransferStatus:
    """What the bank says about one transfer, by our end-to-end id."""

    end_to_end_id: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class BlockStatus:
    """What it says about one payment block, and about those of its transfers that it names."""

    payment_information_id: str
    verdict: Verdict
    transfers: tuple[TransferStatus, ...]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """One pain.002: about one message of ours, as a whole and in parts."""

    message_id: str
    original_message_id: str
    verdict: Verdict
    blocks: tuple[BlockStatus, ...]

    @property
    def transfers(self) -> Iterator[TransferStatus]:
        for block in self.blocks:
            yield from block.transfers

    @property
    def unknown_statuses(self) -> list[str]:
        """Statuses that mean nothing to us, in alphabetical order."""
        verdicts = [self.verdict, *(block.verdict for block in self.blocks)]
        verdicts += [each.verdict for each in self.transfers]
        return sorted({each.status for each in verdicts if each.status} - KNOWN)


def read_status_report(content: bytes) -> StatusReport:
    """What a pain.002 says. Raises StatusReportInvalid."""
    try:
        message = read_message(content, "CstmrPmtStsRpt")
    except UnreadableMessage as problem:
        raise StatusReportInvalid(problem.message) from None
    group = child(message, "OrgnlGrpInfAndSts")
    if group is None or not text(group, "OrgnlMsgId"):
        raise StatusReportInvalid("it does not say which message it answers")
    blocks = [_block(node) for node in children(message, "OrgnlPmtInfAndSts")]
    # The second version had transfers right below the message.
    loose = children(message, "TxInfAndSts")
    if loose:
        blocks.append(BlockStatus("", Verdict(), tuple(map(_transfer, loose))))
    return StatusReport(
        message_id=text(message, "GrpHdr/MsgId"),
        original_message_id=text(group, "OrgnlMsgId"),
        verdict=_verdict(group, "GrpSts"),
        blocks=tuple(blocks),
    )


def _block(node: Any) -> BlockStatus:
    return BlockStatus(
        payment_information_id=text(node, "OrgnlPmtInfId"),
        verdict=_verdict(node, "PmtInfSts"),
        transfers=tuple(map(_transfer, children(node, "TxInfAndSts"))),
    )


def _transfer(node: Any) -> TransferStatus:
    return TransferStatus(text(node, "OrgnlEndToEndId"), _verdict(node, "TxSts"))


def _verdict(node: Any, status: str) -> Verdict:
    reasons = children(node, "StsRsnInf")
    codes = [text(each, "Rsn/Cd") or text(each, "Rsn/Prtry") for each in reasons]
    words = [one_line(word) for each in reasons for word in children(each, "AddtlInf")]
    return Verdict(
        status=text(node, status),
        code=next(filter(None, codes), "")[:35],
        reason=" ".join(words)[:REASON_LENGTH_MAX],
    )
