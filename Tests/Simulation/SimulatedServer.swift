import API
import ControlPlane
import EnvironmentGraph
import Foundation
import HTTPTransport
import Logging
import Orchestration
import SimulatedRuntime
import SimulatedStore
import Storage
import Synchronization

/// One incarnation of the server: the real API and engine over a simulated store, runtime and gateway. Its death leaves
/// what was committed and what runs, and no answer to whoever waits for one.
final class SimulatedServer: Sendable {
    let life: SimulatedLife
    let store: FaultyStore
    private let desk: ControlDesk
    private let waiting = Mutex<[Int: CheckedContinuation<HTTPResponse?, Never>]>([:])
    private let numbers = SimulatedTokens()

    init(_ world: World, storeFaults: StoreFaults) {
        let life = SimulatedLife(clock: world.clock)
        self.life = life
        let onDeath = DeathBell()
        store = FaultyStore(world.store, life: life, random: world.random, faults: storeFaults) { onDeath.ring() }
        let outside = Outside(
            now: { [clock = world.clock] in clock.now }, token: { [tokens = world.tokens] in tokens.next() },
            isPortFree: { _ in true }, sleep: { try await life.sleep($0) },
            random: { [random = world.random] in Double(random.number(0...999)) / 1000 })
        let log = Logger(label: "simulation")
        let gateway = GatewayKeeper(
            folder: ServerFolder(existing: "/nowhere"), executable: "", edgePort: nil, log: log)
        desk = ControlDesk(
            store: store, runtime: SimulatedLink(world.runtime, life: life),
            routes: SimulatedRoutes(life: life, random: world.random, faults: world.routeFaults), board: StatusBoard(),
            gateway: gateway, box: world.box, ports: 20_000...21_999, outside: outside, log: log
        ) {
            HealthView(
                version: "", pid: 1, startedAt: "", folder: "/nowhere", gateway: "running", edgePort: nil)
        }
        onDeath.server = self
    }

    /// - Returns: false where it died on the way, or could not read its store.
    func start() async -> Bool {
        // A server that cannot start ends, and is started again.
        guard (try? await desk.orchestrator.start()) != nil else { return false }
        return !life.isOver
    }

    /// Ends it in good order, or clears away what a dead one left in this process.
    func stop() async {
        await desk.orchestrator.stop()
        life.end()
        answerNobody()
    }

    func die() {
        life.end()
        answerNobody()
    }

    /// - Returns: `nil` where the server died before it answered.
    func answer(_ request: HTTPRequest) async -> HTTPResponse? {
        guard !life.isOver else { return nil }
        let number = numbers.number()
        // Ends with its answer; a dead server's task is left waiting, like the rest of it.
        let task = Task {
            let response = await desk.handle(request, actor: "owner")
            guard !life.isOver else { return }
            waiting.withLock { $0.removeValue(forKey: number) }?.resume(returning: response)
        }
        let response = await withCheckedContinuation { continuation in
            waiting.withLock { $0[number] = continuation }
        }
        task.cancel()
        return response
    }

    fileprivate func answerNobody() {
        let waiting = waiting.withLock { waiting in
            defer { waiting = [:] }
            return waiting.sorted { $0.key < $1.key }.map(\.value)
        }
        for continuation in waiting { continuation.resume(returning: nil) }
    }
}

/// Tells a server that its store has ended it.
// Unchecked: set once, before anything can ring.
private final class DeathBell: @unchecked Sendable {
    weak var server: SimulatedServer?

    func ring() { server?.answerNobody() }
}

/// 10 characters, never given twice.
final class SimulatedTokens: Sendable {
    private let count = Mutex(0)

    func number() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }

    func next() -> String { "t" + String(String(1_000_000_000 + number()).dropFirst()) }
}

/// Gateways that take every table, after a while, or not.
final class SimulatedRoutes: RoutePublishing {
    private let life: SimulatedLife
    private let random: SeededRandom
    private let faults: RouteFaults

    init(life: SimulatedLife, random: SeededRandom, faults: RouteFaults) {
        self.life = life
        self.random = random
        self.faults = faults
    }

    func publish() async throws -> [Int: String] {
        try await life.sleep(random.milliseconds(0...5))
        if random.chance(faults.failing) { throw StoreError(.ioError, "simulated: the gateway does not answer") }
        return [:]
    }

    func isStale() {}
}

final class RouteFaults: Sendable {
    private let probability = Mutex(0.0)

    var failing: Double {
        get { probability.withLock { $0 } }
        set { probability.withLock { $0 = newValue } }
    }
}

/// What outlives every server.
struct World: Sendable {
    let clock: SimulatedClock
    let random: SeededRandom
    let runtime: SimulatedRuntime
    let store: MemoryStore
    let tokens = SimulatedTokens()
    let routeFaults = RouteFaults()
    let box: SecretBox
}
