import Blueprints
import EnvironmentGraph
import Foundation
import Runtimes
import Testing
import TestSupport

@testable import ProcessRuntime

struct LogTests {
    @Test func timestampsComeBackAsTheyWere() {
        for time: Int64 in [0, 1, 951_782_400_000, 951_868_799_999, 1_763_666_379_123, 4_102_444_799_999] {
            var bytes: [UInt8] = []
            LogTimestamp.append(time, to: &bytes)
            #expect(bytes.count == LogTimestamp.length)
            #expect(LogTimestamp.parse(bytes[...]) == time)
        }
        var bytes: [UInt8] = []
        LogTimestamp.append(1_709_210_096_007, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "2024-02-29T12:34:56.007Z")
        #expect(LogTimestamp.parse(Array("2024-02-29 nothing like it".utf8)[...]) == nil)
    }

    @Test(arguments: [1, 2, 3, 7, 100]) func linesDoNotDependOnHowTheyArrive(_ size: Int) {
        let bytes = Array("one\r\ntwo\n\nthree\rfour\nfive".utf8)
        var splitter = LineSplitter()
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { chunk in
                splitter.feed(chunk) { lines.append(String(decoding: $0, as: UTF8.self)) }
            }
        }
        splitter.finish { lines.append(String(decoding: $0, as: UTF8.self)) }
        #expect(lines == ["one", "two", "", "three\rfour", "five"])
    }

    @Test func everyTailOfEveryLengthIsRight() async throws {
        try await withTemporaryFolder { folder in
            let texts = (0..<200).map { "line \($0) " + String(repeating: "x", count: $0 * 13 % 900) }
            try write(texts, to: folder + "/logs", settings: LogSettings(segmentBytes: 10_000, segments: 100))
            for tail in [0, 1, 2, 10, 57, 199, 200, 500] {
                let read = try await self.texts(folder + "/logs", LogQuery(tail: tail))
                #expect(read == Array(texts.suffix(tail)), "tail \(tail)")
            }
            #expect(try await self.texts(folder + "/logs", LogQuery()) == texts)
        }
    }

    @Test func rotationKeepsTheNewest() async throws {
        try await withTemporaryFolder { folder in
            let settings = LogSettings(segmentBytes: 4096, segments: 3)
            let texts = (0..<1000).map { "line \($0)" }
            try write(texts, to: folder + "/logs", settings: settings)
            let read = try await self.texts(folder + "/logs", LogQuery())
            #expect(read == Array(texts.suffix(read.count)))
            #expect(read.count > 100 && read.count < 500)
            #expect(FolderListing.names(folder + "/logs/main").count == 3)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aFollowerSeesEveryLineOverRotations() async throws {
        try await Stage.with(logs: LogSettings(segmentBytes: 8192, segments: 200)) { stage in
            var workload = stage.shell("")
            workload.command = [Stage.fixture, "spam", "3000"]
            workload.restart = .never
            let follower = Task {
                var numbers: [String] = []
                for try await line in stage.runtime.logs(of: stage.environment, LogQuery(follow: true)) {
                    if line.stream == .stdout { numbers.append(String(line.text.prefix { $0 != "x" })) }
                    if numbers.count == 3000 { break }
                }
                return numbers
            }
            try await stage.runtime.apply(workload)
            try await stage.reaches(.stopped)
            #expect(try await follower.value == (1...3000).map { "line \($0) " })
            #expect(FolderListing.names(stage.folder + "/logs/main").count >= 3)
        }
    }

    @Test func aTornLineSpoilsOnlyItself() async throws {
        try await withTemporaryFolder { folder in
            try write(["one"], to: folder + "/logs")
            let file = folder + "/logs/main/000001.log"
            let bytes = try #require(SmallFile.read(file))
            try Data(bytes + Array("2026-11-20T19:1".utf8)).write(to: URL(fileURLWithPath: file))
            try write(["two"], to: folder + "/logs")
            #expect(try await texts(folder + "/logs", LogQuery()) == ["one", "two"])
        }
    }

    @Test func linesThatCannotBeWrittenAreCounted() async throws {
        try await withTemporaryFolder { folder in
            let segment = folder + "/main/000001.log"
            try SmallFile.createFolder(folder + "/main", mode: 0o700)
            try FileManager.default.createSymbolicLink(atPath: segment, withDestinationPath: "/dev/full")
            let log = ServiceLog(service: "main", folder: folder + "/main", settings: LogSettings())
            for text in ["one", "two"] { Array((text + "\n").utf8).withUnsafeBytes { log.received($0, on: .stdout) } }
            try FileManager.default.removeItem(atPath: segment)
            Array("three\n".utf8).withUnsafeBytes { log.received($0, on: .stdout) }
            let lost = "2 lines were lost here: the log could not be written"
            #expect(try await texts(folder, LogQuery()) == [lost, "three"])
            #expect(log.lastLines() == ["one", "two", "three"])
        }
    }

    private func write(_ texts: [String], to folder: String, settings: LogSettings = LogSettings()) throws {
        try SmallFile.createFolder(folder + "/main", mode: 0o700)
        let log = ServiceLog(service: "main", folder: folder + "/main", settings: settings)
        for text in texts { Array((text + "\n").utf8).withUnsafeBytes { log.received($0, on: .stdout) } }
    }

    private func texts(_ folder: String, _ query: LogQuery) async throws -> [String] {
        let reader = LogReader(folder: folder, query: query)
        var texts: [String] = []
        while let line = try await reader.next() { texts.append(line.text) }
        return texts
    }
}
