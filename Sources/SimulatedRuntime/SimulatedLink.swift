import EnvironmentGraph
import Runtimes
import Synchronization

/// One server's way to a ``SimulatedRuntime``: calls take time, fail before or after they took effect, take effect twice,
/// linger; and from the moment at which the server dies, nothing comes back any more.
package final class SimulatedLink: Runtime {
    private let runtime: SimulatedRuntime
    private let life: SimulatedLife

    package init(_ runtime: SimulatedRuntime, life: SimulatedLife) {
        self.runtime = runtime
        self.life = life
    }

    package func apply(_ workload: Workload) async throws {
        try await call { try $0.applyNow(workload) }
    }

    package func stop(_ service: String, of environment: EnvironmentID) async throws {
        try await call { $0.stopNow(service, of: environment) }
    }

    package func observe(_ environment: EnvironmentID) async throws -> [WorkloadStatus] {
        try await call { $0.statuses(of: environment) }
    }

    package func changes(of environment: EnvironmentID) -> AsyncThrowingStream<[WorkloadStatus], any Error> {
        runtime.changes(of: environment)
    }

    /// A command is never sent twice; but once it runs, it ends, whoever waits for it.
    package func run(
        _ command: RuntimeCommand, in service: String, of environment: EnvironmentID
    ) async throws -> RuntimeCommandResult {
        let length = runtime.random.milliseconds(1...200)
        // It works on what its service had when it began, whatever becomes of the service meanwhile.
        let data = runtime.data(of: service, in: environment)
        return try await call(taking: length, mayDouble: false) {
            try $0.runNow(command, in: service, of: environment, on: data)
        }
    }

    package func logs(of environment: EnvironmentID, _ query: LogQuery) -> AsyncThrowingStream<LogLine, any Error> {
        runtime.logs(of: environment, query)
    }

    package func metrics(of environment: EnvironmentID, withRates: Bool) async throws -> [WorkloadMetrics] {
        try await life.check()
        return try await runtime.metrics(of: environment, withRates: withRates)
    }

    package func volumePath(_ volume: String, of service: String, in environment: EnvironmentID) -> String? { nil }

    package func delete(_ environment: EnvironmentID) async throws {
        try await call { $0.deleteNow(environment) }
    }

    package func irregularities(
        of environment: EnvironmentID, volumes: [VolumeName]
    ) async throws -> [Irregularity] {
        try await call { $0.irregularitiesNow(environment, volumes) }
    }

    package func restoreFiles(of environment: EnvironmentID) async throws {
        try await call { runtime in runtime.state.withLock { $0.places[environment]?.isDamaged = false } }
    }

    package func environments() async throws -> [EnvironmentID] {
        try await call { $0.places }
    }

    /// - Parameter length: how long the work takes that the call begins; it goes on when nobody waits any more.
    private func call<T: Sendable>(
        taking length: Duration = .zero, mayDouble: Bool = true,
        _ effect: @escaping @Sendable (SimulatedRuntime) throws -> T
    ) async throws -> T {
        let (faults, random, clock) = (runtime.faults, runtime.random, runtime.clock)
        try await life.check()
        var way = random.milliseconds(faults.wayMilliseconds)
        if random.chance(faults.callSlow) { way += random.milliseconds(1...2_500) }
        try await life.sleep(way)
        guard !random.chance(faults.callFails) else {
            throw RuntimeError(.unavailable, "the call did not reach the runtime")
        }
        let doubled = mayDouble && random.chance(faults.callDoubled)
        let outcome = Outcome<T>()
        clock.after(length) { [runtime] in
            if doubled { _ = Result { try effect(runtime) } }
            outcome.set(Result { try effect(runtime) })
        }
        var back = length + random.milliseconds(faults.wayMilliseconds)
        if random.chance(faults.callSlow) { back += random.milliseconds(1...2_500) }
        try await life.sleep(back)
        guard !random.chance(faults.replyLost), let result = outcome.value else {
            throw RuntimeError(.unavailable, "the reply was lost")
        }
        return try result.get()
    }
}

/// What a call came to; `nil` as long as it has not taken effect.
private final class Outcome<T: Sendable>: Sendable {
    private let result = Mutex<Result<T, any Error>?>(nil)

    var value: Result<T, any Error>? { result.withLock { $0 } }

    func set(_ value: Result<T, any Error>) { result.withLock { $0 = value } }
}
