import Foundation

/// Measures the graph's functions and the routing table alone, and prints `name: value` lines. Called by bench/graph.py.
@main
struct Main {
    static func main() {
        do {
            try measure()
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func measure() throws {
        try Planning().run()
        try Routing(overlays: 1_000).run()
        try Routing(overlays: number("BENCH_OVERLAYS", 100_000)).run()
        try Contracting().run()
    }

    static func number(_ name: String, _ usual: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? usual
    }
}

func tell(_ name: String, _ value: Double) { print("\(name): \(value)") }

/// Milliseconds of processor time of this thread: what is measured only computes, so that is what it takes on a machine that
/// does nothing else.
func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
}

/// Milliseconds of the median, the shortest and the longest of `rounds` runs, after one that does not count.
func milliseconds(_ rounds: Int, _ work: () throws -> Void) rethrows -> (median: Double, least: Double, most: Double) {
    try work()
    var times: [Double] = []
    for _ in 0..<rounds {
        let start = processorTime()
        try work()
        times.append(processorTime() - start)
    }
    times.sort()
    return (times[times.count / 2], times[0], times[times.count - 1])
}

/// Resident memory of this process in bytes.
func resident() -> Double {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
        let pages = text.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
    else { return 0 }
    return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
}

struct BenchFailure: Error { var message: String }
