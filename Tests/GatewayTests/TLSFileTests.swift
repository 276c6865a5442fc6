import EnvironmentGraph
import Foundation
import Logging
import TestSupport
import Testing

@testable import Gateway

/// A certificate by file at the edge: it is read again when it changes, and nothing is dropped for that.
@Suite(.serialized) struct TLSFileTests {
    /// A certificate that vouches for itself, with its key, in `folder`.
    private func make(_ folder: String, _ name: String, as file: String = "edge") async throws {
        let outcome = try await Tool.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                "\(folder)/\(file).key", "-out", "\(folder)/\(file).pem", "-subj", "/CN=\(name)", "-days", "30",
                "-addext", "subjectAltName=DNS:\(name)",
            ])
        guard outcome.exitCode == 0 else {
            throw RawSocket.Failure(description: String(decoding: outcome.stderr, as: UTF8.self))
        }
    }

    /// Signs the certificate again, to have ended yesterday.
    private func end(_ folder: String) async throws {
        let outcome = try await Tool.run(
            "/usr/bin/openssl",
            [
                "x509", "-in", folder + "/edge.pem", "-signkey", folder + "/edge.key", "-days", "-1", "-out",
                folder + "/edge.pem",
            ])
        guard outcome.exitCode == 0 else {
            throw RawSocket.Failure(description: String(decoding: outcome.stderr, as: UTF8.self))
        }
    }

    private func withEdge(
        _ prepare: (String) async throws -> Void, _ body: (GatewayFixture, String) async throws -> Void
    ) async throws {
        let origin = try Origin("payments@shop")
        defer { origin.stop() }
        let shop = Shop(["payments@shop": origin.port])
        try await withTemporaryFolder { folder in
            try await prepare(folder)
            let tls = TLSSettings.files(certificate: folder + "/edge.pem", key: folder + "/edge.key")
            try await GatewayFixture.with(shop.table, tls: tls) { try await body($0, folder) }
        }
    }

    private func curl(_ gateway: GatewayFixture, _ name: String, authority: String) async throws -> Int32 {
        let outcome = try await Tool.run(
            "/usr/bin/curl",
            [
                "-sS", "-m", "10", "--cacert", authority, "--resolve", "\(name):\(gateway.edgePort):127.0.0.1", "-H",
                "host: payments.shop.localhost", "-f", "https://\(name):\(gateway.edgePort)/",
            ])
        return outcome.exitCode
    }

    @Test func itIsReadAgainWhenItChanges() async throws {
        try await withEdge({ try await make($0, "one.example") }) { gateway, folder in
            try FileManager.default.copyItem(atPath: folder + "/edge.pem", toPath: folder + "/one.pem")
            #expect(try await curl(gateway, "one.example", authority: folder + "/one.pem") == 0)
            // A connection from before, which goes on while certificates come and go.
            let program = """
                import socket, ssl, sys
                context = ssl.create_default_context(cafile=sys.argv[1])
                client = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[2]))), server_hostname="one.example")
                client.settimeout(10)
                count = 0
                while not __import__("os").path.exists(sys.argv[3]):
                    client.sendall(b"GET / HTTP/1.1\\r\\nhost: payments.shop.localhost\\r\\n\\r\\n")
                    answer = b""
                    while b"x-forwarded-host" not in answer:
                        chunk = client.recv(65536)
                        assert chunk
                        answer += chunk
                    count += 1
                print("kept" if count > 10 else count)
                """
            async let kept = Tool.run(
                "/usr/bin/python3", ["-c", program, folder + "/one.pem", "\(gateway.edgePort)", folder + "/stop"])
            // Half of a pair does not fit together: the earlier one stays.
            try Data("nonsense".utf8).write(to: URL(filePath: folder + "/edge.key"))
            try await eventually("the problem is told") { () -> Bool? in
                _ = try await curl(gateway, "one.example", authority: folder + "/one.pem")
                return gateway.problem?.contains("edge.pem") == true ? true : nil
            }
            let still = try await curl(gateway, "one.example", authority: folder + "/one.pem")
            #expect(still == 0)
            try await make(folder, "two.example")
            try await eventually("the new certificate is in use", every: .milliseconds(200)) { () -> Bool? in
                try await curl(gateway, "two.example", authority: folder + "/edge.pem") == 0 ? true : nil
            }
            #expect(gateway.problem == nil)
            #expect(try await curl(gateway, "one.example", authority: folder + "/one.pem") == 60)
            try Data().write(to: URL(filePath: folder + "/stop"))
            let outcome = try await kept
            #expect(
                String(decoding: outcome.stdout, as: UTF8.self) == "kept\n",
                "\(String(decoding: outcome.stderr, as: UTF8.self))")
        }
    }

    @Test func clientsRefuseWhatDoesNotFit() async throws {
        try await withEdge({ try await make($0, "one.example") }) { gateway, folder in
            #expect(try await curl(gateway, "other.example", authority: folder + "/edge.pem") == 60)
            try await make(folder, "else.example", as: "else")
            #expect(try await curl(gateway, "one.example", authority: folder + "/else.pem") == 60)
        }
        try await withEdge({ folder in
            try await make(folder, "old.example")
            try await end(folder)
        }) { gateway, folder in
            let refused = try await curl(gateway, "old.example", authority: folder + "/edge.pem")
            #expect(refused == 60)
        }
    }

    @Test func whatCannotBeUsedStartsNothing() async throws {
        try await withTemporaryFolder { folder in
            try await make(folder, "one.example")
            try await make(folder, "two.example", as: "two")
            for (certificate, key) in [("edge.pem", "two.key"), ("none.pem", "edge.key"), ("edge.key", "edge.key")] {
                let settings = TLSSettings.files(certificate: "\(folder)/\(certificate)", key: "\(folder)/\(key)")
                #expect(throws: TLSProblem.self) {
                    _ = try TLSIdentities(settings, protocols: [], logger: Logger(label: "test"))
                }
            }
        }
    }
}
