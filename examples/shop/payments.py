"""Takes money: 2 % and 30 cents. No way back."""

from shop import serve


def pay(request):
    amount = request.number("amount")
    return {"provider": "payments", "version": "v1", "amount": amount, "fee": amount * 2 // 100 + 30}


serve({"/pay": pay})
