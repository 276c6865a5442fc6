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

    @Test func tailsOfSeveralServicesAreTheLastOfAllTogether() async throws {
        try await withTemporaryFolder { folder in
            let stored = StoredLog(folder: folder)
            var all: [(Int64, String)] = []
            for (index, service) in ["a", "b", "c"].enumerated() {
                // Very different rates, so that the last lines are not shared fairly.
                let lines = (0..<60).map {
                    (Int64(1_700_000_000_000 + $0 * (index * 37 + 1) * 10 + index), "\(service) \($0)")
                }
                try stored.write(lines, service: service, segmentBytes: 700)
                all += lines
            }
            let expected = all.sorted { $0.0 < $1.0 }.map(\.1)
            for tail in [0, 1, 7, 60, 100, 180, 500] {
                let read = try await texts(folder, LogQuery(tail: tail))
                #expect(read == Array(expected.suffix(tail)), "tail \(tail)")
            }
        }
    }

    @Test func sinceFindsEveryPlace() async throws {
        try await withTemporaryFolder { folder in
            let start: Int64 = 1_700_000_000_000
            // One line each 700 ms, long enough for several blocks in each of several segments.
            let lines = (0..<1500).map {
                (start + Int64($0) * 700, "line \($0) " + String(repeating: "y", count: $0 * 7 % 900))
            }
            try StoredLog(folder: folder).write(lines, segmentBytes: 200_000)
            for index in [0, 1, 2, 3, 17, 250, 251, 700, 1300, 1498, 1499] {
                for shift: Int64 in [-1, 0, 1] {
                    let since = lines[index].0 + shift
                    let read = try await texts(folder, LogQuery(since: since))
                    #expect(read == lines.filter { $0.0 >= since }.map(\.1), "since line \(index) \(shift)")
                }
            }
            #expect(try await texts(folder, LogQuery(since: start + 10_000_000)) == [])
            let both = try await texts(folder, LogQuery(tail: 5, since: lines[1497].0))
            #expect(both == lines.suffix(3).map(\.1))
        }
    }

    /// Lines may be stored a little out of order: two streams, one clock.
    @Test func sinceLosesNoLineThatIsOutOfOrder() async throws {
        try await withTemporaryFolder { folder in
            let start: Int64 = 1_700_000_000_000
            let lines = (0..<4000).map { number in
                (
                    start + Int64(number) * 10 + Int64(number * 7919 % 1000),
                    "line \(number) " + String(repeating: "z", count: 90)
                )
            }
            try StoredLog(folder: folder).write(lines, segmentBytes: 1 << 20)
            let since = lines[3000].0
            #expect(try await texts(folder, LogQuery(since: since)) == lines.filter { $0.0 >= since }.map(\.1))
        }
    }

    @Test func thePreviousRunIsTheOneBeforeTheLast() async throws {
        try await withTemporaryFolder { folder in
            let stored = StoredLog(folder: folder)
            let start: Int64 = 1_700_000_000_000
            var lines: [(Int64, String)] = []
            for run in 1...3 {
                lines.append((start + Int64(lines.count), "!started, pid \(run)"))
                for number in 0..<200 {
                    // What a service says is never taken for a start.
                    let text =
                        number == 7 ? "2026-11-20T19:19:39.123Z event started, pid 5" : "run \(run) line \(number)"
                    lines.append((start + Int64(lines.count), text))
                }
            }
            for size in [500, 70_000, 1 << 20] {
                try stored.write(lines, service: "s\(size)", segmentBytes: size)
                let query = LogQuery(services: ["s\(size)"], previous: true)
                let read = try await texts(folder, query)
                #expect(read.count == 201)
                #expect(read.first == "started, pid 2")
                #expect(read.last == "run 2 line 199")
                var last = query
                last.tail = 3
                #expect(try await texts(folder, last) == ["run 2 line 197", "run 2 line 198", "run 2 line 199"])
                last.tail = 1000
                #expect(try await texts(folder, last) == read)
            }
            try stored.write([(start, "!started, pid 9"), (start, "one")], service: "once")
            #expect(try await texts(folder, LogQuery(services: ["once"], previous: true)) == [])
            #expect(try await texts(folder, LogQuery(services: ["once"], tail: 5, previous: true)) == [])
        }
    }

    /// 100 MB, of which next to nothing is read for the last lines, for those since a time, and for the previous run.
    @Test func aLargeLogIsNotReadForAFewOfItsLines() async throws {
        try await withTemporaryFolder { folder in
            let start: Int64 = 1_700_000_000_000
            let logs = folder + "/env-large/logs"
            let size = try StoredLog(folder: logs).fill(megabytes: 100, from: start, step: 3)
            for query in [LogQuery(tail: 10), LogQuery(since: start + Int64(size - 20) * 3)] {
                let reader = LogReader(folder: logs, query: query)
                var count = 0
                while try await reader.next() != nil { count += 1 }
                #expect((10...25).contains(count))
                let bytesRead = await reader.bytesRead
                #expect(bytesRead < 8 << 20)
            }
            // All of it, in a program of its own whose memory the kernel watches.
            let reading = try await FixtureRun.output(["read-log", logs])
            let words = reading.split(separator: " ").compactMap { Int($0) }
            #expect(words.first == size)
            #expect(words.last ?? .max < 80 << 10, "kB at most in memory")
        }
    }

    @Test func aReaderThatIsOvertakenSaysSo() async throws {
        try await withTemporaryFolder { folder in
            let stored = StoredLog(folder: folder)
            let start: Int64 = 1_700_000_000_000
            let lines = (0..<60).map { (start + Int64($0), "line \($0)") }
            try stored.write(lines, segmentBytes: 400)
            let reader = LogReader(folder: folder, query: LogQuery())
            let first = try await reader.next()
            #expect(first?.text == "line 0")
            let segments = LogSegments(folder: folder + "/main")
            for number in segments.numbers().dropFirst(1).dropLast(2) { unlink(segments.path(number)) }
            var rest: [String] = []
            while let line = try await reader.next() { rest.append(line.text) }
            #expect(rest.count { $0.hasPrefix("lines are missing here") } == 1)
            #expect(rest.last == "line 59")
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
