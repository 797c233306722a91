"""What the payments functions share: the fields of a payment, card data, log lines, calls to AWS.

Nothing here knows a function, a table or a queue by name.
"""
