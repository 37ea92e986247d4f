"""What this floor refuses."""

from datetime import datetime

from ledger.errors import Conflict, Forbidden, Invalid, NotFound
from ledger.money import Money


class IdempotencyMismatch(Invalid):
    code = "idempotency_key_reused"

    def __init__(self, key: str) -> None:
        super().__init__(f"The idempotency key {key!r} was used for another request.")


class KeyOfEarlierPayment(Conflict):
    code = "idempotency_key_expired"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The idempotency key {key!r} made a payment long ago; its answer is no longer kept."
        )


class ReferenceTaken(Conflict):
    code = "duplicate_reference"

    def __init__(self, reference: str) -> None:
        super().__init__(f"The reference {reference!r} belongs to another payment or refund.")


class RefundExceedsPayment(Invalid):
    code = "amount_exceeds_refundable"

    def __init__(self, payment: object, left: Money, asked: Money) -> None:
        super().__init__(f"{payment} has {left} left to refund; {asked} was asked.")


class PaymentNotRefundable(Conflict):
    code = "payment_not_refundable"

    def __init__(self, payment: object, status: str) -> None:
        super().__init__(f"{payment} is {status}; only a succeeded payment can be refunded.")


class CurrencyMismatch(Invalid):
    code = "currency_mismatch"

    def __init__(self, asked: str, actual: str) -> None:
        super().__init__(f"The payment is in {actual}; {asked} was asked.")


class PaymentNotFound(NotFound):
    code = "payment_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such payment.")


class RefundNotFound(NotFound):
    code = "refund_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such refund.")


class AccountNotFound(NotFound):
    code = "account_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no account {name[:120]!r}.")


class TransferNotFound(NotFound):
    code = "transaction_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such transaction.")


class MerchantNotFound(NotFound):
    code = "merchant_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no merchant {name[:60]!r}.")


class NoGateway(Conflict):
    code = "no_gateway"

    def __init__(self) -> None:
        super().__init__("No gateway that can take payments is configured.")


class CardNumberRefused(Invalid):
    code = "card_number_refused"

    def __init__(self) -> None:
        super().__init__("This looks like a card number. Send a token of it, never the number.")


class KeyOfEarlierRefund(Conflict):
    code = "idempotency_key_expired"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The idempotency key {key!r} made a refund long ago; its answer is no longer kept."
        )


class PaymentNotAuthorized(Conflict):
    code = "payment_not_authorized"

    def __init__(self, payment: object, status: str) -> None:
        super().__init__(
            f"{payment} is {status}; only an authorised payment can be captured or canceled."
        )


class AuthorizationExpired(Conflict):
    code = "authorization_expired"

    def __init__(self, payment: object, until: datetime) -> None:
        super().__init__(f"The authorisation of {payment} ran out at {until.isoformat()}.")


class AlreadyRequested(Conflict):
    code = "already_requested"

    def __init__(self, payment: object, what: str) -> None:
        super().__init__(f"The {what} of {payment} was asked for already and is on its way.")


class CaptureExceedsAuthorized(Invalid):
    code = "amount_exceeds_authorized"

    def __init__(self, payment: object, authorized: Money, asked: Money) -> None:
        super().__init__(f"{payment} is authorised for {authorized}; {asked} was asked.")


class PaymentNotDisputable(Conflict):
    code = "payment_not_disputable"

    def __init__(self, payment: object, status: str) -> None:
        super().__init__(f"{payment} is {status}; only a succeeded payment can be disputed.")


class DisputeExceedsPayment(Invalid):
    code = "amount_exceeds_captured"

    def __init__(self, payment: object, captured: Money, asked: Money) -> None:
        super().__init__(f"{captured} of {payment} was captured; {asked} cannot be disputed.")


class DisputeReferenceTaken(Conflict):
    code = "dispute_reference_taken"

    def __init__(self, reference: str) -> None:
        super().__init__(f"The dispute {reference!r} is about something else.")


class DisputeNotFound(NotFound):
    code = "dispute_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such dispute.")


class ApiKeyNotFound(NotFound):
    code = "api_key_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such API key.")


class ApiKeyOver(Conflict):
    code = "api_key_over"

    def __init__(self, key: object) -> None:
        super().__init__(f"{key} is revoked, expired or replaced already.")


class ExpiryPassed(Invalid):
    code = "expiry_passed"

    def __init__(self) -> None:
        super().__init__("A key expires in the future, or never.")


class ScopeNotYours(Forbidden):
    code = "scope_not_yours"

    def __init__(self, scopes: list[str]) -> None:
        super().__init__(f"Nobody hands out scopes he does not have: {', '.join(scopes)}.")


class EmailTaken(Conflict):
    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("Somebody signed up with this e-mail address already.")


class PasswordTooWeak(Invalid):
    code = "password_too_weak"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))


class NoMembership(Forbidden):
    code = "no_membership"

    def __init__(self) -> None:
        super().__init__("You act for no merchant.")


class MerchantNotChosen(Invalid):
    code = "merchant_not_chosen"

    def __init__(self, merchant_ids: list[str]) -> None:
        super().__init__(
            f"You act for several merchants; send merchant_id, one of {', '.join(merchant_ids)}."
        )


class MemberExists(Conflict):
    code = "member_exists"

    def __init__(self, user: object) -> None:
        super().__init__(f"{user} is a member already.")


class LastOwner(Conflict):
    code = "last_owner"

    def __init__(self, merchant: object) -> None:
        super().__init__(f"{merchant} needs an owner; make somebody else one first.")


class MoneyMayHaveMoved(Conflict):
    code = "money_may_have_moved"

    def __init__(self, row: object) -> None:
        super().__init__(
            f"{row} cannot be given up: its gateway has done it, or does not say. Retry it."
        )


class JobNotOpen(Conflict):
    code = "job_not_open"

    def __init__(self, run: object) -> None:
        super().__init__(f"{run} is over; it is neither run again nor skipped.")


class JobNotItsTurn(Conflict):
    code = "job_not_its_turn"

    def __init__(self, run: object, earlier: object) -> None:
        super().__init__(f"{run} follows when {earlier} is done or skipped.")


class JobIsParked(Conflict):
    code = "job_parked"

    def __init__(self, run: object) -> None:
        super().__init__(f"{run} is parked; it is retried or discarded under parked work.")


class EventNotFound(NotFound):
    code = "event_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such event; they are kept for 90 days.")


class EndpointNotFound(NotFound):
    code = "webhook_endpoint_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such webhook endpoint.")


class DeliveryNotFound(NotFound):
    code = "webhook_delivery_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such delivery of this endpoint.")


class TooManyEndpoints(Conflict):
    code = "too_many_webhook_endpoints"

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} endpoints already; remove one first.")


class EventTypesUnknown(Invalid):
    code = "event_types_unknown"

    def __init__(self, patterns: list[str]) -> None:
        said = ", ".join(repr(pattern[:60]) for pattern in patterns[:5])
        super().__init__(
            f"There is no event that {said} could match. Send names such as payment.succeeded,"
            " families such as refund.*, or *."
        )
