-- Write down what gateways were asked about a batch, and what they answered.
INSERT INTO payments_gatewayattempt (
    gateway, subject, number, action, is_enquiry, asked_at, milliseconds, answer, detail
)
SELECT * FROM unnest(
    %(gateways)s::text[], %(subjects)s::text[], %(numbers)s::integer[], %(actions)s::text[],
    %(are_enquiries)s::boolean[], %(asked_ats)s::timestamptz[], %(milliseconds)s::integer[],
    %(answers)s::text[], %(details)s::text[]
)
