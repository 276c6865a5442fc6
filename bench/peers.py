"""The proxies, each with one worker and a configuration that does the same work.

A request with `x-msx-env: feat-refunds` goes to origin B, any other to origin A; `x-forwarded-for` is appended, `host` is
kept, connections to client and origin are kept alive, and the answer names who gave it.
"""

import json
import os

HEADER, OVERLAY = "x-msx-env", "feat-refunds"


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


def nginx(folder, port, a, b):
    return nginx_command(folder, "nginx", f"""http {{
{nginx_http(folder, 'nginx')}
    map $http_x_msx_env $copy {{ default a; {OVERLAY} b; }}
    upstream a {{ server 127.0.0.1:{a}; keepalive 64; keepalive_requests 100000000; }}
    upstream b {{ server 127.0.0.1:{b}; keepalive 64; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://$copy;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
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
    path = write(folder, f"{name}.conf", f"""daemon off;
worker_processes 1;
pid {folder}/{name}.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
{http}
""")
    return ["/usr/sbin/nginx", "-e", "stderr", "-c", path]


def haproxy(folder, port, a, b):
    path = write(folder, "haproxy.cfg", f"""global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
    option forwardfor
frontend edge
    bind 127.0.0.1:{port}
    use_backend b if {{ req.hdr({HEADER}) -m str {OVERLAY} }}
    default_backend a
backend a
    http-response set-header x-msx-provider a
    server origin 127.0.0.1:{a}
backend b
    http-response set-header x-msx-provider b
    server origin 127.0.0.1:{b}
""")
    return ["/usr/sbin/haproxy", "-db", "-q", "-f", path]


def envoy(folder, port, a, b):
    def address(number):
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    def cluster(name, number):
        endpoint = {"endpoint": {"address": address(number)}}
        return {
            "name": name,
            "type": "STATIC",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        }

    def route(name, **match):
        provider = {"header": {"key": "x-msx-provider", "value": name}}
        return {"match": {"prefix": "/", **match}, "route": {"cluster": name}, "response_headers_to_add": [provider]}

    only = {"headers": [{"name": HEADER, "string_match": {"exact": OVERLAY}}]}
    package = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{package}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "use_remote_address": True,
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{package}.http.router.v3.Router"}}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route("b", **only), route("a")]}]},
    }
    listener = {
        "address": address(port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    path = write(folder, "envoy.json", json.dumps(
        {"static_resources": {"listeners": [listener], "clusters": [cluster("a", a), cluster("b", b)]}}, indent=2))
    return [
        os.environ["ENVOY"], "-c", path, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error",
    ]


def microstax(folder, port, a, b):
    """The gateway on its own, with the table that a server would have given it."""
    def environment(id, name, copy, **more):
        ports = [{"name": "http", "transport": "http", "host": "127.0.0.1", "port": copy}]
        return {
            "id": id, "name": name, "revision": 1, "state": "serving", "headerName": HEADER, "propagateHeader": True,
            "onUnknownContext": "reject", "removed": [],
            "services": [{"name": "checkout", "exposed": True, "ready": True, "ports": ports}], **more,
        }

    baseline, overlay = "env-aaaaaaaaaa", "env-bbbbbbbbbb"
    table = {
        "version": 1,
        "environments": [
            environment(baseline, "shop", a),
            environment(overlay, OVERLAY, b, overlayID=OVERLAY, parent=baseline),
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
