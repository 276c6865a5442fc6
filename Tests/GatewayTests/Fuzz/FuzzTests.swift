import Foundation
import Testing

@testable import Gateway

/// The fuzzer's short run, and its long one: `make fuzz` (`MICROSTAX_FUZZ_SECONDS`, `MICROSTAX_FUZZ_SEED`).
@Suite struct FuzzTests {
    /// One case again, as a failure names it: `MICROSTAX_FUZZ_CASE=services:42`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["MICROSTAX_FUZZ_CASE"] != nil))
    func oneCaseAgain() throws {
        let parts = (ProcessInfo.processInfo.environment["MICROSTAX_FUZZ_CASE"] ?? "").split(separator: ":")
        let mode: FuzzCase.Mode = parts.first == "services" ? .services : .clients
        let seed = try #require(parts.last.flatMap { UInt64($0) })
        let history = FuzzCase(seed: seed, mode: mode, worker: FuzzCase.worker())
        defer { describe(history) }
        try history.run()
    }

    @Test func oneRequestInIsOneRequestOut() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seconds = environment["MICROSTAX_FUZZ_SECONDS"].flatMap { Double($0) }
        let base = environment["MICROSTAX_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
        let report = try await onThread {
            Self.run(from: base, seconds: seconds ?? 5, most: seconds == nil ? 3000 : Int.max)
        }
        print(
            "fuzz: \(report.cases) cases from seed \(base), \(report.forwarded) requests forwarded, \(report.peak) MB")
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
        // A gateway that refuses everything would break no law.
        #expect(report.forwarded > report.cases)
        #expect(report.growth < 64, "it grew by \(report.growth) MB")
    }

    /// HTTP/2: streams that are mixed, given up and broken. `MICROSTAX_FUZZ_CASE=streams:42` repeats one.
    @Test func oneStreamInIsOneRequestOut() async throws {
        let environment = ProcessInfo.processInfo.environment
        let again = environment["MICROSTAX_FUZZ_CASE"].flatMap {
            $0.hasPrefix("streams:") ? UInt64($0.dropFirst(8)) : nil
        }
        let seconds = environment["MICROSTAX_FUZZ_SECONDS"].flatMap { Double($0) }
        let base = again ?? environment["MICROSTAX_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
        let most = again != nil ? 1 : seconds == nil ? 3000 : Int.max
        let report = try await onThread { Self.runStreams(from: base, seconds: seconds ?? 5, most: most) }
        print("fuzz: \(report.cases) cases of streams from seed \(base), \(report.forwarded) requests forwarded")
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
        #expect(report.forwarded > report.cases)
    }

    private static func runStreams(from base: UInt64, seconds: Double, most: Int) -> Report {
        var report = Report()
        let worker = FuzzCase.worker()
        let end = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
        while report.cases < most, ContinuousClock.now < end, report.findings.count < 5 {
            let seed = base &+ UInt64(report.cases)
            report.cases += 1
            for isMutated in [false, true] {
                var random = FuzzRandom(state: seed)
                var inputs: [[UInt8]] = []
                var planned: [[FuzzStreams.Planned]] = []
                for client in 0..<(1 + random.below(2)) {
                    var streams = FuzzStreams(random: FuzzRandom(state: random.next()))
                    inputs.append(streams.bytes(client: client, isMutated: isMutated))
                    planned.append(streams.planned)
                }
                let history = FuzzCase(inputs: inputs, seed: seed, worker: worker)
                do {
                    try history.run { history in
                        if !isMutated { try FuzzStreamLaws(history: history, planned: planned).check() }
                    }
                } catch {
                    report.findings.append("MICROSTAX_FUZZ_CASE=streams:\(seed) (mutated: \(isMutated)): \(error)")
                    worker.closeAll()
                    worker.requestsInFlight = 0
                }
                report.forwarded += history.records.count
                if most == 1, !isMutated { tell(history) }
            }
        }
        return report
    }

    private static func tell(_ history: FuzzCase) {
        for client in history.clients {
            print("client (\(client.link.state), ended: \(client.hasEnded)) sent")
            for frame in FuzzStreams.frames(of: Array(client.input.dropFirst(24))) { print("  \(frame)") }
            print(" and got")
            for frame in FuzzStreams.frames(of: client.output) { print("  \(frame)") }
        }
        for record in history.records {
            print("copy \(record.origin) said \(record.answer.bytes.count) bytes to \(record.request)")
        }
    }

    private struct Report: Sendable {
        var cases = 0
        var forwarded = 0
        var findings: [String] = []
        var peak = 0
        var growth = 0
    }

    private static func run(from base: UInt64, seconds: Double, most: Int) -> Report {
        var report = Report()
        let worker = FuzzCase.worker()
        let end = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
        var settled = 0
        while report.cases < most, ContinuousClock.now < end, report.findings.count < 5 {
            let seed = base &+ UInt64(report.cases)
            for mode in FuzzCase.Mode.allCases {
                let history = FuzzCase(seed: seed, mode: mode, worker: worker)
                do {
                    try history.run()
                } catch {
                    report.findings.append("MICROSTAX_FUZZ_CASE=\(mode):\(seed): \(error)")
                    // What is left of it must not disturb the next.
                    worker.closeAll()
                    worker.requestsInFlight = 0
                }
                report.forwarded += history.records.count
            }
            report.cases += 1
            if report.cases % 1000 == 0 {
                report.peak = residentMegabytes()
                if report.cases == 1000 { settled = report.peak }
                report.growth = report.peak - settled
            }
        }
        return report
    }

    private func describe(_ history: FuzzCase) {
        for client in history.clients {
            print("client sent \(show(client.input))\n  got (\(client.link.state)) \(show(client.output))")
        }
        for origin in history.origins { print("copy \(origin.origin) got \(show(origin.received))") }
        for record in history.records {
            print(
                "copy \(record.origin) said to \(record.request): \(show(record.answer.bytes)), closes: \(record.answer.closes)"
            )
        }
    }

    private static func residentMegabytes() -> Int {
        // Not on Linux: then nothing is measured and the test says nothing about memory.
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? "0 0"
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096 >> 20
    }
}
