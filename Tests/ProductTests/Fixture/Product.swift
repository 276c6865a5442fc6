import API
import Foundation
import Synchronization
import TestSupport

/// The built binary with a state folder of its own. Everything that a test made through it is removed at the end, also
/// when the test fails, and nothing may be left: no process, no file.
struct Product: Sendable {
    /// What a command printed and how it ended.
    struct Outcome: Sendable, CustomStringConvertible {
        let arguments: [String]
        let exitCode: Int32
        let stdout: String
        let stderr: String

        var description: String {
            "`microstax \(arguments.joined(separator: " "))` ended with \(exitCode)\n\(stdout)\(stderr)"
        }
    }

    /// Tests run side by side, each with a server that takes ports of its own.
    private static let slots = Mutex(0)

    /// Short, as Unix sockets are below it.
    let home: String
    let ports: String
    /// Where the test's Blueprints are.
    let folder: String

    /// Beside the test bundle, which is this process's own program.
    static let executable: String = {
        // A process can always read the link to its own program.
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (own as NSString).deletingLastPathComponent + "/microstax"
    }()

    static let services = (#filePath as NSString).deletingLastPathComponent + "/../Services"

    private static let turnstile = Turnstile(6)

    static func with<T>(_ body: (Product) async throws -> T) async throws -> T {
        await turnstile.enter()
        let result: Result<T, any Error>
        do { result = .success(try await withOwnFolder(body)) } catch { result = .failure(error) }
        await turnstile.leave()
        return try result.get()
    }

    private static func withOwnFolder<T>(_ body: (Product) async throws -> T) async throws -> T {
        let home = "/tmp/msx-p\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        let slot = slots.withLock { slot in
            slot = (slot + 1) % 120
            return 20000 + slot * 100
        }
        let product = Product(home: home, ports: "\(slot)-\(slot + 99)", folder: home + ".src")
        for path in [product.home, product.folder] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        }
        let result: Result<T, any Error>
        do { result = .success(try await body(product)) } catch { result = .failure(error) }
        let left = try await product.removeEverything()
        // The test's own failure says more than what it left.
        if case .success = result, !left.isEmpty { throw NeverHappened(description: "left behind: \(left)") }
        return try result.get()
    }

    /// What leads a command to this one's server.
    var variables: [String: String] { ["MICROSTAX_HOME": home, "MICROSTAX_PORTS": ports] }

    // MARK: Commands

    /// Runs a command to its end, for at most 90 s.
    func run(
        _ arguments: [String], environment: [String: String] = [:], input: String? = nil
    ) async throws -> Outcome {
        var variables = ProcessInfo.processInfo.environment
        variables.merge(self.variables) { $1 }
        variables["MICROSTAX_API_URL"] = nil
        variables.merge(environment) { $1 }
        let outcome = try await Tool.run(
            Self.executable, arguments, environment: variables, folder: folder, input: input)
        return Outcome(
            arguments: arguments, exitCode: outcome.exitCode, stdout: String(decoding: outcome.stdout, as: UTF8.self),
            stderr: String(decoding: outcome.stderr, as: UTF8.self))
    }

    func run(_ arguments: String...) async throws -> Outcome { try await run(arguments) }

    /// Runs a command that must succeed, and gives what it printed.
    @discardableResult
    func mustRun(_ arguments: String...) async throws -> String {
        let outcome = try await run(arguments)
        guard outcome.exitCode == 0 else { throw NeverHappened(description: "\(outcome)") }
        return outcome.stdout
    }

    func json<T: Decodable>(_ type: T.Type, _ arguments: String...) async throws -> T {
        let outcome = try await run(arguments + ["-o", "json"])
        guard outcome.exitCode == 0 else { throw NeverHappened(description: "\(outcome)") }
        return try JSONDecoder().decode(type, from: Data(outcome.stdout.utf8))
    }

    func environment(_ name: String) async throws -> EnvironmentView {
        try await json(EnvironmentView.self, "env", "get", name)
    }

    /// Writes a Blueprint and gives its path.
    func blueprint(_ text: String, named name: String = "blueprint.yaml") throws -> String {
        let path = "\(folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    // MARK: Processes

    /// The recorded pid of the server.
    func serverPID() throws -> Int32 { try pid(in: home + "/server.json") }
    func gatewayPID() throws -> Int32 { try pid(in: home + "/gateway/process.json") }

    private func pid(in file: String) throws -> Int32 {
        struct Recorded: Decodable { let pid: Int32 }
        return try JSONDecoder().decode(Recorded.self, from: Data(contentsOf: URL(filePath: file))).pid
    }

    /// Every process that has this state folder in its command line or its environment.
    func processes() -> [Int32] {
        // A process that ends while it is looked at is not there.
        let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        return pids.filter { pid in
            guard pid != getpid() else { return false }
            return ["cmdline", "environ"].contains { file in
                FileManager.default.contents(atPath: "/proc/\(pid)/\(file)")?.range(of: Data((home + "/").utf8)) != nil
                    || FileManager.default.contents(atPath: "/proc/\(pid)/\(file)")?
                        .range(of: Data("MICROSTAX_HOME=\(home)\0".utf8)) != nil
            }
        }
    }

    /// The process of every running instance of an environment, found by its mark.
    func pids(of name: String) async throws -> [String: Int32] {
        let id = try await environment(name).id
        let all = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }
        var pids: [String: Int32] = [:]
        for pid in all {
            // A process that ends while it is looked at is not there.
            let environ = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
            let mark = String(decoding: environ, as: UTF8.self).split(separator: "\0").first {
                $0.hasPrefix("MSX_MARK=")
            }
            let parts = mark?.split(separator: "/") ?? []
            if parts.count == 5, parts[1] == id, parts[4] == "main" { pids[String(parts[2])] = pid }
        }
        return pids
    }

    func supervisors() -> [Int32] {
        processes().filter { pid in
            let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return line.range(of: Data("\0supervise\0".utf8)) != nil
        }
    }

    /// - Returns: what is left although everything was deleted.
    private func removeEverything() async throws -> [String] {
        var left: [String] = []
        // Overlays first, as often as lineages are deep.
        for _ in 0..<4 {
            let environments = (try? await json([EnvironmentView].self, "env", "list")) ?? []
            guard !environments.isEmpty else { break }
            for environment in environments { _ = try await run("env", "delete", environment.name) }
        }
        left += ((try? FileManager.default.contentsOfDirectory(atPath: home + "/environments")) ?? []).map {
            "folder \($0)"
        }
        _ = try await run("serve", "--stop")
        var pids = processes()
        let deadline = ContinuousClock.now + .seconds(10)
        while !pids.isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
            pids = processes()
        }
        for pid in pids {
            let name = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline").map {
                String(decoding: $0, as: UTF8.self)
            }
            left.append("process \(pid) \(name?.replacing("\0", with: " ") ?? "")")
            kill(pid, SIGKILL)
        }
        // A leftover in /tmp fails nothing.
        for path in [home, folder] { try? FileManager.default.removeItem(atPath: path) }
        return left
    }
}
