"""A service of gRPC for tests, without generated code; with arguments, a client of it.

calls.py                                   serves on PORT, and calls NEXT_ADDRESS where there is one
calls.py ask <host:port> [name=value…]     prints one JSON line for each kind of call
"""

import json
import os
import queue
import signal
import sys
from concurrent import futures

import grpc

CARRIERS = ("x-msx-env", "baggage", "tracestate", "traceparent")


def serve():
    name, version = os.environ["MSX_SERVICE"], os.environ.get("VERSION", "v1")
    following = os.environ.get("NEXT_ADDRESS")
    channel = grpc.insecure_channel(following) if following else None

    def who(request, context):
        if request == b"fail":
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as asked: 100 %")
        path = f"{name}:{version}"
        if channel:
            carried = [pair for pair in context.invocation_metadata() if pair[0] in CARRIERS]
            path += " " + channel.unary_unary("/test.Chain/Who")(request, metadata=carried, timeout=10).decode()
        context.set_trailing_metadata((("x-served-by", f"{name}-{version}"),))
        return path.encode()

    def count(request, context):
        for number in range(int(request)):
            yield str(number).encode()

    def add(requests, context):
        return str(sum(len(request) for request in requests)).encode()

    def echo(requests, context):
        for request in requests:
            yield f"{version} ".encode() + request

    methods = {
        "Who": grpc.unary_unary_rpc_method_handler(who),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Add": grpc.stream_unary_rpc_method_handler(add),
        "Echo": grpc.stream_stream_rpc_method_handler(echo),
    }
    server = grpc.server(futures.ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Chain", methods),))
    server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: server.stop(1))
    server.wait_for_termination()


def ask(address, pairs):
    channel = grpc.insecure_channel(address)
    options = {"metadata": [tuple(pair.split("=", 1)) for pair in pairs], "timeout": 20}

    def turns():
        """Each message is sent when the answer to the one before has come."""
        calls, gate = [], queue.Queue()
        answers = channel.stream_stream("/test.Chain/Echo")(iter(gate.get, None), **options)
        for number in range(5):
            gate.put(f"{number}".encode())
            calls.append(next(answers).decode())
        gate.put(None)
        return calls + [answer.decode() for answer in answers]

    def who(request):
        answer, call = channel.unary_unary("/test.Chain/Who").with_call(request, **options)
        return [answer.decode(), dict(call.initial_metadata()).get("x-msx-provider"), dict(call.trailing_metadata())]

    said = {
        "who": lambda: who(b""),
        "fail": lambda: who(b"fail"),
        "large": lambda: channel.stream_unary("/test.Chain/Add")(iter([b"x" * 3_000_000] * 4), **options).decode(),
        "count": lambda: len(list(channel.unary_stream("/test.Chain/Count")(b"5000", **options))),
        "turns": turns,
    }
    answers = {}
    for name, call in said.items():
        try:
            answers[name] = call()
        except grpc.RpcError as error:
            answers[name] = [error.code().name, error.details()]
    print(json.dumps(answers))


if sys.argv[1:2] == ["ask"]:
    ask(sys.argv[2], sys.argv[3:])
else:
    serve()
