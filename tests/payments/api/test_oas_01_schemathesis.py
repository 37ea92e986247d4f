"""OAS-01: the server does what docs/openapi.yaml says, whatever is sent. `make schemathesis`
sends more."""

import os
from pathlib import Path

import pytest

from payments.models import ApiKey
from tests.factories import (
    ApiKeyFactory,
    AuthorizedPaymentFactory,
    DisputeFactory,
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support import contract
from tests.support.transfers import purse, transferred

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "4"))
SEED = int(os.environ.get("SEED", "20260302"))


def shop(name: str) -> contract.Shop:
    """A merchant with something of everything."""
    merchant = MerchantFactory(code=name)
    key = ApiKeyFactory(merchant=merchant, scopes=ApiKey.Scope.values)
    payment = SucceededPaymentFactory(merchant=merchant)
    SucceededRefundFactory(payment=payment, money=eur("10.00"))
    DisputeFactory(payment=SucceededPaymentFactory(merchant=merchant))
    AuthorizedPaymentFactory(merchant=merchant)
    ours, savings = purse(merchant, "account-123"), purse(merchant, "account-456")
    transferred(ours, savings, "5.00")
    return contract.Shop(name, key.record.public_id, key.secret)


@pytest.mark.django_db(transaction=True)
def test_oas_01_server_and_page_agree(tmp_path: Path) -> None:
    shops = [shop("first"), shop("second")]

    with contract.server(tmp_path) as url:
        status, said = contract.run(tmp_path, url, shops, seed=SEED, examples=EXAMPLES)

    print(said)
    assert status == 0, said
