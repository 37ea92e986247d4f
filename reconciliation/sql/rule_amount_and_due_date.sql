-- A line without any reference has the amount and the date of an item of the merchant it names.
INSERT INTO candidate
SELECT line_id, item_kind, item_id
FROM rest_line AS line JOIN rest_item AS item
    ON item.line_kind = line.line_kind AND item.amount = line.amount
    AND item.currency = line.currency AND item.settlement_due_on = line.value_on
    AND line.merchant = item.merchant
WHERE line.key = ''
