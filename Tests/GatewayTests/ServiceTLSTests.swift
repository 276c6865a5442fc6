import Blueprints
import EnvironmentGraph
import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Services that speak TLS themselves, made with Python's `ssl`.
@Suite(.serialized) struct ServiceTLSTests {
    /// Says who it is, what it was asked, and over which connection.
    private static let server = """
        import http.server, os, ssl, sys, threading
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = b"%d %d %s" % (len(body), self.client_address[1], self.connection.version().encode())
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            def log_message(self, *words): pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1] + ".pem", sys.argv[1] + ".key")
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with open(sys.argv[2] + ".new", "w") as file: file.write(str(server.server_address[1]))
        os.rename(sys.argv[2] + ".new", sys.argv[2])
        import time
        while not os.path.exists(sys.argv[3]): time.sleep(0.02)
        """

    /// A certificate that vouches for itself.
    private func make(_ path: String, _ name: String) async throws -> String {
        let outcome = try await Tool.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                path + ".key", "-out", path + ".pem", "-subj", "/CN=\(name)", "-days", "30", "-addext",
                "subjectAltName=\(name)",
            ])
        guard outcome.exitCode == 0 else {
            throw RawSocket.Failure(description: String(decoding: outcome.stderr, as: UTF8.self))
        }
        return try String(contentsOfFile: path + ".pem", encoding: .utf8)
    }

    private func table(_ port: Int, _ tls: PortTLS?, version: UInt64) -> RoutingTable {
        var shop = Shop([:], version: version)
        var service = Shop.service("payments", port)
        service.ports[0].tls = tls
        shop.table.environments[0].services = [service]
        return shop.table
    }

    private func post(_ gateway: GatewayFixture, body: String = "hello") async throws -> GatewayFixture.Reply {
        try await gateway.send(
            gateway.edgePort,
            "POST / HTTP/1.1\r\nhost: payments.shop.localhost\r\nconnection: close\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
                + body)
    }

    @Test func theCertificateIsVerified() async throws {
        try await withTemporaryFolder { folder in
            let authority = try await make(folder + "/good", "DNS:payments.internal")
            let other = try await make(folder + "/other", "DNS:payments.internal")
            let stop = folder + "/stop"
            async let running = Tool.run(
                "/usr/bin/python3", ["-c", Self.server, folder + "/good", folder + "/port", stop])
            let port = try await eventually("the service listens") {
                FileManager.default.contents(atPath: folder + "/port").flatMap {
                    Int(String(decoding: $0, as: UTF8.self))
                }
            }
            let good = PortTLS(serverName: "payments.internal", authorities: authority)
            try await GatewayFixture.with(table(port, good, version: 1), loops: 1) { gateway in
                let large = String(repeating: "x", count: 3_000_000)
                let first = try await post(gateway, body: large)
                #expect(first.status == 200, "\(first)")
                let second = try await post(gateway)
                // The connection is used again, and so the handshake.
                let words = (first.body.split(separator: " "), second.body.split(separator: " "))
                #expect(words.0.first == "3000000")
                #expect(words.0.dropFirst() == words.1.dropFirst())
                #expect(words.1.last == "TLSv1.3")
                let wrong = [
                    PortTLS(serverName: "payments.internal", authorities: other),
                    PortTLS(serverName: "payments.internal"),
                    PortTLS(serverName: "else.internal", authorities: authority),
                    PortTLS(authorities: authority),
                    PortTLS(authorities: "-----BEGIN CERTIFICATE-----\nnonsense"),
                ]
                for (number, tls) in wrong.enumerated() {
                    try await gateway.apply(table(port, tls, version: UInt64(number + 2)))
                    let reply = try await post(gateway)
                    #expect(reply.status == 502, "\(number): \(reply)")
                    #expect(reply.field("x-msx-error") == "connect_failed")
                    #expect(reply.body.contains("TLS with the service's copy"), "\(reply.body)")
                }
                // In plain text to a service that wants TLS: it breaks off, and nobody falls back to anything.
                try await gateway.apply(table(port, nil, version: 50))
                let plain = try await post(gateway)
                #expect(plain.status == 502)
                try await gateway.apply(table(port, good, version: 51))
                let last = try await post(gateway)
                #expect(last.status == 200, "\(last)")
            }
            try Data().write(to: URL(filePath: stop))
            _ = try await running
        }
    }

    /// One that speaks no TLS, and one that says nothing.
    @Test func servicesThatDoNotShakeHands() async throws {
        var limits = GatewayLimits()
        limits.connectTimeout = .milliseconds(300)
        let plain = try Origin("payments@shop")
        let silent = try Origin("payments@shop") { socket, _ in while !socket.receive().isEmpty {} }
        defer {
            plain.stop()
            silent.stop()
        }
        try await GatewayFixture.with(table(plain.port, PortTLS(), version: 1), limits: limits) { gateway in
            let reply = try await post(gateway)
            #expect(reply.field("x-msx-error") == "connect_failed", "\(reply)")
            try await gateway.apply(table(silent.port, PortTLS(), version: 2))
            let late = try await post(gateway)
            #expect(late.field("x-msx-error") == "connect_failed", "\(late)")
            #expect(late.body.contains("it took longer than 300 ms"), "\(late.body)")
            #expect(plain.requests.isEmpty)
        }
    }
}
