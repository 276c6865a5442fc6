import API
import Foundation
import TestSupport
import Testing

/// Commands in services, by the real binary, with and without a real terminal.
@Suite struct ExecTests {
    /// An environment with one service that sleeps, in a folder of its own, with a secret.
    private static func with(_ body: (Product, _ id: String) async throws -> Void) async throws {
        try await Product.with { product in
            let more = """
                    env: { GREETING: hi }
                    secrets: [{ name: password, envKey: PASSWORD, value: geheim }]
                """
            let path = try product.blueprint(
                Blueprints.single("[/usr/bin/python3, \(Product.services)/echo.py]", more: more))
            try await product.mustRun("env", "create", "--file", path, "--wait")
            try await body(product, try await product.environment("solo").id)
        }
    }

    @Test func streamsCodesAndVariablesArePassedOn() async throws {
        try await Self.with { product, id in
            let script = "cat; echo $GREETING $PASSWORD $PORT $MORE; pwd; echo oh >&2; exit 7"
            let run = try await product.run(
                ["env", "exec", "solo", "api", "-e", "MORE=more", "--", "sh", "-c", script], input: "in\n")
            let port = try #require(run.stdout.split(separator: " ").dropFirst(2).first)
            #expect(run.stdout == "in\nhi geheim \(port) more\n\(product.folder)\n")
            #expect(run.stderr == "oh\n")
            #expect(run.exitCode == 7)
            let killed = try await product.run("env", "exec", "solo", "api", "--", "sh", "-c", "kill -9 $$")
            #expect(killed.exitCode == 137)
            let slow = try await product.run(
                "env", "exec", "solo", "api", "--timeout", "300ms", "--", "sleep", "600")
            #expect(slow.exitCode == 75)
            try await eventually("the end of the command") { Self.commands(id, "sleep").isEmpty ? true : nil }
        }
    }

    @Test func whatCannotBeRunIsSaidWithTheWayOut() async throws {
        try await Self.with { product, _ in
            let program = try await product.run("env", "exec", "solo", "api", "--", "no-such-program")
            #expect(program.exitCode == 127)
            #expect(program.stderr.contains("no such program: `no-such-program`"))
            let service = try await product.run("env", "exec", "solo", "apj", "--", "true")
            #expect(service.exitCode == 1)
            #expect(service.stderr.contains("did you mean `api`?"))
            let nothing = try await product.run("env", "exec", "solo", "api")
            #expect(nothing.exitCode == 64)
            #expect(nothing.stderr.contains("-- sh"))
            try await product.mustRun("env", "stop", "solo")
            let stopped = try await product.run("env", "exec", "solo", "api", "--", "true")
            #expect(stopped.exitCode == 1)
            #expect(stopped.stderr.contains("solo is stopped; exec works in: degraded, error, provisioning"))
            #expect(stopped.stderr.contains("microstax env resume solo"))
        }
    }

