"""What schemathesis loads: see tests/support/contract.py."""

import os
import re
import uuid
from typing import Any

import schemathesis

OWN_KEYS = os.environ["CONTRACT_KEYS"].split()
PLAIN_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,255}")


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    # A good key is a new one; otherwise the second request is a misuse of the first one's key.
    if PLAIN_KEY.fullmatch(str(case.headers.get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    # What is the platform's belongs to both of them, who are operators.
    if case.query.get("platform") == "true":
        case.query["platform"] = "false"
    # Whoever revokes the key he comes with sees nothing but 401 from then on.
    if case.path_parameters.get("key_id") in OWN_KEYS:
        case.path_parameters["key_id"] = "key_of_somebody_else"
