import Blueprints
import EnvironmentGraph
import Foundation
import Runtimes
import TestSupport

extension RuntimeConformance {
    static let logRules: [RuntimeRule] = [
        RuntimeRule("logs are merged by time, and can be asked for in part") { stage in
            var workload = stage.shell("echo one; echo two >&2; exec sleep 600", service: "a")
            workload.build = ["/bin/sh", "-c", "echo built"]
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready, service: "a")
            try await stage.runtime.apply(stage.shell("echo three; exec sleep 600", service: "b"))
            try await stage.reaches(.ready, service: "b")
            try await eventually("all lines") { try await stage.output("b") == ["three"] ? true : nil }
            let lines = try await stage.lines().filter { $0.stream != .event }
            try expect(Set(lines.map(\.text)), is: ["built", "one", "two", "three"], "texts")
            try expect(lines.first?.stream, is: .build, "first stream")
            try expect(lines.last?.text, is: "three", "last line")
            try expect(lines.map(\.time), is: lines.map(\.time).sorted(), "order")
            let last = try await stage.lines(LogQuery(services: ["b"], tail: 1))
            try expect(last.map(\.text), is: ["three"], "tail")
            let later = try await stage.lines(LogQuery(since: Int64(Date.now.timeIntervalSince1970 * 1000) + 60_000))
            try expect(later, is: [], "lines of the future")
        },
        RuntimeRule("followed logs go on as they come") { stage in
            try await stage.runtime.apply(
                stage.shell("i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done"))
            var seen: [String] = []
            for try await line in stage.runtime.logs(of: stage.environment, LogQuery(follow: true)) {
                if line.stream == .stdout { seen.append(line.text) }
                if seen.count == 20 { break }
            }
            try expect(seen, is: (1...20).map { "line \($0)" }, "lines")
        },
        RuntimeRule("the run before the last start can be asked for") { stage in
            for (generation, text) in [(1, "one"), (2, "two"), (3, "three")] {
                try await stage.runtime.apply(stage.shell("echo \(text); exec sleep 600", generation: generation))
                try await stage.reaches(.ready, generation: generation)
                try await eventually(text) { try await stage.output().last == text ? true : nil }
            }
            try await stage.runtime.apply(stage.shell("echo other; exec sleep 600", service: "b"))
            try await eventually("the other's output") { try await stage.output("b") == ["other"] ? true : nil }
            let previous = try await stage.lines(LogQuery(previous: true)).filter { $0.stream == .stdout }
            try expect(previous.map(\.text), is: ["two"], "previous run")
            let all = try await stage.lines()
            var paged: [LogLine] = []
            for try await page in stage.runtime.logPages(of: stage.environment, LogQuery()) { paged += page }
            try expect(paged, is: all, "lines by pages")
        },
        RuntimeRule("any bytes can be logged, long lines are cut") { stage in
            let script = """
                printf 'a\\377b\\n'
                head -c 200000 /dev/zero | tr '\\0' x; echo
                printf 'no end'
                """
            var workload = stage.shell(script)
            workload.restart = .never
            try await stage.runtime.apply(workload)
            try await stage.reaches(.stopped)
            let lines = try await stage.output()
            try expect(lines.count, is: 3, "lines")
            try expect(lines[0], is: "a\u{FFFD}b", "replaced byte")
            try expect(lines[1].utf8.count, is: 64 << 10, "length of a cut line")
            try expect(lines[2], is: "no end", "unfinished line")
        },
    ]
}