    @Test func anInheritedServiceIsNamedWithItsEnvironment() async throws {
        try await Product.with { product in
            let base = try product.blueprint(Blueprints.chain())
            try await product.mustRun("baseline", "create", "--file", base, "--wait")
            let change = try product.blueprint(Blueprints.change("back"), named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", change, "--wait")
            let inherited = try await product.run("env", "exec", "feat", "front", "--", "true")
            #expect(inherited.exitCode == 1)
            #expect(inherited.stderr.contains("microstax env exec base front -- …"))
            let own = try await product.mustRun("env", "exec", "feat", "back", "--", "sh", "-c", "echo $VERSION")
            #expect(own == "v2\n")
        }
    }

    /// 20 MB of anything through stdin and back, by hash.
    @Test func largeInputComesBackAsItWas() async throws {
        try await Self.with { product, _ in
            let file = product.folder + "/large"
            let script = """
                head -c 20000000 /dev/urandom > \(file)
                \(Product.executable) env exec solo api -- cat < \(file) | sha256sum
                sha256sum < \(file)
                """
            let outcome = try await Tool.run(
                "/bin/sh", ["-c", script],
                environment: ProcessInfo.processInfo.environment.merging(product.variables) { $1 })
            let hashes = String(decoding: outcome.stdout, as: UTF8.self).split(separator: "\n")
            #expect(hashes.count == 2)
            #expect(Set(hashes).count == 1)
            #expect(String(decoding: outcome.stderr, as: UTF8.self) == "")
        }
    }

    /// `yes` for a reader that does not read: nobody's memory grows, and the end of the reader is the end of `yes`.
    @Test func aReaderThatDoesNotReadMakesNothingGrow() async throws {
        try await Self.with { product, id in
            let fifo = product.folder + "/fifo"
            let script = """
                mkfifo \(fifo)
                \(Product.executable) env exec solo api -- yes > \(fifo) &
                client=$!
                exec 3< \(fifo)
                head -c 1000000 <&3 > \(product.folder)/begun
                i=0; while [ $i -lt 20 ]; do sleep 0.1; i=$((i+1)); done
                grep VmRSS /proc/$client/status > \(product.folder)/client
                touch \(product.folder)/measured
                while [ ! -e \(product.folder)/done ]; do sleep 0.05; done
                exec 3<&-
                wait $client
                """
            async let outcome = Tool.run(
                "/bin/sh", ["-c", script],
                environment: ProcessInfo.processInfo.environment.merging(product.variables) { $1 })
            try await eventually("the measurement", within: .seconds(30)) {
                FileManager.default.fileExists(atPath: product.folder + "/measured") ? true : nil
            }
            #expect(Self.commands(id, "yes").count == 1)
            let server = try product.serverPID()
            for pid in [server] + product.supervisors() {
                #expect(Self.residentKiB("/proc/\(pid)/status") < 150_000, "pid \(pid)")
            }
            #expect(Self.residentKiB(product.folder + "/client") < 150_000)
            try Data().write(to: URL(filePath: product.folder + "/done"))
            let ended = try await outcome
            #expect(ended.exitCode == 141)
            try await eventually("the end of yes") { Self.commands(id, "yes").isEmpty ? true : nil }
        }
    }

    @Test func aKilledServerEndsTheCommandAndIsSaid() async throws {
        try await Self.with { product, id in
            async let outcome = product.run(
                ["env", "exec", "solo", "api", "--", "sh", "-c", "trap '' TERM HUP; sleep 601 & sleep 602"])
            try await eventually("the command") {
                Self.commands(id, "sleep").count == 2 ? true : nil
            }
            kill(try product.serverPID(), SIGKILL)
            let ended = try await outcome
            #expect(ended.exitCode == 69)
            #expect(ended.stderr.contains("the connection to the server"))
            try await eventually("the end of the command") { Self.commands(id, "sleep").isEmpty ? true : nil }
        }
    }

    /// By Python's `pty`: the size of the window and its changes, Ctrl-C, the exit code, and a terminal that is as it was.
    @Test func aTerminalIsATerminal() async throws {
        try await Self.with { product, _ in
            let outcome = try await Tool.run(
                "/usr/bin/env", ["python3", Product.services + "/terminal.py", Product.executable],
                environment: ProcessInfo.processInfo.environment.merging(product.variables) { $1 })
            let said = String(decoding: outcome.stdout, as: UTF8.self)
            #expect(outcome.exitCode == 0, "\(said)\(String(decoding: outcome.stderr, as: UTF8.self))")
            #expect(said.contains("all is well"))
        }
    }

    /// Processes with this name that were started by commands in an environment.
    private static func commands(_ id: String, _ name: String) -> [Int32] {
        // A process that ends while it is looked at is not there.
        let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        return pids.filter { pid in
            guard (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) == name + "\n" else {
                return false
            }
            let own = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
            return ["MSX_EXEC_SESSION=", "MSX_ENV_ID=\(id)\0"].allSatisfy { own.range(of: Data($0.utf8)) != nil }
        }
    }

    private static func residentKiB(_ file: String) -> Int {
        let text = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS") }
        return line?.split(separator: " ").compactMap { Int($0) }.first ?? .max
    }
}
