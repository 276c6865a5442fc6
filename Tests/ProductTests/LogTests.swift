import API
import Foundation
import TestSupport
import Testing

/// `env logs`, over the whole way.
@Suite struct LogTests {
    @Test func thePreviousRunTimesAndLargeLogs() async throws {
        try await Product.with { product in
            let mark = product.folder + "/second"
            let script =
                "echo run of $$; [ -e \(mark) ] || { touch \(mark); echo the reason >&2; sleep 1; exit 3; }; "
                + "exec /usr/bin/python3 \(Product.services)/echo.py"
            let path = try product.blueprint(Blueprints.single("[sh, -c, '\(script)']"))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let before = try await product.mustRun("env", "logs", "solo", "--previous")
            #expect(before.contains("the reason"))
            #expect(before.contains("started, pid"))
            #expect(!before.contains("api listens"))
            let all = try await product.mustRun("env", "logs", "solo", "--timestamps")
            let times = all.split(separator: "\n").map { String($0.prefix(24)) }
            #expect(times.allSatisfy { $0.hasPrefix("20") && $0.hasSuffix("Z") })
            #expect(times == times.sorted())
            #expect(try await product.run("env", "logs", "solo", "--previous", "-f").exitCode == 64)
            // The last two, and nothing of the future, as JSON.
            let last = try await product.mustRun("env", "logs", "solo", "--tail", "2", "-o", "json")
            let lines = try last.split(separator: "\n").map {
                try JSONDecoder().decode(LogLineView.self, from: Data($0.utf8))
            }
            #expect(lines.count == 2)
            #expect(lines.allSatisfy { $0.service == "api" })
            #expect(try await product.mustRun("env", "logs", "solo", "--since", "2100-01-01T00:00:00Z").isEmpty)
        }
    }

    @Test func whatWasStartedOnceHasNoPreviousRun() async throws {
        try await Product.with { product in
            let path = try product.blueprint(
                Blueprints.single("[/usr/bin/python3, \(Product.services)/echo.py]"))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            let none = try await product.run("env", "logs", "solo", "--previous")
            #expect(none.exitCode == 0)
            #expect(none.stdout.isEmpty)
            #expect(none.stderr.contains("there is no previous run of any service in solo"))
        }
    }
}
