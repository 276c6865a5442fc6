import API
import Foundation
import TestSupport
import Testing

/// The API as another program uses it: over the owner's socket, and over TCP with a token.
@Suite struct APITests {
    private func curl(_ arguments: [String]) async throws -> (status: Int, body: Data) {
        let all = ["curl", "-s", "--max-time", "20", "-w", "\n%{http_code}"] + arguments
        let text = String(decoding: try await Tool.run("/usr/bin/env", all).stdout, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return (Int(lines.last ?? "") ?? 0, Data(lines.dropLast().joined(separator: "\n").utf8))
    }

    private func onSocket(_ product: Product, _ arguments: String...) async throws -> (status: Int, body: Data) {
        try await curl(["--unix-socket", product.home + "/server.sock"] + arguments)
    }

    private func creation(_ product: Product, _ name: String) throws -> String {
        let blueprint = Blueprints.single("[/usr/bin/python3, \(Product.services)/echo.py]", name: name)
        let request = CreateRequest(blueprint: blueprint, file: "x.yaml", folder: product.folder)
        let path = product.folder + "/\(name).json"
        try JSONEncoder().encode(request).write(to: URL(filePath: path))
        return path
    }

    @Test func aRepeatedPostWithTheSameKeyIsOnePost() async throws {
        try await Product.with { product in
            try await product.mustRun("env", "list")
            let body = try creation(product, "once")
            func post(_ body: String) async throws -> (status: Int, body: Data) {
                try await onSocket(
                    product, "-H", "idempotency-key: k1", "-d", "@\(body)", "http://x/v1/environments")
            }
            let first = try await post(body)
            let second = try await post(body)
            #expect(first.status == 202)
            #expect(second.status == 202)
            #expect(first.body == second.body)
            let other = try await post(try creation(product, "other"))
            #expect(other.status == 409)
            let failure = try JSONDecoder().decode(Failure.self, from: other.body)
            #expect(failure.error.code == "idempotency_key_reused")
            #expect(try await product.json([EnvironmentView].self, "env", "list").map(\.name) == ["once"])
            try await product.mustRun("env", "wait", "once")
        }
    }

    @Test func aWrongBodyNamesWhatItLacks() async throws {
        try await Product.with { product in
            try await product.mustRun("env", "list")
            let reply = try await onSocket(product, "-d", "{}", "http://x/v1/environments")
            #expect(reply.status == 400)
            let failure = try JSONDecoder().decode(Failure.self, from: reply.body)
            #expect(failure.error.message.contains("blueprint") || failure.error.message.contains("lacks"))
            #expect(failure.meta.requestId.hasPrefix("req_"))
        }
    }

    @Test func whatIsNotQuiteADryRunIsRefused() async throws {
        try await Product.with { product in
            let path = try product.blueprint(Blueprints.single("[sleep, \"600\"]"))
            try await product.mustRun("env", "create", "--file", path, "--no-wait")
            for query in ["dryRun=TRUE", "dryRun=1", "dryrun=true"] {
                let reply = try await onSocket(product, "-X", "DELETE", "http://x/v1/environments/solo?\(query)")
                #expect(reply.status == 400, "\(query)")
            }
            let body = #"{"blueprint": "name: other", "dry_run": true}"#
            let reply = try await onSocket(product, "-d", body, "http://x/v1/environments")
            #expect(reply.status == 400)
            #expect(String(decoding: reply.body, as: UTF8.self).contains("dry_run"))
            #expect(try await product.json([EnvironmentView].self, "env", "list").map(\.name) == ["solo"])
        }
    }

    @Test func aBlueprintAloneIsABody() async throws {
        try await Product.with { product in
            try await product.mustRun("env", "list")
            let body = #"{"blueprint": "name: mini\nservices: [{name: api, command: [sleep, '600']}]"}"#
            let reply = try await onSocket(product, "-d", body, "http://x/v1/environments")
            #expect(reply.status == 202, "\(String(decoding: reply.body, as: UTF8.self))")
            #expect(try await onSocket(product, "http://x/v1/openapi.json").status == 501)
        }
    }

    @Test func tcpNeedsTheToken() async throws {
        try await Product.with { product in
            let token = "msx_0123456789abcdef0123"
            let environment = ["MICROSTAX_API_KEY": token]
            let short = try await product.run(
                ["serve", "--listen", "127.0.0.1:0"], environment: ["MICROSTAX_API_KEY": "x"])
            #expect(short.exitCode == 64)
            // Port 0 would hide which one was taken, so one is chosen below the kernel's own range.
            let port = Int.random(in: 12000...19000)
            let started = try await product.run(
                ["serve", "--detach", "--listen", "127.0.0.1:\(port)"], environment: environment)
            #expect(started.exitCode == 0, "\(started)")
            let url = "http://127.0.0.1:\(port)/v1/environments"
            #expect(try await curl([url]).status == 401)
            #expect(try await curl(["-H", "authorization: Bearer msx_wrong", url]).status == 401)
            #expect(try await curl(["-H", "authorization: Bearer \(token)", url]).status == 200)
            let listed = try await product.run(
                ["env", "list"],
                environment: environment.merging(["MICROSTAX_API_URL": "http://127.0.0.1:\(port)"]) { $1 })
            #expect(listed.exitCode == 0, "\(listed)")
        }
    }

    @Test func eventsBeginWithThePresentStateAndEndWithTheDeletion() async throws {
        try await Product.with { product in
            let path = try product.blueprint(Blueprints.single("[/usr/bin/python3, \(Product.services)/echo.py]"))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let file = product.folder + "/events"
            async let events = onSocket(product, "-N", "-o", file, "http://x/v1/environments/solo/events")
            try await eventually("the first event") {
                FileManager.default.contents(atPath: file)?.isEmpty == false ? true : nil
            }
            try await product.mustRun("env", "delete", "solo")
            #expect(try await events.status == 200)
            let body = try String(contentsOfFile: file, encoding: .utf8)
            let states = try body.split(separator: "\n")
                .filter { $0.hasPrefix("data:") }
                .map { try JSONDecoder().decode(EventView.self, from: Data($0.dropFirst(5).utf8)).environment.state }
            #expect(states.last == "deleted")
            #expect(states.contains("deleting"))
        }
    }

    @Test func logsAreGivenSinceATime() async throws {
        try await Product.with { product in
            let path = try product.blueprint(Blueprints.single("[/usr/bin/python3, \(Product.services)/echo.py]"))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let url = "http://x/v1/environments/solo/logs"
            let all = try await onSocket(product, url + "?since=2000-01-01T00:00:00Z")
            #expect(String(decoding: all.body, as: UTF8.self).contains("api listens"))
            let none = try await onSocket(product, url + "?since=2999-01-01T00:00:00.5Z")
            #expect(none.status == 200)
            #expect(none.body.isEmpty)
            #expect(try await onSocket(product, url + "?since=yesterday").status == 400)
        }
    }

    @Test func secretsAreNowhereInTheStateFolder() async throws {
        try await Product.with { product in
            let secret = """
                    env: { VERSION: "${secrets.token}" }
                    secrets: [{ name: token, envKey: TOKEN, value: { fromEnv: MY_TOKEN } }, { name: other, envKey: OTHER, value: literal-marzipan }]
                    expose: true
                """
            let path = try product.blueprint(
                Blueprints.single("[/usr/bin/python3, \(Product.services)/echo.py]", more: secret))
            let created = try await product.run(
                ["env", "create", "--file", path, "--wait"], environment: ["MY_TOKEN": "value-nougat"])
            #expect(created.exitCode == 0, "\(created)")
            let url = try #require(try await product.environment("solo").endpoints.first?.url)
            #expect(try await Answer.get(url).answer.version == "value-nougat")
            let files = try #require(FileManager.default.enumerator(atPath: product.home))
            var seen = 0
            for case let name as String in files {
                guard let bytes = FileManager.default.contents(atPath: product.home + "/" + name) else { continue }
                seen += 1
                for word in ["literal-marzipan", "value-nougat"] {
                    #expect(bytes.range(of: Data(word.utf8)) == nil, "\(word) is in \(name)")
                }
            }
            #expect(seen > 5)
        }
    }
}
