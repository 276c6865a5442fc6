"""Carts, from Redis: a hash for each order, from article to count."""

import os

import redis

from shop import serve

VERSION = "v1"
database = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=5)


def cart(request):
    items = database.hgetall(f"cart:{request.number('order')}")
    return {"service": "cart", "version": VERSION, "items": {name: int(items[name]) for name in sorted(items)}}


serve({"/cart": cart})
