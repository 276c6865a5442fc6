import Foundation
import Runtimes
import Testing
import TestSupport

@testable import ProcessRuntime

/// Against services that use a known amount, whatever else the machine does: a program burns until the kernel says that it
/// has. The lower bounds leave out what reading in steps of ten milliseconds may cut off.
@Suite(.serialized) struct MetricsTests {
    private func find(_ service: String, _ stage: Stage) async throws -> WorkloadMetrics? {
        try await stage.runtime.metrics(of: stage.environment, withRates: false).first { $0.service == service }
    }

    private func metrics(_ service: String, _ stage: Stage, rates: Bool = false) async throws
        -> WorkloadMetrics
    {
        let all = try await stage.runtime.metrics(of: stage.environment, withRates: rates)
        return try #require(all.first { $0.service == service })
    }

    private func says(_ line: String, _ service: String, _ stage: Stage) async throws {
        try await eventually("\(service) saying \(line)", within: .seconds(30)) {
            try await stage.lines(LogQuery(services: [service])).contains { $0.text == line } ? true : nil
        }
    }

    @Test(.timeLimit(.minutes(1))) func aKnownAmountOfWorkAndMemory() async throws {
        try await Stage.with { stage in
            var workload = stage.shell("")
            workload.command = [Stage.fixture, "use", "400", "64"]
            try await stage.runtime.apply(workload)
            try await stage.runtime.apply(stage.shell("exec sleep 600", service: "idle"))
            try await says("used", "main", stage)
            let used = try await metrics("main", stage, rates: true)
            #expect((380...700).contains(used.cpuMilliseconds))
            #expect((64...110).contains(used.memoryBytes >> 20))
            #expect(used.processes == 1)
            #expect(used.restarts == 0)
            #expect(used.state == .ready)
            #expect(used.cpuPercent ?? 100 < 20)
            #expect(used.intervalMilliseconds ?? 0 >= 500)
            #expect((0...60_000).contains(used.uptimeMilliseconds ?? -1))
            let idle = try await metrics("idle", stage)
            #expect(idle.cpuMilliseconds < 100)
            #expect((1..<20_000_000).contains(idle.memoryBytes))
            #expect(idle.cpuPercent == nil)
        }
    }

    /// Children that were waited for, one that went into a session of its own, one whose parent ended before it.
    @Test(.timeLimit(.minutes(1))) func endedProcessesCount() async throws {
        try await Stage.with { stage in
            let burn = "\(Stage.fixture) spend 200"
            let script = "\(burn); (\(burn) &); setsid sh -c '\(burn)'; (\(burn); true); echo spent; exec sleep 600"
            try await stage.runtime.apply(stage.shell(script))
            try await stage.runtime.apply(stage.shell("exec sleep 600", service: "idle"))
            try await says("spent", "main", stage)
            let used = try await eventually("all of it") {
                "\(String(describing: try? await find("main", stage)))"  // The text of a failure.
            } _: {
                let found = try await find("main", stage)
                return found?.processes == 1 && found?.cpuMilliseconds ?? 0 >= 760 ? found : nil
            }
            #expect(used.cpuMilliseconds < 1600)
            let idle = try await metrics("idle", stage)
            #expect(idle.cpuMilliseconds < 100)
        }
    }

    @Test(.timeLimit(.minutes(1))) func whatAServiceUsedOutlivesItsRestarts() async throws {
        try await Stage.with { stage in
            let mark = stage.root + "/second"
            try await stage.runtime.apply(
                stage.shell(
                    "\(Stage.fixture) spend 150; [ -e \(mark) ] || { touch \(mark); exit 3; }; echo again; exec sleep 600"
                ))
            try await says("again", "main", stage)
            let used = try await metrics("main", stage)
            #expect((280...900).contains(used.cpuMilliseconds))
            #expect(used.restarts == 1)
            try await stage.runtime.stop("main", of: stage.environment)
            let ended = try await metrics("main", stage)
            #expect(ended.processes == 0)
            #expect(ended.memoryBytes == 0)
            #expect(ended.uptimeMilliseconds == nil)
            #expect(ended.cpuMilliseconds >= used.cpuMilliseconds)
            #expect(ended.state == .stopped)
        }
    }

    @Test(.timeLimit(.minutes(1))) func theRateIsWhatTheTotalGrewBy() async throws {
        try await Stage.with { stage in
            try await stage.runtime.apply(stage.shell("while :; do :; done"))
            try await stage.reaches(.ready)
            let first = try await metrics("main", stage, rates: true)
            try await Task.sleep(for: .milliseconds(600))
            let second = try await metrics("main", stage, rates: true)
            let percent = try #require(second.cpuPercent)
            let interval = try #require(second.intervalMilliseconds)
            let grown = Double(second.cpuMilliseconds - first.cpuMilliseconds)
            #expect(abs(percent * Double(interval) / 100 - grown) <= 1)
            #expect(percent > 5 && percent < 115)
        }
    }

    @Test(.timeLimit(.minutes(1))) func whatProcessesShareCountsOnce() async throws {
        try await Stage.with { stage in
            let program = """
                import os, time
                held = b'x' * (60 << 20)
                for _ in range(3):
                    if os.fork() == 0: time.sleep(600)
                print('held', flush=True)
                time.sleep(600)
                """
            var workload = stage.shell("")
            workload.command = ["/usr/bin/python3", "-c", program]
            try await stage.runtime.apply(workload)
            try await says("held", "main", stage)
            let used = try await metrics("main", stage)
            #expect(used.processes == 4)
            #expect((60...110).contains(used.memoryBytes >> 20))
        }
    }

    @Test func whatIsNotThereIsMeasuredWithoutStartingAnything() async throws {
        try await Stage.with { stage in
            let found = try await stage.runtime.metrics(of: stage.environment, withRates: true)
            #expect(found.isEmpty)
            #expect(!FileManager.default.fileExists(atPath: stage.folder))
        }
    }
}
