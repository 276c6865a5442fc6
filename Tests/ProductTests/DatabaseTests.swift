import API
import Foundation
import TestSupport
import Testing

/// Initialising a real PostgreSQL, and the example on real programs.
@Suite struct DatabaseTests {
    private func database(script: String) -> String {
        """
        name: data
        services:
          - name: db
            user: postgres
            workdir: /
            command: [sh, -euc]
            args:
              - |
                for bin in /usr/lib/postgresql/*/bin; do PATH="$bin:$PATH"; done
                [ -d "$VOLUME_DATA/main" ] || initdb -D "$VOLUME_DATA/main" -U postgres -A trust >/dev/null
                exec postgres -D "$VOLUME_DATA/main" -p "$PORT" -h 127.0.0.1 -c unix_socket_directories= -c fsync=off
            ports: [{ name: postgres, protocol: tcp }]
            volumes: [{ name: data, mountPath: /data }]
            probes: { startup: { log: { pattern: ready to accept connections } } }
            init: { type: sql, script: \(script) }
            stopSignal: SIGINT
        """
    }

    @Test func aWrongStatementIsNamedWithItsFileAndLine() async throws {
        try await Product.with { product in
            _ = try product.blueprint(
                "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nCREAT TABLE b ();\n", named: "bad.sql")
            let path = try product.blueprint(database(script: "bad.sql"))
            let outcome = try await product.run("env", "create", "--file", path, "--wait")
            #expect(outcome.exitCode == 1)
            #expect(outcome.stderr.contains("bad.sql:3: ERROR:"), "\(outcome)")
            #expect(outcome.stderr.contains("CREAT"))
        }
    }

    @Test func aScriptThatIsNotThereIsSaidBeforeAnythingStarts() async throws {
        try await Product.with { product in
            let path = try product.blueprint(database(script: "nowhere.sql"))
            let outcome = try await product.run("env", "create", "--file", path, "--wait")
            #expect(outcome.exitCode == 65)
            #expect(outcome.stderr.contains("nowhere.sql"))
            #expect(try await product.json([EnvironmentView].self, "env", "list").isEmpty)
        }
    }

    @Test func theShopDiffersOnlyWherePaymentsAnswers() async throws {
        let example = ((#filePath as NSString).deletingLastPathComponent as NSString)
            .appendingPathComponent("../../examples/shop")
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", example + "/baseline.yaml", "--wait")
            try await product.mustRun(
                "overlay", "create", "--baseline", "shop", "--file", example + "/overlay.yaml", "--wait")
            let url = try #require(try await product.environment("shop").endpoints.first?.url) + "checkout?order=1"
            let before = try await Answer.get(url)
            let after = try await Answer.get(url, ["x-msx-env": "feat-refunds"])
            func lines(_ reply: Answer.Reply) -> [Substring] {
                String(decoding: reply.body, as: UTF8.self).split(separator: "\n")
            }
            let changed = zip(lines(before), lines(after)).filter { $0 != $1 }.map { $0.1 }
            #expect(changed.count == 1)
            #expect(changed.first?.contains("payments") == true)
            #expect(changed.first?.contains("v2") == true)
            #expect(lines(before).contains { $0.contains("Ada") })
            let calls = try await product.onlyCalls("feat-refunds")
            #expect(calls.contains("payments answered by feat-refunds"))
            #expect(calls.contains("orders answered by shop"))
        }
    }
}

extension Product {
    /// The services that were called in an overlay's context, with who answered.
    fileprivate func onlyCalls(_ name: String) async throws -> Set<String> {
        let output = try await Tool.run(
            "/usr/bin/env",
            ["curl", "-s", "--unix-socket", home + "/server.sock", "http://x/v1/environments/\(name)/calls"])
        let calls = try JSONDecoder().decode(Reply<[CallView]>.self, from: output.stdout).data
        return Set(calls.filter { $0.context == name }.map { "\($0.service) answered by \($0.provider ?? "nobody")" })
    }
}
