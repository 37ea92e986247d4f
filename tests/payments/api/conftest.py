"""A shop and its key."""

import pytest

from payments.models import Merchant
from tests.factories import ApiKeyFactory, MerchantFactory
from tests.support.api import Api
from tests.support.people import ann, quick_passwords
from tests.support.tills import moved, safe, teller, till

__all__ = ["ann", "api", "moved", "quick_passwords", "safe", "shop", "teller", "till"]


@pytest.fixture
def shop(db: None) -> Merchant:
    return MerchantFactory(code="shop", fees={"EUR": (290, 30), "JPY": (0, 10)})


@pytest.fixture
def api(shop: Merchant) -> Api:
    return Api(ApiKeyFactory(merchant=shop).secret)
