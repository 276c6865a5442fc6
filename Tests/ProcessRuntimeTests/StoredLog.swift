import Foundation
import Runtimes
import TestSupport

@testable import ProcessRuntime

/// Logs as they are on disk, with times that the test chooses.
struct StoredLog {
    /// With one folder per service.
    let folder: String

    /// - Parameter lines: a text that begins with `!` is an event of the supervisor.
    func write(_ lines: [(Int64, String)], service: String = "main", segmentBytes: Int = 1 << 20) throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(service)", withIntermediateDirectories: true)
        let segments = LogSegments(folder: "\(folder)/\(service)")
        var (number, bytes) = (1, [UInt8]())
        for (time, text) in lines {
            let isEvent = text.hasPrefix("!")
            LogFormat.append(
                text.dropFirst(isEvent ? 1 : 0).utf8, stream: isEvent ? .event : .stdout, time: time, to: &bytes)
            guard bytes.count >= segmentBytes else { continue }
            try Data(bytes).write(to: URL(fileURLWithPath: segments.path(number)))
            (number, bytes) = (number + 1, [])
        }
        if !bytes.isEmpty { try Data(bytes).write(to: URL(fileURLWithPath: segments.path(number))) }
    }

    /// Lines of a thousand bytes, one each `step` milliseconds, in segments of 16 MiB; gives their number.
    func fill(megabytes: Int, from start: Int64, step: Int64) throws -> Int {
        try FileManager.default.createDirectory(atPath: folder + "/main", withIntermediateDirectories: true)
        let segments = LogSegments(folder: folder + "/main")
        let text = Array(String(repeating: "x", count: 1000 - LogTimestamp.length - 9).utf8)
        var (number, count, bytes) = (1, 0, [UInt8]())
        while count < megabytes * 1000 {
            LogFormat.append(text, stream: .stdout, time: start + Int64(count) * step, to: &bytes)
            count += 1
            guard bytes.count >= 16 << 20 || count == megabytes * 1000 else { continue }
            try Data(bytes).write(to: URL(fileURLWithPath: segments.path(number)))
            (number, bytes) = (number + 1, [])
        }
        return count
    }
}

/// Runs the fixture to its end without blocking a thread of Swift's pool.
enum FixtureRun {
    static func output(_ arguments: [String]) async throws -> String {
        try await withTemporaryFolder { folder in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: Stage.fixture)
            process.arguments = arguments
            let path = folder + "/out"
            try Data().write(to: URL(fileURLWithPath: path))
            process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try process.run()
            defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
            try await eventually("the end of \(arguments)", within: .seconds(60)) { process.isRunning ? nil : true }
            return try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }
}
