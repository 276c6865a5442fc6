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
        let desk = try desk(store, runtime)
        try await desk.orchestrator.start()
        let first = await desk.handle(HTTPRequest("GET", "/v1/environments?limit=1"), actor: "owner")
        guard first.status == 200 else { throw StoreError(.ioError, "the first request was answered \(first.status)") }
        tell("restart to serving ms", milliseconds(start))

        try await listing(desk, "list cold ms")
        try await Task.sleep(for: .seconds(5))
        var times: [Double] = []
        for _ in 0..<20 { times.append(try await listing(desk, nil)) }
        tell("list warm ms", times.sorted()[times.count / 2])

        let idle = Usage.now
        let idleStart = ContinuousClock.now
        try await Task.sleep(for: .seconds(idleSeconds))
        let seconds = (ContinuousClock.now - idleStart) / .seconds(1)
        tell("idle CPU %", (Usage.now.cpuSeconds - idle.cpuSeconds) / seconds * 100)
        tell("resident after MiB", Usage.now.residentMiB)

        try await creates(desk, store)
        await desk.orchestrator.stop()
        tell("resident at the end MiB", Usage.now.residentMiB)
        store.close()
    }

    private func environments() async throws -> Int {
        let store = try SQLiteStore(path: folder + "/store.sqlite")
        defer { store.close() }
        return try await store.read { try $0.portsInUse().count } / 40
    }

    private func desk(_ store: SQLiteStore, _ runtime: SimulatedRuntime) throws -> ControlDesk {
        let outside = Outside(
            now: { MachineClock().now }, token: { String(UInt64.random(in: 0...UInt64.max), radix: 36) },
            isPortFree: { _ in true })
        let log = Logger(label: "scale")
        return ControlDesk(
            store: store, runtime: runtime, routes: NoRoutes(), board: StatusBoard(),
            gateway: GatewayKeeper(
                folder: ServerFolder(existing: "/nowhere"), executable: "", edgePort: nil, log: log),
            box: try SecretBox(keyFile: folder + "/secrets.key"), ports: 5_000_000...5_999_999, outside: outside,
            log: log
        ) {
            HealthView(version: "", pid: 1, startedAt: "", folder: "/nowhere", gateway: "running", edgePort: nil)
        }
    }

    /// What `microstax env list` asks for.
    @discardableResult
    private func listing(_ desk: ControlDesk, _ name: String?) async throws -> Double {
        let start = ContinuousClock.now
        let response = await desk.handle(HTTPRequest("GET", "/v1/environments?limit=100"), actor: "owner")
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
        while try await store.read({ try $0.unfinishedExecutions().count }) > 0 {
            try await Task.sleep(for: .milliseconds(100))
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

/// The gateway has its own benchmark.
struct NoRoutes: RoutePublishing {
    func publish() async throws -> [Int: String] { [:] }
    func isStale() {}
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
