import API
import Foundation
import TestSupport
import Testing

/// What goes wrong is said, with its reason and the next command to type.
@Suite struct BadInputTests {
    private let echo = "[/usr/bin/python3, \(Product.services)/echo.py]"

    @Test func aServiceThatExitsAtOnceIsAnErrorWithItsLastLines() async throws {
        try await Product.with { product in
            let path = try product.blueprint(Blueprints.single("[sh, -c, 'echo no such table: users >&2; exit 3']"))
            let outcome = try await product.run("env", "create", "--file", path, "--wait")
            #expect(outcome.exitCode == 1)
            #expect(outcome.stderr.contains("no such table: users"))
            #expect(outcome.stderr.contains("3"))
            let environment = try await product.environment("solo")
            #expect(environment.state == "error")
            #expect(environment.message?.contains("no such table: users") == true)
        }
    }

    @Test func aMissingBinaryIsNamed() async throws {
        try await Product.with { product in
            let path = try product.blueprint(Blueprints.single("[no-such-program]"))
            let outcome = try await product.run("env", "create", "--file", path, "--wait")
            #expect(outcome.exitCode == 1)
            #expect(outcome.stderr.contains("no such program: `no-such-program`"))
        }
    }

    @Test func aPortInUseIsNamed() async throws {
        try await Product.with { product in
            let first = try product.blueprint(Blueprints.single(echo, name: "first", more: "    expose: true"))
            try await product.mustRun("env", "create", "--file", first, "--wait")
            // The gateway's own address for the first one is surely taken.
            let url = try #require(try await product.environment("first").endpoints.first?.url)
            let port = try #require(URL(string: url)?.port)
            let text = """
                name: second
                services:
                  - name: api
                    command: \(echo)
                    ports: [{ name: http, hostPort: \(port) }]
                """
            let outcome = try await product.run("env", "create", "--file", try product.blueprint(text), "--wait")
            #expect(outcome.exitCode == 1)
            #expect(outcome.stderr.contains("\(port)"))
        }
    }

    @Test func aProbeThatNeverPassesFailsAfterItsLimitWithItsLastAnswer() async throws {
        try await Product.with { product in
            let more = """
                    env: { STATUS: "503" }
                    probes: { readiness: { http: { path: /health }, periodSeconds: 0.2, failureThreshold: 5 } }
                """
            let path = try product.blueprint(Blueprints.single(echo, more: more))
            let outcome = try await product.run("env", "create", "--file", path, "--wait")
            #expect(outcome.exitCode == 1)
            #expect(outcome.stderr.contains("503"))
            #expect(outcome.stderr.contains("/health"))
        }
    }

    @Test func everyProblemOfABlueprintIsSaidAtItsPlace() async throws {
        try await Product.with { product in
            let text = """
                name: shop
                services:
                  - name: api
                    comand: [run]
                    env: { URL: "${services.dbx.url}" }
                  - name: db
                    command: [run]
                    data: branch
                """
            let path = try product.blueprint(text)
            let outcome = try await product.run("env", "create", "--file", path)
            #expect(outcome.exitCode == 65)
            #expect(outcome.stderr.contains("blueprint.yaml:4:5: error: "))
            #expect(outcome.stderr.contains("command"))
            #expect(outcome.stderr.contains("not_supported_yet"))
        }
    }

    @Test func aBaselineThatDoesNotExistIsSaidWithThoseThatDo() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let overlay = try product.blueprint(Blueprints.change("back"), named: "feat.yaml")
            let outcome = try await product.run("overlay", "create", "--baseline", "bsae", "--file", overlay)
            #expect(outcome.exitCode != 0)
            #expect(outcome.stderr.contains("there is no baseline 'bsae'"))
            #expect(outcome.stderr.contains("base"))
        }
    }

    @Test(arguments: ["my env", String(repeating: "x", count: 300), "магазин", "a--b", "UPPER"])
    func aNameThatIsNoneIsRefused(_ name: String) async throws {
        try await Product.with { product in
            let path = try product.blueprint(Blueprints.single("[run]", name: "\"\(name)\""))
            let outcome = try await product.run("env", "create", "--file", path)
            #expect(outcome.exitCode == 65)
            #expect(outcome.stderr.contains(":1:7: error: "))
            let get = try await product.run("env", "get", name)
            #expect(get.exitCode != 0)
            #expect(get.stderr.contains("there is no environment"))
        }
    }

    @Test func aStateFolderThatCannotBeWrittenIsSaidWithAWayOut() async throws {
        try await Product.with { product in
            let file = try product.blueprint("x", named: "a-file")
            let outcome = try await product.run(["env", "list"], environment: ["MICROSTAX_HOME": file + "/state"])
            #expect(outcome.exitCode == 69)
            #expect(outcome.stderr.contains("cannot make the state folder"))
            #expect(outcome.stderr.contains("MICROSTAX_HOME"))
        }
    }

    @Test func anOverlayOnAnUnhealthyBaselineNeedsAWord() async throws {
        try await Product.with { product in
            let base = try product.blueprint(Blueprints.chain())
            try await product.mustRun("baseline", "create", "--file", base, "--wait")
            // Liveness is not asked for, so a service that stays away must be one that cannot start again.
            let broken = try product.blueprint(
                Blueprints.single("[sh, -c, 'exit 1']", name: "broken"), named: "broken.yaml")
            _ = try await product.run("baseline", "create", "--file", broken, "--wait")
            let overlay = try product.blueprint(
                "name: feat\nservices:\n  - name: api\n    command: \(echo)\n", named: "feat.yaml")
            let refused = try await product.run("overlay", "create", "--baseline", "broken", "--file", overlay)
            #expect(refused.exitCode != 0)
            #expect(refused.stderr.contains("--allow unhealthy-parent"))
            try await product.mustRun(
                "overlay", "create", "--baseline", "broken", "--file", overlay, "--allow", "unhealthy-parent", "--wait")
        }
    }

    @Test func aMalformedRequestIsRefusedByTheServer() async throws {
        try await Product.with { product in
            try await product.mustRun("env", "list")
            let script = """
                import socket, sys
                s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
                s.sendall(sys.argv[2].encode().decode('unicode_escape').encode('latin-1')); s.shutdown(1)
                print(s.recv(65536).decode().splitlines()[0])
                """
            let file = try product.blueprint(script, named: "send.py")
            for (bytes, status) in [
                ("GARBAGE\\r\\n\\r\\n", "400"),
                ("POST /v1/environments HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: 3\\r\\n\\r\\n{,}", "400"),
                ("GET /v1/nothing HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n", "404"),
                ("PUT /v1/health HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n", "405"),
            ] {
                let outcome = try await Tool.run(
                    "/usr/bin/python3", [file, product.home + "/server.sock", bytes])
                let line = String(decoding: outcome.stdout, as: UTF8.self)
                #expect(line.contains(status), "\(bytes) → \(line)")
            }
        }
    }
}
