import EnvironmentGraph
import Runtimes
import Synchronization

/// A `Runtime` in memory: services are small state machines over a clock and a seeded random source that are handed in,
/// so that a run can be repeated from its seed, and ten thousand environments cost no process.
///
/// It keeps a journal of everything that would have had an effect on the world (``SideEffect``), so that a test can say
/// "done twice" or "left behind". What goes wrong in it is said by ``SimulatedFaults``; what somebody else does to it, by
/// ``kill(_:of:)``, ``lose(_:of:)`` and ``restartKeeper(of:)``.
///
/// This type is the world, which outlives every server. A server that may die reaches it through a ``SimulatedLink``,
/// where calls fail, linger and lose their replies.
package final class SimulatedRuntime: Runtime {
    struct State {
        var places: [EnvironmentID: SimulatedPlace] = [:]
        var listeners: [EnvironmentID: [Int: Listener]] = [:]
        var nextListener = 0
        var faults: SimulatedFaults
        var journal: [SideEffect] = []
        /// Journals of large runs are not wanted.
        var keepsJournal: Bool
    }

    typealias Listener = AsyncThrowingStream<[WorkloadStatus], any Error>.Continuation

    package let clock: any SimulationClock
    package let random: SeededRandom
    let state: Mutex<State>

    package init(
        clock: any SimulationClock, random: SeededRandom, faults: SimulatedFaults = .none, keepsJournal: Bool = true
    ) {
        self.clock = clock
        self.random = random
        state = Mutex(State(faults: faults, keepsJournal: keepsJournal))
    }

    package var faults: SimulatedFaults {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }

    /// In the order in which they happened.
    package var journal: [SideEffect] { state.withLock { $0.journal } }

    /// Every copy that runs just now, or would, with its generation.
    package func running(in environment: EnvironmentID) -> [String: Int] {
        state.withLock { state in
            (state.places[environment]?.copies ?? [:]).filter { $0.value.isActive }
                .mapValues { $0.workload.generation }
        }
    }

    package func statuses(of environment: EnvironmentID) -> [WorkloadStatus] {
        state.withLock { $0.places[environment]?.statuses ?? [] }
    }

    /// Every environment of which anything is left.
    package var places: [EnvironmentID] { state.withLock { $0.places.keys.sorted() } }

    // MARK: The port

    package func apply(_ workload: Workload) async throws { try applyNow(workload) }

    package func stop(_ service: String, of environment: EnvironmentID) async throws {
        stopNow(service, of: environment)
    }

    package func observe(_ environment: EnvironmentID) async throws -> [WorkloadStatus] { statuses(of: environment) }

    package func changes(of environment: EnvironmentID) -> AsyncThrowingStream<[WorkloadStatus], any Error> {
        let (stream, listener) = AsyncThrowingStream.makeStream(
            of: [WorkloadStatus].self, bufferingPolicy: .bufferingNewest(1))
        let key = state.withLock { state in
            state.nextListener += 1
            state.listeners[environment, default: [:]][state.nextListener] = listener
            listener.yield(state.places[environment]?.statuses ?? [])
            return state.nextListener
        }
        listener.onTermination = { [weak self] _ in
            self?.state.withLock { state in
                state.listeners[environment]?[key] = nil
                if state.listeners[environment]?.isEmpty == true { state.listeners[environment] = nil }
            }
        }
        return stream
    }

    package func run(
        _ command: RuntimeCommand, in service: String, of environment: EnvironmentID
    ) async throws -> RuntimeCommandResult {
        try runNow(command, in: service, of: environment)
    }

    package func logs(of environment: EnvironmentID, _ query: LogQuery) -> AsyncThrowingStream<LogLine, any Error> {
        var lines = state.withLock { $0.places[environment]?.logs ?? [] }.filter { line in
            (query.services.isEmpty || query.services.contains(line.service)) && line.time >= query.since ?? .min
        }
        if let tail = query.tail { lines = Array(lines.suffix(tail)) }
        return AsyncThrowingStream { continuation in
            for line in lines { continuation.yield(line) }
            continuation.finish()
        }
    }

    package func volumePath(_ volume: String, of service: String, in environment: EnvironmentID) -> String? { nil }

    package func delete(_ environment: EnvironmentID) async throws { deleteNow(environment) }

    package func irregularities(
        of environment: EnvironmentID, volumes: [VolumeName]
    ) async throws -> [Irregularity] { irregularitiesNow(environment, volumes) }

    package func restoreFiles(of environment: EnvironmentID) async throws {
        state.withLock { $0.places[environment]?.isDamaged = false }
    }

    package func environments() async throws -> [EnvironmentID] { places }

    // MARK: What others do

    /// Ends a copy from outside; its restart policy decides what follows.
    package func kill(_ service: String, of environment: EnvironmentID) {
        state.withLock { state in
            guard let copy = state.places[environment]?.copies[service], copy.hasProcess else { return }
            ended(service, of: environment, run: copy.run, code: 137, in: &state)
        }
    }

    /// Makes the runtime forget a copy, as if it had never been applied.
    package func lose(_ service: String, of environment: EnvironmentID) {
        state.withLock { state in
            guard let copy = state.places[environment]?.copies.removeValue(forKey: service) else { return }
            if copy.hasProcess { write(.ended, service, environment, &state) }
            tell(environment, state)
        }
    }

    /// Removes a volume with the data in it. What runs on it goes on as if nothing had happened.
    package func loseVolume(_ volume: String, _ service: String, of environment: EnvironmentID) {
        state.withLock { state in
            guard var place = state.places[environment], place.volumes.remove("\(service)/\(volume)") != nil else {
                return
            }
            place.ledger = place.ledger.filter { !$0.hasPrefix(service + "/") }
            state.places[environment] = place
        }
    }

    /// Which data a service works on, as the journal names it.
    package func data(of service: String, in environment: EnvironmentID) -> String? {
        state.withLock { state in
            guard let place = state.places[environment], let copy = place.copies[service] else { return nil }
            return place.data(of: copy.workload)
        }
    }

    /// `service/volume` of what is there.
    package func volumes(of environment: EnvironmentID) -> [String] {
        state.withLock { $0.places[environment]?.volumes.sorted() ?? [] }
    }

    /// Runs something in an environment that nobody wants there.
    package func applyStranger(_ name: String, of environment: EnvironmentID) throws {
        try applyNow(
            Workload(environment: environment, service: name, generation: 1, command: [name], workdir: "/"))
    }

    /// Damages the file in which it is kept what should run.
    package func damage(_ environment: EnvironmentID) {
        state.withLock { $0.places[environment]?.isDamaged = true }
    }

    /// What a killed supervisor leaves: nothing runs any more, and what should waits to be told again, because secrets
    /// are kept nowhere.
    package func restartKeeper(of environment: EnvironmentID) {
        let listeners = state.withLock { state -> [Listener] in
            guard var place = state.places[environment] else { return [] }
            for (name, copy) in place.copies where copy.isActive {
                if copy.hasProcess { write(.ended, name, environment, &state) }
                var copy = copy
                copy.run += 1
                copy.waits = true
                copy.status = WorkloadStatus(
                    service: name, generation: copy.workload.generation, state: .pending,
                    message: "waits for its secrets; apply it again", since: clock.now)
                place.copies[name] = copy
            }
            state.places[environment] = place
            return Array((state.listeners.removeValue(forKey: environment) ?? [:]).values)
        }
        for listener in listeners { listener.finish(throwing: RuntimeError(.unavailable, "the supervisor ended")) }
    }
}

extension SimulatedPlace.Copy {
    /// Runs, or will without being told again.
    var isActive: Bool {
        switch status.state {
        case .pending, .building, .starting, .ready, .unhealthy, .restarting: true
        case .stopped, .failed: false
        }
    }

    var hasProcess: Bool { isActive && status.state != .restarting && status.state != .pending }
}
