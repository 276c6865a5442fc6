"""The change under test: payments can be refunded within 30 days, and the fee pays for it."""

from shop import serve


def pay(request):
    amount = request.number("amount")
    return {
        "provider": "payments",
        "version": "v2",
        "amount": amount,
        "fee": amount * 3 // 100 + 30,
        "refundableDays": 30,
    }


def refund(request):
    return {"provider": "payments", "version": "v2", "refunded": request.number("amount")}


serve({"/pay": pay, "/refund": refund})
