"""The proxies, each with one worker and a configuration that does the same work.

A request with `x-msx-env: feat-refunds` goes to origin B, any other to origin A; `x-forwarded-for` is appended, `host` is
kept, connections to client and origin are kept alive, and the answer names who gave it. `transport` says what is spoken:
`http1` on both sides, `http` (HTTP/2 with the client, HTTP/1.1 with the origin) or `grpc` (HTTP/2 on both sides).
"""

import json
import os

HEADER, OVERLAY = "x-msx-env", "feat-refunds"
# More than any of them will see here; HAProxy wants two files for each, and 20,000 is a common hard limit.
CONNECTIONS = 9800


def overlays(count):
    """So many names, with the one that is asked for in the middle."""
    others = [f"feat-{number}" for number in range(count - 1)]
    return others[: len(others) // 2] + [OVERLAY] + others[len(others) // 2 :]


def origin(folder, ports):
    """nginx with a small fixed body on each port; the letter says which origin answered."""
    servers = "\n".join(
        f"""    server {{
        listen 127.0.0.1:{port};
        location / {{ default_type text/plain; return 200 "{letter}{'.' * 255}"; }}
    }}"""
        for letter, port in zip("AB", ports)
    )
    return nginx_command(folder, "origin", f"http {{\n{nginx_http(folder, 'origin')}\n{servers}\n}}")


def nginx(folder, port, a, b, transport="http1", count=1):
    protocol = "" if transport == "http1" else " http2"
    grpc = """
            grpc_pass grpc://$copy;
            grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;""" if transport == "grpc" else ""
    http = "" if grpc else """
            proxy_pass http://$copy;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"""
    names = overlays(count)
    upstreams = "\n".join(
        f"    upstream {name} {{ server 127.0.0.1:{b}; keepalive 64; keepalive_requests 100000000; }}" for name in names)
    return nginx_command(folder, "nginx", f"""http {{
{nginx_http(folder, 'nginx')}
    map_hash_max_size 65536;
    client_max_body_size 0;
    map $http_x_msx_env $copy {{ default a; {" ".join(f"{name} {name};" for name in names)} }}
    upstream a {{ server 127.0.0.1:{a}; keepalive 64; keepalive_requests 100000000; }}
{upstreams}
    server {{
        listen 127.0.0.1:{port}{protocol};
        location / {{{http}{grpc}
            add_header x-msx-provider $copy;
        }}
    }}
}}""")


def nginx_http(folder, name):
    temporary = "\n".join(
        f"    {kind}_temp_path {folder}/{name}-{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"    access_log off;\n    keepalive_requests 100000000;\n{temporary}"


def nginx_command(folder, name, http):
    # Its worker keeps bodies in our folder.
    user = "user root;" if os.geteuid() == 0 else ""
    path = write(folder, f"{name}.conf", f"""daemon off;
{user}
worker_processes 1;
pid {folder}/{name}.pid;
error_log stderr error;
events {{ worker_connections {CONNECTIONS}; }}
{http}
""")
    return ["/usr/sbin/nginx", "-e", "stderr", "-c", path]


def haproxy(folder, port, a, b, transport="http1", count=1):
    front = "" if transport == "http1" else " proto h2"
    back = " proto h2" if transport == "grpc" else ""
    names = overlays(count)
    backends = "\n".join(
        f"backend {name}\n    http-response set-header x-msx-provider {name}\n    server origin 127.0.0.1:{b}{back}"
        for name in names)
    path = write(folder, "haproxy.cfg", f"""global
    nbthread 1
    maxconn {CONNECTIONS}
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
    option forwardfor
frontend edge
    bind 127.0.0.1:{port}{front}
    use_backend %[req.hdr({HEADER}),map({folder}/copies.map)] if {{ req.hdr({HEADER}),map({folder}/copies.map) -m found }}
    default_backend a
backend a
    http-response set-header x-msx-provider a
    server origin 127.0.0.1:{a}{back}
{backends}
""")
    write(folder, "copies.map", "".join(f"{name} {name}\n" for name in names))
    return ["/usr/sbin/haproxy", "-db", "-q", "-f", path]


def envoy(folder, port, a, b, transport="http1", count=1):
    def address(number):
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    def cluster(name, number):
        endpoint = {"endpoint": {"address": address(number)}}
        return {
            "name": name,
            "type": "STATIC",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
            **({"typed_extension_protocol_options": options} if transport == "grpc" else {}),
        }

    def route(name, **match):
        provider = {"header": {"key": "x-msx-provider", "value": name}}
        return {"match": {"prefix": "/", **match}, "route": {"cluster": name}, "response_headers_to_add": [provider]}

    options = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
    names = overlays(count)

    def only(name):
        return {"headers": [{"name": HEADER, "string_match": {"exact": name}}]}

    package = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{package}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "use_remote_address": True,
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{package}.http.router.v3.Router"}}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [*(route(name, **only(name)) for name in names), route("a")]}]},
    }
    listener = {
        "address": address(port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    path = write(folder, "envoy.json", json.dumps(
        {"static_resources": {"listeners": [listener], "clusters": [cluster("a", a), *(cluster(name, b) for name in names)]}}, indent=2))
    return [
        os.environ["ENVOY"], "-c", path, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error",
    ]


def microstax(folder, port, a, b, transport="http1", count=1):
    """The gateway on its own, with the table that a server would have given it."""
    def environment(id, name, copy, **more):
        ports = [{"name": "http", "transport": "grpc" if transport == "grpc" else "http", "host": "127.0.0.1", "port": copy}]
        return {
            "id": id, "name": name, "revision": 1, "state": "serving", "headerName": HEADER, "propagateHeader": True,
            "onUnknownContext": "reject", "removed": [],
            "services": [{"name": "checkout", "exposed": True, "ready": True, "ports": ports}], **more,
        }

    baseline = "env-aaaaaaaaaa"
    table = {
        "version": 1,
        "environments": [environment(baseline, "shop", a)] + [
            environment(f"env-{number:010}", name, b, overlayID=name, parent=baseline)
            for number, name in enumerate(overlays(count))
        ],
        "listeners": [{
            "host": "127.0.0.1", "port": port, "environment": baseline, "caller": {"edge": {}}, "service": "checkout",
            "isTCP": False,
        }],
    }
    home = f"{folder}/gateway"
    os.makedirs(home, exist_ok=True)
    write(home, "table.json", json.dumps(table))
    return [os.environ["MICROSTAX"], "gateway", "--folder", home, "--port", "0", "--loops", "1"]


ALL = {"microstax": microstax, "nginx": nginx, "HAProxy": haproxy, "Envoy": envoy}


def write(folder, name, text):
    path = f"{folder}/{name}"
    with open(path, "w") as file:
        file.write(text)
    return path
