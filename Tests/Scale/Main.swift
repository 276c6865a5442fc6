import API
import Blueprints
import ControlPlane
import EnvironmentGraph
import Foundation
import HTTPTransport
import Logging
import Orchestration
import Runtimes
import SQLiteStore
import SimulatedRuntime
import Storage

/// `scale-bench fill <folder> <count>` writes a store; `scale-bench measure <folder> <seconds>` opens it as a server does,
/// over a simulated runtime in which everything runs, and prints what that costs as `name value` lines.
@main
struct Main {
    static func main() async throws {
        LoggingSystem.bootstrap({ @Sendable _ in SwiftLogNoOpLogHandler() })
        let arguments = CommandLine.arguments.dropFirst()
        guard let verb = arguments.first, let folder = arguments.dropFirst().first else {
            throw StoreError(.ioError, "usage: scale-bench fill|measure <folder> [number]")
        }
        let number = arguments.dropFirst(2).first.flatMap { Int($0) }
        switch verb {
        case "fill":
            let store = try SQLiteStore(path: folder + "/store.sqlite")
            try await Fleet(count: number ?? 10_000).write(to: store, firstPort: 1_000_000)
            store.close()
        default:
            try await Measurement(folder: folder, idleSeconds: number ?? 60).run()
        }
    }
}

struct Measurement {
    let folder: String
    let idleSeconds: Int

    func run() async throws {
        let count = try await environments()
        let runtime = SimulatedRuntime(clock: MachineClock(), random: SeededRandom(seed: 1), keepsJournal: false)
        // Built outside of what is measured: the services have been running all the time.
        for number in 0..<count {
            let record = Fleet.record(number, at: 0)
            for service in record.spec.services {
                try await runtime.apply(
                    Workload(
                        environment: record.id, service: service.name, generation: 1, command: service.command,
                        workdir: "/"))
            }
        }
        try await Task.sleep(for: .seconds(1))
        let before = Usage.now
        tell("resident before MiB", before.residentMiB)

        let start = ContinuousClock.now
        let store = try SQLiteStore(path: folder + "/store.sqlite")
        let parts = try Parts(store, runtime, folder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            // As a server does; ended below.
            try await parts.desk.orchestrator.start()
            group.addTask { await parts.desk.lifecycles.run() }
            group.addTask { await parts.routes.run() }
            group.addTask { try await parts.server.run() }
            try await parts.answers()
            tell("restart to serving ms", milliseconds(start))
            try await measure(parts, store, since: start, before)
            group.cancelAll()
        }
        await parts.desk.orchestrator.stop()
        store.close()
    }

    private func measure(_ parts: Parts, _ store: SQLiteStore, since start: ContinuousClock.Instant, _ before: Usage)
        async throws
    {
        try await listing(parts, "list cold ms")
        while await parts.routes.publishedVersion() == nil { try await Task.sleep(for: .milliseconds(5)) }
        tell("restart to routes ms", milliseconds(start))
        try await rest()
        tell("restart CPU seconds", Usage.now.cpuSeconds - before.cpuSeconds)
        var times: [Double] = []
        for _ in 0..<20 { times.append(try await listing(parts, nil)) }
        tell("list warm ms", times.sorted()[times.count / 2])
        // Whoever measures from outside does so now, and says when it is over.
        if ProcessInfo.processInfo.environment["SCALE_CLIENTS"] != nil {
            tell("serving", 1)
            await withCheckedContinuation { continuation in
                DispatchQueue(label: "stdin").async {
                    _ = readLine()
                    continuation.resume()
                }
            }
        }

        let idle = Usage.now
        let idleStart = ContinuousClock.now
        try await Task.sleep(for: .seconds(idleSeconds))
        let seconds = (ContinuousClock.now - idleStart) / .seconds(1)
        tell("idle CPU %", (Usage.now.cpuSeconds - idle.cpuSeconds) / seconds * 100)
        tell("resident after MiB", Usage.now.residentMiB)

        try await creates(parts.desk, store)
        tell("resident at the end MiB", Usage.now.residentMiB)
    }

    /// Until what a restart begins is over.
    private func rest() async throws {
        var last = Usage.now.cpuSeconds
        while true {
            try await Task.sleep(for: .seconds(1))
            let now = Usage.now.cpuSeconds
            if now - last < 0.02 { return }
            last = now
        }
    }

    private func environments() async throws -> Int {
        let store = try SQLiteStore(path: folder + "/store.sqlite")
        defer { store.close() }
        return try await store.read { try $0.versions().count }
    }

    /// What `microstax env list` asks for.
    @discardableResult
    private func listing(_ parts: Parts, _ name: String?) async throws -> Double {
        let start = ContinuousClock.now
        let request = HTTPRequest("GET", "/v1/environments?limit=100&brief=true")
        let response = try await parts.client.send(request, timeout: .seconds(60))
        guard response.status == 200 else { throw StoreError(.ioError, "the list was answered \(response.status)") }
        let time = milliseconds(start)
        if let name { tell(name, time) }
        return time
    }

    /// A hundred creates at once, each of twenty services that are ready at once.
    private func creates(_ desk: ControlDesk, _ store: SQLiteStore) async throws {
        let start = ContinuousClock.now
        let before = Usage.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    var lines = ["name: new-\(number)", "services:"]
                    for service in 0..<Fleet.services {
                        lines += ["  - name: s\(service)", "    command: [/bin/service]", "    ports: [\"8080\"]"]
                        if service > 0 { lines.append("    env: { NEXT: \"${services.s\((service - 1) / 2).url}\" }") }
                    }
                    let body = try JSONEncoder().encode(["blueprint": lines.joined(separator: "\n"), "folder": "/"])
                    let response = await desk.handle(
                        HTTPRequest("POST", "/v1/environments", body: Array(body)), actor: "owner")
                    guard response.status == 202 else {
                        throw StoreError(.ioError, "a create was answered \(response.status)")
                    }
                }
            }
            try await group.waitForAll()
        }
        tell("100 creates accepted ms", milliseconds(start))
        // Counting is cheap; it is not what is measured.
        while try await store.measures().executions.contains(where: { ["pending", "running"].contains($0.state) }) {
            try await Task.sleep(for: .milliseconds(250))
        }
        let seconds = milliseconds(start) / 1000
        let steps = 100 * (3 + 2 * Fleet.services)
        tell("steps per second", Double(steps) / seconds)
        tell("CPU ms per step", (Usage.now.cpuSeconds - before.cpuSeconds) * 1000 / Double(steps))
    }

    private func milliseconds(_ start: ContinuousClock.Instant) -> Double {
        (ContinuousClock.now - start) / .milliseconds(1)
    }

    private func tell(_ name: String, _ value: Double) {
        print("\(name): \((value * 10).rounded() / 10)")
        fflush(nil)
    }
}

/// Of this process so far.
struct Usage {
    var cpuSeconds: Double
    var residentMiB: Double

    static var now: Usage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        // Pages; 0 where it cannot be read.
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
        return Usage(
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), residentMiB: pages * 4096 / 1_048_576)
    }
}
