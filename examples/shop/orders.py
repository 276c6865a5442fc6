"""Orders, from PostgreSQL. Amounts are in cents."""

import os
from contextlib import closing

import psycopg2
import psycopg2.extras

from shop import Failure, serve

VERSION = "v1"


def order(request):
    with closing(psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=5)) as database:
        with database.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute("SELECT id, customer, amount FROM orders WHERE id = %s", [request.number("id")])
            found = cursor.fetchone()
    if found is None:
        raise Failure(404, f"there is no order {request.query['id']}")
    return {"service": "orders", "version": VERSION, **found}


serve({"/order": order})
