"""Merchants, keys, payments, refunds, disputes and the gateways that carry them."""
