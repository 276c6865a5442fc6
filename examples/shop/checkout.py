"""Puts an order's bill together from what the services behind it say."""

import os

from shop import serve

VERSION = "v1"


def checkout(request):
    number = request.number("order")
    order = request.call(os.environ["ORDERS_URL"] + "/order", id=number)
    cart = request.call(os.environ["CART_URL"] + "/cart", order=number)
    payments = request.call(os.environ["PAYMENTS_URL"] + "/pay", amount=order["amount"])
    return {"checkout": VERSION, "payments": payments, "order": order, "cart": cart}


serve({"/checkout": checkout})
