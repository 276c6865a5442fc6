import CPlatform
import EnvironmentGraph
import Foundation
import Glibc
import HTTPTransport
import Runtimes

/// The process that `microstax supervise` is: one per environment, detached from the server, alive as long as the
/// environment has services.
package enum SupervisorProcess {
    /// How long it stays with nothing to do and nobody watching.
    static let idleLimit: Duration = .seconds(5)
    /// Descriptor 3: where it tells the one who started it how that went, in one line.
    private static let readyDescriptor: Int32 = 3

    /// What a supervisor is told at its start.
    package struct Arguments: Sendable, Hashable {
        package var folder: String
        package var logs: LogSettings

        package init(folder: String, logs: LogSettings = LogSettings()) {
            self.folder = folder
            self.logs = logs
        }

        /// As the command line has them after the command's name; `nil` where they are not these.
        package init?(parsing words: [String]) {
            var folder: String?
            var logs = LogSettings()
            var rest = words[...]
            while let name = rest.popFirst() {
                guard let value = rest.popFirst() else { return nil }
                switch name {
                case "--folder": folder = value
                case "--log-segment-bytes":
                    guard let number = Int(value), number >= 1024 else { return nil }
                    logs.segmentBytes = number
                case "--log-segments":
                    guard let number = Int(value), number >= 1 else { return nil }
                    logs.segments = number
                default: return nil
                }
            }
            guard let folder, folder.hasPrefix("/") else { return nil }
            self.init(folder: folder, logs: logs)
        }

        var words: [String] {
            [
                "--folder", folder, "--log-segment-bytes", String(logs.segmentBytes), "--log-segments",
                String(logs.segments),
            ]
        }
    }

    /// Runs until there is nothing more to supervise; gives the exit code.
    ///
    /// - Parameter arguments: `--folder <environment's folder> [--log-segment-bytes n] [--log-segments n]`.
    package static func run(_ arguments: [String]) async -> Int32 {
        guard let parsed = Arguments(parsing: arguments) else {
            SupervisorLog.write("error: usage: supervise --folder <folder> [--log-segment-bytes n] [--log-segments n]")
            return 64
        }
        do {
            try await run(parsed)
            return 0
        } catch {
            tell("error \(error)")
            SupervisorLog.write("error: \(error)")
            return 1
        }
    }

    private static func run(_ arguments: Arguments) async throws {
        let slash = arguments.folder.lastIndex(of: "/") ?? arguments.folder.startIndex
        let folder = EnvironmentFolder(
            root: String(arguments.folder[..<slash]),
            environment: EnvironmentID(rawValue: String(arguments.folder[arguments.folder.index(after: slash)...])))
        guard try takeLock(folder.lock) else {
            tell("held")
            return
        }
        let signals = msx_watch_signals()
        guard signals >= 0, msx_become_subreaper() == 0 else {
            throw RuntimeError(.unavailable, "cannot supervise: \(String(cString: strerror(errno)))")
        }
        try SmallFile.createFolder(folder.logs, mode: 0o700)
        let socket = try ControlSocket.path(for: folder)
        let supervisor = Supervisor(folder: folder, logSettings: arguments.logs)
        try await supervisor.resume(signals: signals)
        let control = SupervisorControl(supervisor: supervisor)
        let limits = HTTPServer.Limits(maxBodyBytes: 64 << 20, stopDeadline: .seconds(2))
        let server = HTTPServer(address: .unix(path: socket), limits: limits) { await control.handle($0, $1) }
        let isRecorded = OneWayFlag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await server.run { _ in
                        let record = SupervisorRecord.current(environment: folder.environment.rawValue, socket: socket)
                        do {
                            try record.save(folder.record)
                            isRecorded.set()
                            tell("ready")
                        } catch {
                            tell("error \(error)")
                            // Ends with the supervisor.
                            Task { await supervisor.stopAllAndEnd() }
                        }
                    }
                } catch {
                    // A supervisor that nobody can reach must leave nothing running.
                    await supervisor.stopAllAndEnd()
                    throw error
                }
            }
            group.addTask {
                while !Task.isCancelled {
                    try await Task.sleep(for: .seconds(1))
                    if isRecorded.isSet { await supervisor.housekeeping(idleLimit: idleLimit) }
                }
            }
            await supervisor.untilEnd()
            group.cancelAll()
            while let result = await group.nextResult() {
                // Being cancelled is how the housekeeping ends.
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    /// Held until this process ends; the descriptor is never closed on purpose.
    private static func takeLock(_ path: String) throws -> Bool {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SmallFile.failure("open", path) }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw SmallFile.failure("lock", path) }
        close(descriptor)
        return false
    }

    private static func tell(_ line: String) {
        var status = stat()
        guard fstat(readyDescriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return }
        let bytes = Array((line.replacingOccurrences(of: "\n", with: " ") + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(readyDescriptor, $0.baseAddress, $0.count) }
        close(readyDescriptor)
    }
}
