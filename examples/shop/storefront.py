"""The shop's front door, and the only service that is reached from outside."""

import os

from shop import serve

VERSION = "v1"


def overview(request):
    return {"shop": "open", "version": VERSION, "try": "/checkout?order=1"}


def checkout(request):
    answer = request.call(os.environ["CHECKOUT_URL"] + "/checkout", order=request.number("order"))
    return {"storefront": VERSION, **answer}


serve({"/": overview, "/checkout": checkout})
