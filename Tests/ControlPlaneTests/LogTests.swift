import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import ControlPlane

@Suite struct LogTests {
    @Test func aLineOfJSONIsOneObjectWithStableKeys() throws {
        let line = LogRendering.json.line(
            time: 1_700_000_000_123, level: .warning, logger: "server", message: "two\nlines \"quoted\" \u{1}",
            fields: ["request": "req_1", "level": "mine"])
        #expect(!line.contains("\n"))
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(
            object == [
                "time": "2023-11-14T22:13:20.123Z", "level": "warning", "logger": "server",
                "message": "two\nlines \"quoted\" \u{1}", "request": "req_1", "field_level": "mine",
            ])
    }

    @Test func aLineOfTextIsOneLine() {
        let line = LogRendering.text.line(
            time: 1_700_000_000_123, level: .info, logger: "server", message: "a\nb",
            fields: ["b": "x y", "a": "plain", "c": ""])
        #expect(line == "2023-11-14T22:13:20.123Z info server: a\\nb a=plain b=\"x y\" c=\"\"")
    }

    @Test(arguments: LogRendering.allCases)
    func aTokenIsNeverWritten(_ rendering: LogRendering) {
        let token = "msx_0123456789abcdefghij"
        let line = rendering.line(
            time: 0, level: .error, logger: "server", message: "refused \(token), and msx_ alone",
            fields: ["error": "Bearer \(token)\(token)"])
        #expect(!line.contains("0123456789"))
        #expect(line.contains("msx_***"))
        #expect(line.contains("and msx_ alone"))
    }

    @Test func aValueHasALimit() {
        let line = LogRendering.json.line(
            time: 0, level: .error, logger: "server", message: String(repeating: "ä", count: 100_000), fields: [:])
        #expect(line.utf8.count < 10_000)
    }

    @Test func aLoggerWritesWhatItsLevelAllows() {
        let lines = Box()
        var logger = Logger(label: "server") { label in
            ServerLog(label: label, level: .info, rendering: .text, now: { 0 }) { lines.add($0) }
        }
        logger[metadataKey: "request"] = "req_1"
        logger.debug("hidden")
        logger.error("shown", metadata: ["a": "1"])
        #expect(lines.all == ["1970-01-01T00:00:00.000Z error server: shown a=1 request=req_1"])
    }

    // MARK: The bounded file

    @Test func aFileOfLinesIsBounded() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/server.log"
            let file = LogFile(path: path, limit: 1000, takingStandardStreams: false)
            for number in 0..<500 { file.write("line \(number)") }
            let now = try String(contentsOfFile: path, encoding: .utf8)
            let before = try String(contentsOfFile: path + ".1", encoding: .utf8)
            #expect(now.utf8.count <= 1000 && before.utf8.count <= 1000)
            #expect(now.hasSuffix("line 499\n"))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["server.log", "server.log.1"])
            // No line is torn or lost between the two.
            let numbers = (before + now).split(separator: "\n").map { Int($0.dropFirst(5)) }
            #expect(numbers == Array(500 - numbers.count..<500).map(Optional.some))
        }
    }

    @Test func aFileGoesOnWhereTheLastProcessStopped() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/server.log"
            LogFile(path: path, limit: 30, takingStandardStreams: false).write("0123456789")
            let file = LogFile(path: path, limit: 30, takingStandardStreams: false)
            file.write("second")
            let before = try String(contentsOfFile: path, encoding: .utf8)
            #expect(before == "0123456789\nsecond\n")
            file.write("too much for it")
            let after = try String(contentsOfFile: path, encoding: .utf8)
            #expect(after == "too much for it\n")
        }
    }

    @Test func aFullDiskLosesLinesAndSaysHowMany() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/server.log"
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
            let file = LogFile(path: path, limit: 1000, takingStandardStreams: false)
            for number in 0..<3 { file.write("line \(number)") }
            #expect(file.lostLines == 3)
        }
    }

    private final class Box: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }
}
