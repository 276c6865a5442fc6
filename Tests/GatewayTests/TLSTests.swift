import Certificates
import EnvironmentGraph
import Foundation
import TestSupport
import Testing

@testable import Gateway

/// TLS at the shared edge port, with the clients that people use.
@Suite(.serialized) struct TLSTests {
    private static let host = "payments.shop.localhost"

    /// One service behind the edge, whose certificates the local authority signs.
    private func withEdge(
        limits: GatewayLimits = GatewayLimits(), script: @escaping Origin.Script = Origin.echo,
        _ body: (GatewayFixture, _ authority: String, Origin) async throws -> Void
    ) async throws {
        let origin = try Origin("payments@shop", script: script)
        defer { origin.stop() }
        let shop = Shop(["payments@shop": origin.port])
        try await withTemporaryFolder { folder in
            try await GatewayFixture.with(shop.table, limits: limits, tls: .localAuthority(folder: folder)) { gateway in
                _ = try LocalAuthority.loadOrMake(folder: folder, owner: "test", now: Date())
                try await body(gateway, LocalAuthority.certificatePath(inFolder: folder), origin)
            }
        }
    }

    private func curl(_ arguments: [String]) async throws -> (status: Int32, text: String) {
        let outcome = try await Tool.run("/usr/bin/curl", ["-sS", "-m", "20"] + arguments)
        return (outcome.exitCode, String(decoding: outcome.stdout + outcome.stderr, as: UTF8.self))
    }

    private func openssl(_ arguments: [String], input: String = "") async throws -> (status: Int32, text: String) {
        let outcome = try await Tool.run("/usr/bin/openssl", arguments, input: input)
        return (outcome.exitCode, String(decoding: outcome.stdout + outcome.stderr, as: UTF8.self))
    }

    @Test func onePortAnswersBoth() async throws {
        try await withEdge { gateway, authority, origin in
            let secure = try await curl([
                "-i", "--cacert", authority, "https://\(Self.host):\(gateway.edgePort)/a",
                "https://\(Self.host):\(gateway.edgePort)/b",
            ])
            #expect(secure.status == 0, "\(secure.text)")
            #expect(secure.text.contains("x-msx-provider: payments@shop#r12"))
            #expect(secure.text.contains("x-forwarded-proto: https\r\n"))
            let plain = try await curl(["-i", "http://\(Self.host):\(gateway.edgePort)/c"])
            #expect(plain.text.contains("x-forwarded-proto: http\r\n"), "\(plain.text)")
            // Somebody who trusts nobody.
            let stranger = try await curl(["https://\(Self.host):\(gateway.edgePort)/"])
            #expect(stranger.status == 60, "\(stranger.text)")
            for address in ["127.0.0.1", "localhost"] {
                let unnamed = try await curl(["-i", "--cacert", authority, "https://\(address):\(gateway.edgePort)/"])
                #expect(unnamed.text.contains("x-msx-error: unknown_host"), "\(unnamed.text)")
            }
            #expect(origin.requests.count == 3)
            let handshakes = await gateway.plane.counts().handshakes
            #expect(handshakes?.completed == 3)
            #expect(handshakes?.failed == 1)
        }
    }

    @Test func foreignNamesAreRefusedInTheHandshake() async throws {
        try await withEdge { gateway, authority, origin in
            let port = gateway.edgePort
            let foreign = try await curl([
                "--cacert", authority, "--resolve", "example.com:\(port):127.0.0.1", "https://example.com:\(port)/",
            ])
            #expect(foreign.status == 35, "\(foreign.text)")
            #expect(foreign.text.contains("unrecognized name"), "\(foreign.text)")
            #expect(origin.requests.isEmpty)
            let handshakes = await gateway.plane.counts().handshakes
            #expect(handshakes == HandshakeCounts(completed: 0, failed: 1))
        }
    }

