import CPlatform
import EnvironmentGraph
import Files
import Foundation
import Glibc
import Runtimes

/// Finds the supervisor of an environment, or starts one.
struct SupervisorFinder: Sendable {
    /// Program and first words of the command that runs ``SupervisorProcess``.
    let command: [String]
    let logs: LogSettings
    let gate = KeyedGate<EnvironmentID>()

    /// How long a new supervisor may take to be there.
    static let startLimit: Duration = .seconds(15)

    /// The one that lives, by pid and start time; `nil` where none does.
    func living(_ folder: EnvironmentFolder) -> SupervisorRecord? {
        guard let record = SupervisorRecord.load(folder.record), record.isAlive else { return nil }
        return record
    }

    /// Concurrent callers start one. Without `creating`, nothing is made for an environment that is not there: it may
    /// just have been deleted.
    func livingOrStarted(_ folder: EnvironmentFolder, creating: Bool) async throws -> SupervisorRecord {
        if let record = living(folder) { return record }
        return try await gate.with(folder.environment) {
            if let record = living(folder) { return record }
            guard creating || folder.exists else {
                throw RuntimeError(.notFound, "there is no environment \(folder.environment)")
            }
            return try await start(folder)
        }
    }

    private func start(_ folder: EnvironmentFolder) async throws -> SupervisorRecord {
        try folder.create()
        let deadline = ContinuousClock.now + Self.startLimit
        while true {
            let answer = try await launch(folder)
            switch answer {
            case "ready":
                if let record = living(folder) { return record }
            case "held":
                // Another one is just starting or ending; its record tells soon, or its lock is free soon.
                if let record = living(folder) { return record }
            default:
                let reason = answer.hasPrefix("error ") ? String(answer.dropFirst(6)) : "it said nothing"
                throw RuntimeError(
                    .unavailable, "the supervisor of \(folder.environment) did not start: \(reason)",
                    hint: "cat \(folder.supervisorLog)")
            }
            guard ContinuousClock.now < deadline else {
                throw RuntimeError(
                    .unavailable, "the supervisor of \(folder.environment) holds its lock and cannot be reached",
                    hint: "cat \(folder.record)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Starts one, detached, and gives what it said.
    private func launch(_ folder: EnvironmentFolder) async throws -> String {
        let log = open(folder.supervisorLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard log >= 0 else { throw SmallFile.failure("write", folder.supervisorLog) }
        defer { close(log) }
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(input) }
        var ends: [Int32] = [-1, -1]
        guard msx_output_pipe(&ends) == 0 else { throw SmallFile.failure("make a pipe for", folder.path) }
        defer { close(ends[0]) }
        do {
            defer { close(ends[1]) }
            try spawn(folder, input: input, log: log, ready: ends[1])
        }
        CrashPoint.pass("after a supervisor was started")
        return try await answer(from: ends[0])
    }

    private func spawn(_ folder: EnvironmentFolder, input: Int32, log: Int32, ready: Int32) throws {
        let words = command + SupervisorProcess.Arguments(folder: folder.path, logs: logs).words
        let spawn = Spawn(
            program: command[0], arguments: words, environment: Self.environment(folder), workdir: "/", account: nil,
            input: input, output: log, error: log, extra: ready, isDetached: true)
        do {
            _ = try spawn.start()
        } catch {
            throw RuntimeError(.unavailable, "cannot start the supervisor \(command[0]): \(error)")
        }
    }

    /// What a supervisor knows of its server's environment; its services see even less.
    private static func environment(_ folder: EnvironmentFolder) -> [String: String] {
        var kept = ProcessInfo.processInfo.environment.filter { name, _ in
            ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"].contains(name)
                || name == CrashPoint.variable || name.hasPrefix("LC_") || name.hasPrefix("LD_LIBRARY_PATH")
        }
        kept[ProcessMark.supervisorVariable] = ProcessMark(folder: folder).supervisorValue
        return kept
    }

    /// The first line that comes through the pipe; empty when the other end is gone without a word.
    private func answer(from descriptor: Int32) async throws -> String {
        let deadline = ContinuousClock.now + Self.startLimit
        var line: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < deadline {
            let count = read(descriptor, &block, block.count)
            if count > 0 { line.append(contentsOf: block[..<count]) }
            if count == 0 || line.contains(UInt8(ascii: "\n")) { break }
            if count < 0, errno != EAGAIN, errno != EINTR { break }
            if count < 0 { try await Task.sleep(for: .milliseconds(2)) }
        }
        return String(decoding: line.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
