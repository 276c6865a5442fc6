import Foundation
import Synchronization
import TestSupport

/// A `store-fixture` that runs, with the lines that it has said.
final class StoreProcess: Sendable {
    private let process: Process
    private let input = Pipe()
    private let output = Mutex("")

    /// Ends it when `body` is through, however that ends.
    static func run<T>(_ arguments: String..., body: (StoreProcess) async throws -> T) async throws -> T {
        let process = try StoreProcess(arguments)
        defer { process.kill() }
        return try await body(process)
    }

    private init(_ arguments: [String]) throws {
        let process = Process()
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        process.executableURL = folder.appendingPathComponent("store-fixture")
        process.arguments = arguments
        process.standardInput = input
        let pipe = Pipe()
        process.standardOutput = pipe
        self.process = process
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            self?.output.withLock { $0 += String(decoding: data, as: UTF8.self) }
        }
        try process.run()
    }

    /// Whole lines only: a process that is killed may leave half of one.
    var lines: [String] {
        output.withLock { $0.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }
    }

    func line(_ start: String) async throws -> String {
        try await eventually("a line with \(start)", lastSeen: { lines.suffix(3).joined(separator: "; ") }) {
            lines.first { $0.hasPrefix(start) }
        }
    }

    func endInput() {
        // An input that is closed already is ended.
        try? input.fileHandleForWriting.close()
    }

    /// Ends it as a power cut would, and waits until it is gone.
    func kill() {
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    func exitCode() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }
}