    @Test(arguments: [("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)])
    func versions(_ version: String, _ isSpoken: Bool) async throws {
        try await withEdge { gateway, authority, _ in
            let outcome = try await openssl(
                [
                    "s_client", version, "-cipher", "DEFAULT:@SECLEVEL=0", "-connect", "127.0.0.1:\(gateway.edgePort)",
                    "-servername", Self.host, "-verify_return_error", "-verify_hostname", Self.host, "-CAfile",
                    authority,
                    "-alpn", "http/1.1", "-ign_eof",
                ], input: "GET / HTTP/1.1\r\nhost: \(Self.host)\r\nconnection: close\r\n\r\n")
            #expect((outcome.status == 0) == isSpoken, "\(outcome.text)")
            #expect(outcome.text.contains("HTTP/1.1 200 OK") == isSpoken, "\(outcome.text)")
            if isSpoken {
                #expect(outcome.text.contains("Verify return code: 0 (ok)"))
                #expect(outcome.text.contains("ALPN protocol: http/1.1"))
            }
        }
    }

    /// Python's `ssl` reads strictly: an end without close_notify would be an error.
    @Test func connectionsAreKeptAndEnded() async throws {
        try await withEdge { gateway, authority, origin in
            let program = """
                import socket, ssl, sys
                context = ssl.create_default_context(cafile=sys.argv[1])
                with context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[2]))),
                                         server_hostname=sys.argv[3], suppress_ragged_eofs=False) as client:
                    client.settimeout(10)
                    head = b"GET /%d HTTP/1.1\\r\\nhost: " + sys.argv[3].encode() + b"\\r\\n"
                    for number in range(50):
                        client.sendall(head % number + b"\\r\\n")
                        answer = b""
                        while b"x-forwarded-host" not in answer: answer += client.recv(65536)
                    # Twenty at once, in one record; the last one ends the connection.
                    client.sendall(b"".join(head % n + b"\\r\\n" for n in range(20)) + head % 99 + b"connection: close\\r\\n\\r\\n")
                    answer = b""
                    while chunk := client.recv(65536): answer += chunk
                    print(answer.count(b"HTTP/1.1 200 OK"), client.version())
                """
            let outcome = try await Tool.run(
                "/usr/bin/python3", ["-c", program, authority, "\(gateway.edgePort)", Self.host])
            #expect(String(decoding: outcome.stdout, as: UTF8.self) == "21 TLSv1.3\n", "\(outcome)")
            #expect(origin.requests.count == 71)
            #expect(origin.connections == 1)
        }
    }

    @Test func muchPassesBothWays() async throws {
        let size = 64 << 20
        try await withEdge(script: { socket, origin in
            guard let head = socket.receive(until: "\r\n\r\n") else { return }
            origin.record(head)
            var seen = 0
            while seen < size {
                let chunk = socket.receive(1 << 20)
                guard !chunk.isEmpty else { return }
                seen += chunk.count
            }
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(size)\r\n\r\n")
            let block = (0..<65536).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            for _ in 0..<(size / block.count) { try socket.send(block) }
        }) { gateway, authority, origin in
            try await withTemporaryFolder { files in
                try Data().write(to: URL(filePath: files + "/up"))
                truncate(files + "/up", size)
                let outcome = try await curl([
                    "--cacert", authority, "-T", files + "/up", "-o", files + "/down", "-H", "expect:",
                    "https://\(Self.host):\(gateway.edgePort)/",
                ])
                #expect(outcome.status == 0, "\(outcome.text)")
                let down = try Data(contentsOf: URL(filePath: files + "/down"), options: .alwaysMapped)
                #expect(down.count == size)
                #expect(down[65536 * 700 + 77] == UInt8(truncatingIfNeeded: 77 &* 31))
            }
        }
    }

    @Test func handshakesThatHangOrAreNone() async throws {
        var limits = GatewayLimits()
        limits.handshakeTimeout = .milliseconds(300)
        try await withEdge(limits: limits) { gateway, _, origin in
            let port = gateway.edgePort
            let hello: [UInt8] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC]
            for start in [Array(hello.prefix(1)), hello, hello + Array(repeating: 7, count: 508)] {
                let isClosed = try await onThread {
                    let socket = try RawSocket.connect(port)
                    try socket.send(start)
                    return socket.receiveAll().utf8.count < 64
                }
                #expect(isClosed)
            }
            // One that goes away in the middle, and one that sends an HTTP request after all.
            try await onThread {
                try RawSocket.connect(port).send(hello)
                let socket = try RawSocket.connect(port)
                try socket.send([0x16] + Array("GET / HTTP/1.1\r\nhost: \(Self.host)\r\n\r\n".utf8))
                #expect(!socket.receiveAll().contains("HTTP/1.1"))
            }
            try await eventually("every failure is counted") { () -> Bool? in
                await gateway.plane.counts().handshakes?.failed == 5 ? true : nil
            }
            #expect(origin.requests.isEmpty)
            #expect(try await gateway.get(port, host: Self.host).status == 200)
        }
    }

    /// An answer that the service breaks off must not look like one that ended.
    @Test func whatIsBrokenOffIsSeenToBe() async throws {
        try await withEdge(script: { socket, _ in
            _ = Origin.readRequest(socket)
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
        }) { gateway, authority, _ in
            let outcome = try await curl(["--cacert", authority, "https://\(Self.host):\(gateway.edgePort)/"])
            #expect([18, 55, 56, 92].contains(outcome.status), "\(outcome)")
        }
    }

    /// A key that is stolen speaks for this machine's own names, and for nobody else.
    @Test func theAuthorityIsConstrained() async throws {
        try await withTemporaryFolder { folder in
            _ = try LocalAuthority.loadOrMake(folder: folder, owner: "test", now: Date())
            let authority = LocalAuthority.certificatePath(inFolder: folder)
            for (name, isFine) in [
                ("DNS:shop.localhost", true), ("DNS:example.com", false), ("IP:10.0.0.1", false),
                ("IP:127.0.0.9", true),
            ] {
                let leaf = folder + "/leaf.pem"
                try Data("subjectAltName=\(name)\n".utf8).write(to: URL(filePath: folder + "/ext"))
                let request = try await openssl([
                    "req", "-newkey", "rsa:2048", "-nodes", "-keyout", folder + "/leaf.key", "-subj", "/O=x", "-out",
                    folder + "/leaf.csr",
                ])
                #expect(request.status == 0, "\(request.text)")
                let signed = try await openssl([
                    "x509", "-req", "-in", folder + "/leaf.csr", "-CA", authority, "-CAkey",
                    LocalAuthority.keyPath(inFolder: folder), "-CAcreateserial", "-days", "2", "-extfile",
                    folder + "/ext",
                    "-out", leaf,
                ])
                #expect(signed.status == 0, "\(signed.text)")
                let verified = try await openssl(["verify", "-CAfile", authority, leaf])
                #expect((verified.status == 0) == isFine, "\(name): \(verified.text)")
                if !isFine { #expect(verified.text.contains("permitted subtree violation")) }
            }
        }
    }
}
